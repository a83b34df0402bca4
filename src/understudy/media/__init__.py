"""Measuring, decoding and encoding of media with PyAV. Nothing here judges a request."""
