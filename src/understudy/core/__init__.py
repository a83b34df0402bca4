"""The task model: standard library only, no I/O, no clock, no randomness."""
