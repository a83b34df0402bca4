"""Callbacks on the wire: signed, and posted to where their caller wants them, behind the guard.

An address is judged when the task is created as far as it can be without asking for its name, and again at each try
with all that the name means then.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from understudy.core.callbacks import Callback
from understudy.core.case import invalid
from understudy.core.errors import Violation
from understudy.dialects.webhook_signature import Signed, secret_text
from understudy.net.guard import Guard, literal
from understudy.net.http import HttpClient, Unreached
from understudy.net.web_address import Refused, web_address
from understudy.service.callbacks import Posted

PARAM = "callback_url"
ABOUT = "x-understudy-callback"
"""Says more than Standard Webhooks does: the task's internal id, the change's number, and the number of this try."""


class CallbackKeys:
    """The keys that callbacks are signed with, one for each owner; all follow from the server's secret.

    Every server with the same secret signs alike, and none is stored.
    """

    def __init__(self, secret: bytes) -> None:
        if not secret:
            msg = "the secret that signs callbacks is empty"
            raise ValueError(msg)
        # A key of its own, because the same secret also signs result links.
        self._key = hmac.digest(secret, b"understudy callbacks", "sha256")

    def key(self, owner: str) -> bytes:
        """Return an owner's key, 32 bytes."""
        return hmac.digest(self._key, owner.encode("utf-8", "surrogatepass"), "sha256")

    def secret(self, owner: str) -> str:
        """Return it as the owner needs it to check signatures."""
        return secret_text(self.key(owner))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCourier:
    """Posts callbacks. client: of a guard of its own. timeout_s: until the answer has begun, names asked for included.

    What the other side answers is its status; nothing of the body is waited for.
    """

    client: HttpClient
    keys: CallbackKeys
    timeout_s: float

    async def deliver(self, callback: Callback, body: bytes, *, now: datetime) -> Posted:
        """See `service.callbacks.Courier`."""
        try:
            status = await self.client.post_for_status(
                callback.target.url, body, timeout_s=self.timeout_s, headers=self._headers(callback, body, now)
            )
        except Refused as error:
            # What exactly is behind a name of the operator's own network is nobody else's to know.
            return Posted(fault="the address is not one that this server may contact", reason=error.reason)
        except Unreached as error:
            return Posted(fault=error.reason.partition(": ")[0], reason=error.reason)
        if status in range(300, 400):
            return Posted(status=status, fault=f"the answer was HTTP {status}, and redirects are not followed")
        return Posted(status=status, fault="" if status in range(200, 300) else f"the answer was HTTP {status}")

    def _headers(self, callback: Callback, body: bytes, now: datetime) -> Mapping[str, str]:
        signed = Signed(id=callback.id, epoch_s=int(now.timestamp()), body=body)
        about = f"{callback.task.id} {callback.number} {callback.tries}"
        return {**signed.headers(self.keys.key(callback.task.owner)), ABOUT: about}


def callback_refusal(url: str, guard: Guard) -> Violation | None:
    """Return why nothing would ever be sent to an address, as far as that is seen without asking for its name."""
    try:
        host = web_address(url, guard).raw_host or ""
    except Refused as error:
        return invalid(PARAM, f"{error.reason}.")
    refusal = guard.refusal(host, host) if literal(host) is not None else ""
    return invalid(PARAM, f"{refusal}.") if refusal else None
