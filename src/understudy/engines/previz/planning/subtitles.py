"""Subtitles: when each spoken line of a shot is to be read."""

from collections.abc import Sequence

from understudy.engines.previz.plan import Line, ScreenText, TextKind


def subtitles_of(lines: Sequence[Line], *, duration_s: float, spoken_s: Sequence[float]) -> tuple[ScreenText, ...]:
    """Return one subtitle for each line of a shot, one after the other, for as long as each takes to say."""
    total_s = sum(spoken_s) or 1.0
    found, start_s = [], 0.0
    for line, needed_s in zip(lines, spoken_s, strict=True):
        end_s = start_s + duration_s * needed_s / total_s
        found.append(
            ScreenText(
                text=line.text,
                kind=TextKind.SUBTITLE,
                speaker=line.speaker,
                place="bottom",
                start_s=round(start_s, 2),
                end_s=round(end_s, 2),
            )
        )
        start_s = end_s
    return tuple(found)
