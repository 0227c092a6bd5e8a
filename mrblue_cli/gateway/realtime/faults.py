"""PURE: faults of realtime sessions: from what providers say, to what clients are told.

A provider's words before `session.created` are never shown as they are: they speak of the provider's key and address.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mrblue_cli.gateway.model import Fault, FaultKind, Json

_ENCODE = msgspec.json.Encoder().encode
_BY_CODE = {
    "invalid_api_key": FaultKind.AUTH,
    "invalid_authentication": FaultKind.AUTH,
    "account_deactivated": FaultKind.AUTH,
    "invalid_model": FaultKind.NOT_FOUND,
    "model_not_found": FaultKind.NOT_FOUND,
    "missing_model": FaultKind.NOT_FOUND,
    "insufficient_quota": FaultKind.QUOTA,
    "billing_hard_limit_reached": FaultKind.QUOTA,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "server_error": FaultKind.SERVER,
}
_WORDS = {
    FaultKind.AUTH: "refused the gateway's key",
    FaultKind.NOT_FOUND: "has no such realtime model or address",
    FaultKind.QUOTA: "has no quota left",
    FaultKind.RATE_LIMITED: "asks to slow down",
    FaultKind.OVERLOADED: "is overloaded",
    FaultKind.SERVER: "failed",
    FaultKind.TIMEOUT: "did not open a session in time",
    FaultKind.CONNECT: "cannot be reached",
    FaultKind.BROKEN: "did not speak the Realtime protocol",
    FaultKind.UNSUPPORTED: "cannot open this session",
}
CLOSE_AUTH, CLOSE_REQUEST, CLOSE_POLICY, CLOSE_FAILED, CLOSE_LATER, CLOSE_EXPIRED = 3000, 4000, 1008, 1011, 1013, 1001
_CLOSE = {
    FaultKind.AUTH: CLOSE_AUTH,
    FaultKind.NOT_FOUND: CLOSE_REQUEST,
    FaultKind.BAD_REQUEST: CLOSE_REQUEST,
    FaultKind.CONTENT_FILTER: CLOSE_REQUEST,
    FaultKind.UNSUPPORTED: CLOSE_REQUEST,
    FaultKind.QUOTA: CLOSE_POLICY,
    FaultKind.RATE_LIMITED: CLOSE_LATER,
    FaultKind.OVERLOADED: CLOSE_LATER,
}
_TYPES = {
    FaultKind.AUTH: ("invalid_request_error", "invalid_api_key"),
    FaultKind.NOT_FOUND: ("invalid_request_error", "invalid_model"),
    FaultKind.BAD_REQUEST: ("invalid_request_error", "invalid_value"),
    FaultKind.UNSUPPORTED: ("invalid_request_error", "unsupported"),
    FaultKind.QUOTA: ("insufficient_quota", "insufficient_quota"),
    FaultKind.RATE_LIMITED: ("rate_limit_error", "rate_limit_exceeded"),
}
_MAX_REASON = 120
"""Bytes of a close reason: RFC 6455 leaves 123."""


def fault_of_error(provider: str, error: Any) -> Fault:
    """What an `error` event before the session means."""
    told = error if isinstance(error, dict) else {}
    code = told.get("code") or told.get("type") or ""
    kind = _BY_CODE.get(code, FaultKind.UNSUPPORTED) if isinstance(code, str) else FaultKind.UNSUPPORTED
    return _fault(provider, kind)


def fault_of_close(provider: str, code: int, reason: str) -> Fault:
    """What a close before the session means; the reason may hold an error's code after a dot."""
    named = _BY_CODE.get(reason.removeprefix("invalid_request_error").removeprefix("."))
    if named is not None:
        return _fault(provider, named)
    kinds = {3000: FaultKind.AUTH, 4000: FaultKind.UNSUPPORTED, 1013: FaultKind.OVERLOADED, 1011: FaultKind.SERVER}
    return _fault(provider, kinds.get(code, FaultKind.CONNECT))


def fault_of_status(provider: str, status: int, retry_after: float | None = None) -> Fault:
    """What an HTTP answer to the upgrade means."""
    kinds = {401: FaultKind.AUTH, 403: FaultKind.AUTH, 404: FaultKind.NOT_FOUND, 429: FaultKind.RATE_LIMITED}
    kinds |= {408: FaultKind.TIMEOUT, 504: FaultKind.TIMEOUT, 503: FaultKind.OVERLOADED, 529: FaultKind.OVERLOADED}
    otherwise = FaultKind.SERVER if status >= 500 else FaultKind.UNSUPPORTED
    return _fault(provider, kinds.get(status, otherwise), status=status, retry_after=retry_after)


def _fault(provider: str, kind: FaultKind, status: int | None = None, retry_after: float | None = None) -> Fault:
    message = f"{provider} {_WORDS.get(kind, 'failed')}"
    return Fault(kind=kind, message=message, status=status, retry_after=retry_after)


def plain_fault(provider: str, kind: FaultKind) -> Fault:
    """A fault of the way there: no answer at all."""
    return _fault(provider, kind)


def all_failed(faults: list[Fault]) -> Fault:
    """One fault for the client when no route could carry the session; the last one decides what kind it is."""
    if not faults:
        message = "No provider is configured for this realtime model."
        return Fault(kind=FaultKind.NOT_FOUND, message=message, param="model")
    told = faults[-1]
    if any(fault.kind is FaultKind.BAD_REQUEST for fault in faults):
        return next(fault for fault in faults if fault.kind is FaultKind.BAD_REQUEST)
    kind = FaultKind.SERVER if told.kind in {FaultKind.AUTH, FaultKind.QUOTA} else told.kind  # ours, not the client's
    tried = "; ".join(dict.fromkeys(fault.message for fault in faults))
    message = f"No realtime session could be opened: {tried}."
    return Fault(kind=kind, message=message, retry_after=told.retry_after)


def error_event(fault: Fault, event_id: str, *, about: str | None = None) -> str:
    """The `error` event a client gets, the same in both dialects; `about` is the client event it answers."""
    kind, code = _TYPES.get(fault.kind, ("server_error", "server_error"))
    error: Json = {
        "type": fault.type or kind,
        "code": fault.code or code,
        "message": fault.message,
        "param": fault.param,
        "event_id": about,
    }
    return _ENCODE({"type": "error", "event_id": event_id, "error": error}).decode()


def close_of(fault: Fault) -> tuple[int, str]:
    """(close code, reason) that goes with a fault."""
    kind, code = _TYPES.get(fault.kind, ("server_error", "server_error"))
    return _CLOSE.get(fault.kind, CLOSE_FAILED), close_reason(f"{kind}.{fault.code or code}")


def close_reason(text: str) -> str:
    """Cut to what a close frame may hold."""
    return text.encode()[:_MAX_REASON].decode("utf-8", "ignore")


def close_code(code: int) -> int:
    """A code that may be sent: 1005 (none given) becomes 1000, what only the machine may say becomes 1011."""
    if code == 1005:
        return 1000
    legal = code in {1000, 1001, 1002, 1003} or 1007 <= code <= 1014 or 3000 <= code <= 4999
    return code if legal else CLOSE_FAILED
