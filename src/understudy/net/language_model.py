"""Ask a language model behind the API of OpenAI's chat completions for one answer in JSON."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

import msgspec

from understudy.core.render import LanguageModel
from understudy.net.guard import Guard
from understudy.net.http import HttpClient, Reply, Unreached
from understudy.net.resolve import SystemResolver
from understudy.net.web_address import Refused

ANSWER_BYTES_MAX = 1 << 20
"""Far above the longest film plan."""

SEED = 7
"""Sent with a temperature of 0, so that a model which can repeat itself does."""

OK = 200


class NoAnswer(Exception):
    """The model gave no answer that can be used. reason: half a sentence for people, without addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def ask(model: LanguageModel, *, system: str, question: str) -> bytes:
    """Return the JSON object that the model answers with, as bytes that were not judged yet.

    Raises: NoAnswer.
    """
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    try:
        reply = asyncio.run(_posted(model, messages))
    except (Refused, Unreached) as error:
        raise NoAnswer(error.reason) from error
    if reply.status != OK:
        raise NoAnswer(f"it answered with HTTP {reply.status}")
    try:
        completion = msgspec.json.decode(reply.body, type=_Completion)
    except msgspec.DecodeError as error:
        raise NoAnswer("its answer is no chat completion") from error
    if not completion.choices:
        raise NoAnswer("its answer is empty")
    return _object_in(completion.choices[0].message.content)


def _object_in(content: str) -> bytes:
    """Return the outermost JSON object of a text; models like to put words and fences around it."""
    found = re.search(r"\{.*\}", content, re.DOTALL)
    if found is None:
        raise NoAnswer("its answer holds no JSON object")
    return found[0].encode()


async def _posted(model: LanguageModel, messages: Sequence[dict[str, str]]) -> Reply:
    host = urlsplit(model.url).hostname
    if not host:
        raise NoAnswer("its address has no host")
    body = {
        "model": model.model,
        "messages": messages,
        "temperature": 0,
        "seed": SEED,
        "response_format": {"type": "json_object"},
    }
    headers = {"Authorization": f"Bearer {model.secret}"} if model.secret else {}
    with closing(SystemResolver()) as resolver:
        # It is the operator who names the host, which may be in a private network.
        client = HttpClient(Guard.reading(host), resolver)
        try:
            return await client.post_json(
                model.url.rstrip("/") + "/chat/completions",
                json.dumps(body).encode(),
                timeout_s=model.timeout_s,
                most_bytes=ANSWER_BYTES_MAX,
                headers=headers,
            )
        finally:
            await client.close()
