"""Engines for tests on other nodes; the render process finds them by its path."""

import shutil
from pathlib import Path

from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult


class Copier:
    """Its film is the first medium of the job; it tells what the files of its media are called."""

    def warm(self) -> None:
        pass

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        progress(1, 1)
        media = [Path(job.media[index]) for index in sorted(job.media)]
        shutil.copyfile(media[0], Path(job.output_dir) / "film.mp4")
        lying_there = sorted(path.name for path in media[0].parent.iterdir())
        assert lying_there == sorted({path.name for path in media})
        return RenderResult(
            video="film.mp4",
            last_frame=None,
            ratio="16:9",
            width_px=64,
            height_px=36,
            duration_s=4,
            num_frames=1,
            has_sound=False,
            notes=(" ".join(path.name for path in media),),
        )
