"""The beginning of the end: who waits for something is told that the server stops, so that it can."""

from collections.abc import Callable


class Closing:
    """Told once, when the server takes no more requests and those under way are to end."""

    def __init__(self) -> None:
        self._actions: list[Callable[[], None]] = []

    def then(self, action: Callable[[], None]) -> None:
        """Have something done at once when the server begins to stop."""
        self._actions.append(action)

    def begin(self) -> None:
        """Do it all; the second time there is nothing left to do."""
        actions, self._actions = self._actions, []
        for action in actions:
            action()
