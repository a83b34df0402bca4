"""What is not done with given media yet, told to the caller in one sentence each."""

from understudy.engines.previz.board.given import Given, cuts_of

FIRST = (
    "The first frame is a scene in depth that the camera moves through; what it shows sways, nods and speaks as far as "
    "one picture can, and nothing new comes in."
)
LAST = (
    "The last frame is a scene in depth that the camera moves through until it is seen as given; what it shows sways "
    "as far as one picture can, and nothing new comes in."
)
FIRST_AND_LAST = (
    "The film leads from the first frame to the last by moving and blending the two; nothing is drawn anew."
)
IMAGES = "The reference images are shown as panels; they are not redrawn as one scene."
IMAGES_LEFT_OUT = "The reference images are not shown: the reference videos fill the film."
IMAGES_NOT_IN_EXTENSION = "The reference images are not shown: the film goes on from the last picture of the videos."
VIDEOS = "The reference videos are played as they are, cut to the film's shape; the prompt changes nothing in them."
CUT = "The reference videos are longer than the film, which ends before they do."
BEGUN_LATER = "The film begins later than the reference videos do, so that there is room for what follows them."
GOES_ON = "After the reference videos their motion goes on from the last picture, which does not act out the prompt."
LEADS_TO = "Before the reference videos the film leads to their first picture, which does not act out the prompt."
CAMERA = "The camera moves as that of a reference video, as far as the scene reaches; the video itself is not shown."
SILENT = "The reference audio is not heard: the film was asked for without sound."


def notes_on(given: Given, *, num_frames: int, fps: int, is_edited: bool = False) -> tuple[str, ...]:
    """Say what a film of these pictures does not do. is_edited: the prompt changes what is seen of the videos."""
    camera = () if given.camera is None else (CAMERA,)
    found = (*_notes_on_frames(given), *_notes_on_videos(given, num_frames=num_frames, fps=fps), *camera)
    return tuple(note for note in found if note != VIDEOS or not is_edited)


def _notes_on_frames(given: Given) -> list[str]:
    if given.first and given.last:
        return [FIRST_AND_LAST]
    if given.first or given.last:
        return [FIRST if given.first else LAST]
    return []


def _notes_on_videos(given: Given, *, num_frames: int, fps: int) -> list[str]:
    if not given.videos:
        return []
    cuts = cuts_of(given, num_frames=num_frames, fps=fps)
    played = sum(cut.num_frames for cut in cuts)
    in_all = sum(max(1, round(video.duration_s * fps)) for video in given.videos)
    found = [VIDEOS]
    if played < in_all:
        found.append(BEGUN_LATER if given.is_extension and not given.is_backward else CUT)
    if given.images and given.is_extension:
        found.append(IMAGES_NOT_IN_EXTENSION)
    elif given.images:
        found.append(IMAGES if played < num_frames else IMAGES_LEFT_OUT)
    if played < num_frames and (given.is_extension or not given.images):
        found.append(LEADS_TO if given.is_backward else GOES_ON)
    return found
