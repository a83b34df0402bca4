"""What operators and load balancers ask: is the process alive, and would a task be rendered."""

from understudy.server.endpoint import Call
from understudy.server.reply import Reply


async def health(_call: Call) -> Reply:
    """The process answers."""
    return Reply(200, b'{"status":"ok"}')


async def readiness(call: Call) -> Reply:
    """Tasks that come in now would be rendered."""
    if call.house.is_ready():
        return Reply(200, b'{"status":"ready"}')
    return Reply(503, b'{"status":"not ready"}')
