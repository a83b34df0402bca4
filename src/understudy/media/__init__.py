"""Measuring, decoding and encoding of media with PyAV, Pillow and OpenCV. Nothing here judges a request."""
