"""Who asks: from a request's headers to a caller, or to the fault that it is answered with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from mrblue_cli.gateway.access.keys import ANONYMOUS, PREFIX, Caller, KeyStore, KeysUnavailable
from mrblue_cli.gateway.model import Fault, FaultKind

_LONGEST = 512
_HOW = "Send it as 'Authorization: Bearer mrb_…' (or x-api-key, or api-key)."
_WEBSOCKET_KEY = "openai-insecure-api-key."


@lru_cache(maxsize=32)
def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there. A name other than localhost may lead anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def key_required(host: str, require_key: bool | None) -> bool:
    """The rule: as configured, and else only when listening beyond loopback."""
    return not is_loopback(host) if require_key is None else require_key


class Door:
    """Lets callers in."""

    def __init__(self, store: KeyStore | None, *, required: bool) -> None:
        self._store = store
        self._required = required

    def caller(self, headers: Mapping[str, str], now: float) -> Caller | Fault:
        """Whoever asks. Header names are lower case (or the mapping does not care); `now` is Unix seconds.

        Where no key is required, what clients send as a placeholder is ignored; a key of ours is looked at all the
        same, so that its limits hold and a revoked one stays revoked.
        """
        token = presented(headers)
        if token.startswith(PREFIX) and self._store is not None:
            try:
                caller = self._store.verify(token, now) if len(token) <= _LONGEST else None
            except KeysUnavailable:
                return Fault(
                    kind=FaultKind.OVERLOADED, status=503, type="server_error", code="keys_unavailable",
                    message="The gateway cannot read its keys at the moment.",
                )  # fmt: skip
            return caller or _refused("The key is unknown, expired or revoked.", "invalid_api_key")
        if not self._required:
            return ANONYMOUS
        if token:
            return _refused(f"This is no key of this gateway: its keys begin with {PREFIX}. {_HOW}", "invalid_api_key")
        return _refused(f"A key of this gateway is needed. {_HOW}", None)


def presented(headers: Mapping[str, str]) -> str:
    """The token that a request carries, in whichever of the usual places; one of ours goes first. Empty: none."""
    found = []
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        found.append(rest.strip())
    found += [headers.get("x-api-key", "").strip(), headers.get("api-key", "").strip()]
    # Browsers cannot set headers on a websocket: OpenAI's clients put the key among the subprotocols there.
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(_WEBSOCKET_KEY):
            found.append(protocol.strip().removeprefix(_WEBSOCKET_KEY))
    given = [token for token in found if token]
    return next((token for token in given if token.startswith(PREFIX)), given[0] if given else "")


def model_fault(caller: Caller, *names: str) -> Fault | None:
    """Why the caller may not use a model, given by the names it goes by; None when it may."""
    if caller.allows(*names):
        return None
    return Fault(
        kind=FaultKind.AUTH, status=403, type="invalid_request_error", code="model_not_allowed", param="model",
        message="This key may not use that model.",
    )  # fmt: skip


def _refused(message: str, code: str | None) -> Fault:
    return Fault(kind=FaultKind.AUTH, status=401, type="invalid_request_error", code=code, message=message)
