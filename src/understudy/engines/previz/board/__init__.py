"""The animatic of given media: frames, reference images and videos in order, moved by a camera; and their sound.

`given` reads a job's media and lays them out in time, `painter` draws the film's pictures from them, `heard` its sound.
Nothing is drawn anew here; `notes` says so to the caller.
"""
