"""The parts of an edit of a given video: what is meant, where it is in each picture, and what is done there."""
