"""Judges of what lies between pictures: a way from one to another, the joint of two videos. Each can refuse.

They see decoded pictures, (height_px, width_px, 3) uint8 RGB, and know nothing of how these were made.
"""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

MOVED_LEAST_PX = 10.0
RATIO = 0.7
JUDGED_WIDTH_PX = 320


def ssim(first: Picture, second: Picture) -> float:
    """Structural similarity of the luma. Source: Wang et al., 2004, with a Gaussian window of 1.5 pixels."""
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) for picture in (first, second))

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_one, mean_other = blurred(one), blurred(other)
    var_one, var_other = blurred(one * one) - mean_one**2, blurred(other * other) - mean_other**2
    both = blurred(one * other) - mean_one * mean_other
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_one * mean_other + c1) * (2 * both + c2)
    return float((top / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2))).mean())


def matched(first: Picture, second: Picture) -> dict[int, tuple[float, float]]:
    """Find points of the first picture in the second: number of the point -> place."""
    finder = cv2.SIFT_create(nfeatures=2000)
    (_, words), (points, others) = (
        finder.detectAndCompute(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), None) for one in (first, second)
    )
    if words is None or others is None:
        return {}
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words, others, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    return {match.queryIdx: points[match.trainIdx].pt for match in good}


def between_share(first: Picture, middle: Picture, last: Picture) -> tuple[float, int]:
    """Of the points that go from one place in the first picture to another in the last: how many are on their way.

    Return the share that is between a fifth and four fifths of the way and beside it by no more than a quarter of its
    length, of those that are found in the middle picture at all, and how many those are.
    """
    finder = cv2.SIFT_create(nfeatures=2000)
    starts = [point.pt for point in finder.detect(cv2.cvtColor(first, cv2.COLOR_RGB2GRAY), None)]
    ends, middles = matched(first, last), matched(first, middle)
    on_the_way = found = 0
    for number in ends.keys() & middles.keys():
        start, end, now = (np.array(place) for place in (starts[number], ends[number], middles[number]))
        way = end - start
        length = float(np.linalg.norm(way))
        if length < MOVED_LEAST_PX:
            continue
        found += 1
        part = float((now - start) @ way) / length**2
        beside = float(np.linalg.norm(now - start - part * way)) / length
        on_the_way += 0.2 < part < 0.8 and beside < 0.25
    return (on_the_way / found if found else 0.0), found


def is_dissolve(first: Picture, middle: Picture, last: Picture) -> bool:
    """Whether the middle is the two ends laid over each other, in whatever shares."""
    one, now, other = (cv2.GaussianBlur(picture.astype(np.float64), (0, 0), 1.5) for picture in (first, middle, last))
    apart = one - other
    if np.abs(apart).mean() < 1:
        return False
    share = float(((now - other) * apart).sum() / (apart**2).sum())
    left = np.abs(now - other - np.clip(share, 0, 1) * apart).mean() / np.abs(apart).mean()
    return bool(0.1 < share < 0.9 and left < 0.25)


def flows(frames: Sequence[Picture]) -> NDArray[np.float64]:
    """The usual motion from each picture to the next, (n - 1, 2), right and down in parts of the width."""
    small = []
    for frame in frames:
        size = JUDGED_WIDTH_PX, round(frame.shape[0] * JUDGED_WIDTH_PX / frame.shape[1])
        small.append(cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY))
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = [engine.calc(one, other, None) for one, other in itertools.pairwise(small)]
    inside = np.s_[10:-10, 10:-10]
    return np.array([np.median(flow[inside].reshape(-1, 2), axis=0) for flow in found]) / JUDGED_WIDTH_PX


def goes_on(frames: Sequence[Picture], joint: int) -> bool:
    """Whether the motion before a joint goes on over it: frames[joint] is the first picture after it.

    Its step is as long as its neighbours', give or take two thirds, and in their direction: a picture that stands, one
    that is seen twice, and a cut are refused.
    """
    steps = flows(frames[joint - 4 : joint + 3])
    before, step, after = np.median(steps[:3], axis=0), steps[3], steps[4]
    length = float(np.linalg.norm(before))
    return bool(
        np.linalg.norm(step - before) < 0.66 * length
        and np.linalg.norm(after - before) < 0.8 * length
        and changes_evenly(frames, joint)
    )


def changes_evenly(frames: Sequence[Picture], joint: int) -> bool:
    """Whether the pictures change over the joint about as much as they do beside it."""
    changes = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames)]
    beside = [*changes[joint - 4 : joint - 1], *changes[joint : joint + 3]]
    return bool(0.4 * min(beside) < changes[joint - 1] < 2.0 * max(beside))
