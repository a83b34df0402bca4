"""What the formats of media are called on the wire."""

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "gif": "image/gif",
    "heic": "image/heic",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
}
"""By the names of `MediaFacts.container`, which the keys of blobs end with; films' own pictures end with "jpg" as well.
Source: the media types registry of IANA, and for WAV what everybody writes.
"""
