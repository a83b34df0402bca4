"""The operator's own moderator behind an HTTP address. The wire format is told in docs/guides/moderation.md."""

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from understudy.core.errors import Unavailable, Violation
from understudy.core.moderation import Finding, Shown, Stage
from understudy.net.guard import Guard
from understudy.net.http import HttpClient, Unreached
from understudy.net.resolve import Resolve
from understudy.net.web_address import Refused

ANSWER_BYTES_MAX = 1 << 20
"""Above a finding with a long sentence for every item of the largest request."""

MESSAGE_CHARS_MAX = 1000
OK = 200

log = logging.getLogger(__name__)


class FoundBody(msgspec.Struct, omit_defaults=True):
    """One finding on the wire."""

    index: int
    code: str = ""
    message: Annotated[str, msgspec.Meta(max_length=MESSAGE_CHARS_MAX)] = ""


class AnswerBody(msgspec.Struct):
    """The answer on the wire."""

    findings: list[FoundBody]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpModerator:
    """Asks one address for its judgement and takes nothing but a judgement for one.

    timeout_s: for the whole exchange. secret: sent as the bearer token; "" = none is sent.
    """

    client: HttpClient
    url: str
    timeout_s: float
    secret: str = ""

    async def findings(self, stage: Stage, owner: str, shown: Sequence[Shown]) -> Sequence[Finding]:
        """See the port."""
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        with ExitStack() as opened:
            form = _form(stage, owner, shown, opened=opened)
            try:
                reply = await self.client.post_form(
                    self.url, form, timeout_s=self.timeout_s, most_bytes=ANSWER_BYTES_MAX, headers=headers
                )
            except (Refused, Unreached) as error:
                raise _unjudged(error.reason) from error
        if reply.status != OK:
            raise _unjudged(f"it answered with HTTP {reply.status}")
        try:
            answer = msgspec.json.decode(reply.body, type=AnswerBody)
        except msgspec.DecodeError as error:
            raise _unjudged(f"its answer cannot be read: {error}") from error
        return tuple(Finding(index=each.index, code=each.code, message=each.message) for each in answer.findings)


def moderator_client(url: str, resolve: Resolve) -> HttpClient:
    """Return a client that may contact this one host, also in a private network: it is the operator who names it.

    Raises: ValueError for an address without a host.
    """
    host = urlsplit(url).hostname
    if not host:
        raise ValueError(f"{url!r} is not the address of a moderator")
    return HttpClient(Guard.reading(host), resolve)


def _form(stage: Stage, owner: str, shown: Sequence[Shown], *, opened: ExitStack) -> aiohttp.FormData:
    """Return the form: the question as JSON, then each file, which is read as it is sent."""
    items: list[dict[str, Any]] = []
    files: list[tuple[str, Shown, Path]] = []
    for each in shown:
        item: dict[str, Any] = {"index": each.index, "modality": each.modality, "media_type": each.media_type}
        if each.path is None:
            item["text"] = each.text
        else:
            name = f"file{len(files)}"
            item["file"], item["size_bytes"] = name, each.path.stat().st_size
            files.append((name, each, each.path))
        items.append(item)
    form = aiohttp.FormData()
    # The question first, so that a moderator knows what the files are before they come.
    question = json.dumps({"stage": stage, "owner": owner, "items": items})
    form.add_field("request", question, content_type="application/json")
    for name, each, path in files:
        form.add_field(name, opened.enter_context(path.open("rb")), filename=name, content_type=each.media_type)
    return form


def _unjudged(why: str) -> Unavailable:
    log.error("the moderator gave no judgement: %s", why)
    message = "The request could not be judged by this server's moderator, please try again later."
    return Unavailable(Violation("ServiceUnavailable", "", message))
