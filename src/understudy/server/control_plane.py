"""Ark's control plane, as far as the library of assets: ``POST /?Action=...&Version=2024-01-01``, in its envelope.

A request is signed with access key and secret, as Volcengine's SDKs do, or carries the API key as everywhere else.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from understudy.core.errors import NotFound, Rejected, UnderstudyError, Violation
from understudy.dialects.ark_assets import ACTIONS, NOT_OFFERED, VERSION, Metadata, encode_refusal, encode_result
from understudy.server.asset_actions import Done, perform
from understudy.server.body import BodyReader
from understudy.server.endpoint import Call, ClientGone, printable
from understudy.server.reply import Reply
from understudy.server.signatures import SERVICE, HashedBody, SignatureRefused, SignedRequest, is_signed
from understudy.server.signatures import owner_of_signature as signed_by
from understudy.server.warned import answered

REGION = "cn-beijing"
"""Where Ark's control plane is; what a request was signed for is repeated, and this where nothing was signed."""

_QUERY_FIELDS_MAX = 100


class ControlPlane:
    """The one handler; an open endpoint leads here, because who calls is found out here."""

    def __init__(self, bodies: BodyReader) -> None:
        self._bodies = bodies

    async def answer(self, call: Call) -> Reply:
        """Do what the query's Action says."""
        query = dict(_query(call))
        metadata = Metadata(
            request_id=call.request_id,
            action=printable(query.get("Action", "")),
            version=printable(query.get("Version", "")),
            service=SERVICE,
            region=_region(call),
        )
        try:
            result, told = await self._perform(call, query)
        except ClientGone:
            raise
        except UnderstudyError as error:
            word = error.word if isinstance(error, SignatureRefused) else ""
            refusal = encode_refusal(error.violation, metadata, word=word)
            return Reply(refusal.status, refusal.body)
        return answered(encode_result(result, metadata), told)

    async def _perform(self, call: Call, query: Mapping[str, str]) -> Done:
        fields = await self._fields(call)
        action, version = query.get("Action", ""), query.get("Version", "")
        if action in NOT_OFFERED:
            message = (
                f"The action {action} is not offered: it checks the face of a real person with Volcengine's own "
                "service. Register pictures of people with CreateAsset; this server asks for no such check."
            )
            raise Rejected(Violation("InvalidParameter.UnsupportedParameter", "Action", message))
        if action not in ACTIONS or version != VERSION:
            message = (
                f"There is no action {printable(action)!r} of version {printable(version)!r}; of version {VERSION} "
                f"there are {', '.join(ACTIONS)}."
            )
            raise NotFound(Violation("NotFound.Path", "Action", message))
        return await perform(call, action, fields)

    async def _fields(self, call: Call) -> Mapping[str, Any]:
        """Find out who calls, and read the body."""
        authorization = call.headers.get(b"authorization")
        if not is_signed(authorization):
            call.owner = call.house.keys.key_of(authorization).owner
            return await self._bodies.read(call)
        scope, house = call.scope, call.house
        request = SignedRequest(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=call.headers,
            public_url=house.public_url,
        )
        call.owner = signed_by(house.keys, request, house.clock.now())
        body = HashedBody(call.receive)
        call.receive = body.receive
        fields = await self._bodies.read(call)
        body.check(request)
        return fields


def _query(call: Call) -> list[tuple[str, str]]:
    text = call.scope["query_string"].decode("ascii", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        return []


def _region(call: Call) -> str:
    scope = call.headers.get(b"authorization", b"").partition(b"Credential=")[2].split(b"/")
    return printable(scope[2].decode("latin-1")) if len(scope) > 3 else REGION
