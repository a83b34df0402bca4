"""The callbacks of a server's tasks for a client: their log, telling one again, and what checks their signatures."""

from urllib.parse import quote

from understudy.client.blocking import Client
from understudy.client.programs import RETRY_PAUSES_S
from understudy.client.steps import Call, Pause, Program
from understudy.client.uploads import Json, calling, encoded
from understudy.core.errors import RateLimited, Unavailable

OWN_PATH = "/understudy/v1"


class Callbacks:
    """What was told of the tasks of a client's key; answers are the server's own objects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, task_id: str) -> Json:
        """Return the changes of a task that are told, in order, each with its tries."""
        return self._ask(Call(method="GET", path=_path(task_id)))

    def resend(self, task_id: str, number: int | None = None) -> Json:
        """Have a change told again, the latest by default. Repeated when the answer was lost: it is told once more."""
        return self._ask(Call(method="POST", path=f"{_path(task_id)}/resend", body=encoded({"number": number})))

    def secret(self) -> str:
        """Return what the signatures of callbacks are checked with."""
        return str(self._ask(Call(method="GET", path=f"{OWN_PATH}/callbacks/secret"))["secret"])

    def _ask(self, call: Call) -> Json:
        return self._client._run(_patiently(call))


def _path(task_id: str) -> str:
    return f"{OWN_PATH}/tasks/{quote(task_id, safe='')}/callbacks"


def _patiently(call: Call) -> Program[Json]:
    """Call again while the server is away or busy."""
    for pause_s in (*RETRY_PAUSES_S, None):
        try:
            return (yield from calling(call))
        except (Unavailable, RateLimited):
            if pause_s is None:
                raise
        yield Pause(pause_s=pause_s)
    raise AssertionError("the last try returns or raises")
