"""The one error that opening storage raises; what fails later is `core.errors.Unavailable`."""


class CannotOpen(Exception):
    """The data directory cannot be used. The message is for the operator: what is wrong and what to do."""
