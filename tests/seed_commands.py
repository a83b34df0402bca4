"""The command lines with media that the documents print, by the example whose body they send.

Whoever runs them changes the base URL and the host of the media; the key is in a variable of the environment.
"""

BASE_URLS = ("https://api.amux.ai", "https://ark.cn-beijing.volces.com")
MEDIA_HOST = "https://example.com"
KEYS = ("AMUX_API_KEY", "ARK_API_KEY")

COMMANDS = {
    # Seed 000, lines 66-78.
    "ark/000_066_first_and_last_frame": r"""
curl https://api.amux.ai/api/v3/contents/generations/tasks \
-H "Authorization: Bearer $AMUX_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "doubao-seedance-2.0",
"content": [
{ "type": "text", "text": "Camera pushes from the courtyard slowly into the room" },
{ "type": "image_url", "image_url": { "url": "https://example.com/start.jpg" }, "role": "first_frame" },
{ "type": "image_url", "image_url": { "url": "https://example.com/end.jpg" }, "role": "last_frame" }
],
"ratio": "16:9",
"duration": 5
}'
""",
    # Seed 000, lines 79-90.
    "ark/000_079_two_reference_images": r"""
curl https://api.amux.ai/api/v3/contents/generations/tasks \
-H "Authorization: Bearer $AMUX_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "doubao-seedance-2.0",
"content": [
{ "type": "text", "text": "@image1 and @image2 meet in the garden" },
{ "type": "image_url", "image_url": { "url": "https://example.com/character-a.jpg" }, "role": "reference_image" },
{ "type": "image_url", "image_url": { "url": "https://example.com/character-b.jpg" }, "role": "reference_image" }
],
"ratio": "16:9"
}'
""",
    # Seed 000, lines 91-103.
    "ark/000_091_video_and_audio_without_roles": r"""
curl https://api.amux.ai/api/v3/contents/generations/tasks \
-H "Authorization: Bearer $AMUX_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "doubao-seedance-2.0",
"content": [
{ "type": "text", "text": "Continue the picture pacing, sync to the audio" },
{ "type": "video_url", "video_url": { "url": "https://example.com/sample-clip.mp4" } },
{ "type": "audio_url", "audio_url": { "url": "https://example.com/voice.mp3" } }
],
"ratio": "16:9",
"duration": 5
}'
""",
    # Seed 000, lines 203-217.
    "amux/000_206_first_and_last_frame": r"""
curl https://api.amux.ai/v1/video/generations \
-H "Authorization: Bearer $AMUX_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "doubao-seedance-2.0-fast",
"prompt": "Camera pushes slowly from the courtyard into the room",
"metadata": {
"ratio": "16:9",
"duration": 5,
"content": [
{ "type": "image_url", "image_url": { "url": "https://example.com/start.jpg" }, "role": "first_frame" },
{ "type": "image_url", "image_url": { "url": "https://example.com/end.jpg" }, "role": "last_frame" }
]
}
}'
""",
    # Seed 000, lines 218-232.
    "amux/000_220_video_and_audio": r"""
curl https://api.amux.ai/v1/video/generations \
-H "Authorization: Bearer $AMUX_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"model": "doubao-seedance-2.0",
"prompt": "Continue the picture pacing, sync to the audio",
"metadata": {
"ratio": "16:9",
"duration": 5,
"content": [
{ "type": "video_url", "video_url": { "url": "https://example.com/sample-clip.mp4" } },
{ "type": "audio_url", "audio_url": { "url": "https://example.com/voice.mp3" } }
]
}
}'
""",
    # Seed 001, lines 139-160.
    "ark/001_142_first_frame": r"""
curl -X POST https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks \
-H "Content-Type: application/json" \
-H "Authorization: Bearer $ARK_API_KEY" \
-d '{
"model": "doubao-seedance-2-0-260128",
"content": [
{
"type": "text",
"text": "The girl opens her eyes and looks at the camera gently"
},
{
"type": "image_url",
"image_url": {
"url": "https://example.com/first-frame.png"
}
}
],
"generate_audio": true,
"ratio": "adaptive",
"duration": 5,
"watermark": false
}'
""",
}
