"""The four Python programs of seed 001 as they are printed; what its copy lost of indentation is given back.

The second, third and fourth begin where the first has made its client, and the fourth leaves a place for the polling
loop of the first. Whoever runs them changes the base URL, the key and the host of the media, and nothing else.
"""

BASE_URL = "https://ark.cn-beijing.volces.com/api/v3"
MEDIA_HOST = "https://example.com"

POLLING = r"""
import os
import time
from volcenginesdkarkruntime import Ark
# pip install 'volcengine-python-sdk[ark]'
client = Ark(
    base_url="https://ark.cn-beijing.volces.com/api/v3",
    api_key=os.environ.get("ARK_API_KEY"),
)
# Create task
result = client.content_generation.tasks.create(
    model="doubao-seedance-2-0-260128",
    content=[
        {"type": "text", "text": "A cat yawning at the camera"},
        {
            "type": "image_url",
            "image_url": {"url": "https://example.com/cat.png"},
        },
    ],
    generate_audio=True,
    ratio="adaptive",
    duration=5,
    watermark=False,
)
task_id = result.id
print(f"Task created: {task_id}")
# Poll until done
while True:
    task = client.content_generation.tasks.get(task_id=task_id)
    if task.status == "succeeded":
        print(f"Video URL: {task.content.video_url}")
        break
    elif task.status == "failed":
        print(f"Failed: {task.error}")
        break
    else:
        print(f"Status: {task.status}, waiting...")
        time.sleep(30)
"""
"""Seed 001, lines 163-199."""

PRELUDE = POLLING[: POLLING.index("# Create task")]
LOOP = POLLING[POLLING.index("# Poll until done") :]

MULTIMODAL = (
    PRELUDE
    + r"""
result = client.content_generation.tasks.create(
    model="doubao-seedance-2-0-260128",
    content=[
        {
            "type": "text",
        "text": "Use video 1's first-person perspective, use audio 1 as background music. A fruit tea commercial...",
        },
        {
            "type": "image_url",
            "image_url": {"url": "https://example.com/tea1.jpg"},
            "role": "reference_image",
        },
        {
            "type": "image_url",
            "image_url": {"url": "https://example.com/tea2.jpg"},
            "role": "reference_image",
        },
        {
            "type": "video_url",
            "video_url": {"url": "https://example.com/reference.mp4"},
            "role": "reference_video",
        },
        {
            "type": "audio_url",
            "audio_url": {"url": "https://example.com/bgm.mp3"},
            "role": "reference_audio",
        },
    ],
    generate_audio=True,
    ratio="16:9",
    duration=11,
    watermark=False,
)
"""
)
"""Seed 001, lines 202-234."""

EXTENSION = (
    PRELUDE
    + r"""
result = client.content_generation.tasks.create(
    model="doubao-seedance-2-0-260128",
    content=[
        {"type": "text", "text": "Extend video 1 forward, the car drives into a desert oasis"},
        {
            "type": "video_url",
            "video_url": {"url": "https://example.com/clip.mp4"},
            "role": "reference_video",
        },
    ],
    generate_audio=True,
    ratio="16:9",
    duration=8,
    watermark=False,
)
"""
)
"""Seed 001, lines 237-251."""

CHAINING = (
    PRELUDE
    + r"""
# Task 1: generate first segment
result1 = client.content_generation.tasks.create(
    model="doubao-seedance-2-0-260128",
    content=[{"type": "text", "text": "Scene 1 description..."}],
    return_last_frame=True,
    duration=5,
)
# ... poll until succeeded ...
task1 = client.content_generation.tasks.get(task_id=result1.id)
last_frame_url = task1.content.last_frame_url
# Task 2: use last frame as first frame
result2 = client.content_generation.tasks.create(
    model="doubao-seedance-2-0-260128",
    content=[
        {"type": "text", "text": "Scene 2 continues from where scene 1 left off..."},
        {
            "type": "image_url",
            "image_url": {"url": last_frame_url},
            "role": "first_frame",
        },
    ],
    return_last_frame=True,
    duration=5,
)
""".replace("# ... poll until succeeded ...", f"task_id = result1.id\n{LOOP}")
)
"""Seed 001, lines 256-279."""
