"""Draw a hundred common nouns as a film shows them: ``docs/images/subjects.jpg``.

Each cell is a frame of the film of the prompt "a <noun>", planned and painted as any other; nothing is chosen by hand.

    python scripts/subjects_sheet.py [FILE]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.plan import Shot
from understudy.engines.previz.planning.planner import plan_film

TARGET = Path(__file__).parent.parent / "docs/images/subjects.jpg"
NOUNS = (  # noqa: SIM905 - a list literal would be a hundred lines
    "man, woman, boy, girl, baby, old man, old woman, astronaut, chef, knight, "
    "detective, police officer, firefighter, doctor, farmer, ballerina, samurai, robot, ghost, mermaid, "
    "cat, dog, puppy, horse, cow, pig, sheep, rabbit, fox, wolf, "
    "bear, panda, lion, tiger, elephant, giraffe, monkey, penguin, eagle, owl, "
    "duck, parrot, butterfly, bee, snake, turtle, frog, dolphin, whale, shark, "
    "fish, octopus, dragon, dinosaur, unicorn, car, taxi, bus, truck, motorcycle, "
    "bicycle, train, airplane, helicopter, rocket, sailboat, ship, tractor, hot air balloon, skyscraper, "
    "house, castle, temple, lighthouse, tree, palm tree, cactus, sunflower, rose, mushroom, "
    "apple, banana, strawberry, pizza, hamburger, sushi, birthday cake, ice cream, cup of coffee, wine glass, "
    "book, umbrella, guitar, piano, violin, television, laptop, clock, candle, football"
).split(", ")
CELL_PX, CAPTION_PX, COLUMNS = (192, 144), 20, 10
SEED, FPS, NUM_FRAMES, SHOWN = 11, 12, 36, 14
JPEG_QUALITY = 74


def shot_of(noun: str) -> Shot:
    """The only shot of the film of a noun."""
    article = "an" if noun[0] in "aeiou" else "a"
    plan = plan_film(f"{article} {noun}", ratio="4:3", duration_s=5, ratios=("4:3",), duration_range_s=(4, 15))
    return plan.main


def cell_of(noun: str) -> np.ndarray:
    """One captioned frame: (height, width, 3) uint8 BGR."""
    canvas = Canvas(width_px=CELL_PX[0] * 3, height_px=CELL_PX[1] * 3, fps=FPS, num_frames=NUM_FRAMES, seed=SEED)
    frame = FilmPainter(shot_of(noun), canvas).paint(SHOWN)[..., 2::-1]
    cell = np.full((CELL_PX[1] + CAPTION_PX, CELL_PX[0], 3), 250, np.uint8)
    cell[: CELL_PX[1]] = cv2.resize(frame, CELL_PX, interpolation=cv2.INTER_AREA)
    cv2.putText(cell, noun, (5, CELL_PX[1] + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return cell


def main() -> None:
    """Draw and write the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=TARGET)
    target = parser.parse_args().file
    cells = [cell_of(noun) for noun in NOUNS]
    rows = [np.hstack(cells[start : start + COLUMNS]) for start in range(0, len(cells), COLUMNS)]
    target.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if target.suffix == ".jpg" else []
    cv2.imwrite(str(target), np.vstack(rows), options)
    print(f"{target}: {len(cells)} nouns, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
