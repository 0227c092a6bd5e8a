"""The error bodies of the three surfaces, and faults read from the errors that a native stream reports.

Types by status: Anthropic's from its page "Errors", OpenAI's from its error guide.
"""

from __future__ import annotations

from typing import Any

from mrblue_cli.gateway.model import Fault, FaultKind, Json
from mrblue_cli.gateway.providers.faults import tidy
from mrblue_cli.gateway.surfaces.fields import table, text

_STATUS = {
    FaultKind.CONNECT: 502,
    FaultKind.RATE_LIMITED: 429,
    FaultKind.QUOTA: 429,
    FaultKind.OVERLOADED: 503,
    FaultKind.SERVER: 500,
    FaultKind.TIMEOUT: 504,
    FaultKind.BROKEN: 502,
    FaultKind.AUTH: 401,
    FaultKind.NOT_FOUND: 404,
    FaultKind.BAD_REQUEST: 400,
    FaultKind.CONTEXT_TOO_LONG: 400,
    FaultKind.CONTENT_FILTER: 400,
    FaultKind.UNSUPPORTED: 400,
}

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
_OPENAI_CODES = {
    FaultKind.RATE_LIMITED: "rate_limit_exceeded",
    FaultKind.QUOTA: "insufficient_quota",
    FaultKind.CONTEXT_TOO_LONG: "context_length_exceeded",
    FaultKind.CONTENT_FILTER: "content_filter",
    FaultKind.NOT_FOUND: "model_not_found",
}

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ANTHROPIC_KINDS = {
    "invalid_request_error": FaultKind.BAD_REQUEST,
    "authentication_error": FaultKind.AUTH,
    "billing_error": FaultKind.QUOTA,
    "permission_error": FaultKind.AUTH,
    "not_found_error": FaultKind.NOT_FOUND,
    "timeout_error": FaultKind.TIMEOUT,
    "request_too_large": FaultKind.CONTEXT_TOO_LONG,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "api_error": FaultKind.SERVER,
    "overloaded_error": FaultKind.OVERLOADED,
}

_OPENAI_FAULTS = {
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "insufficient_quota": FaultKind.QUOTA,
    "context_length_exceeded": FaultKind.CONTEXT_TOO_LONG,
    "content_filter": FaultKind.CONTENT_FILTER,
    "content_policy_violation": FaultKind.CONTENT_FILTER,
    "image_content_policy_violation": FaultKind.CONTENT_FILTER,
    "bio_policy": FaultKind.CONTENT_FILTER,
    "invalid_prompt": FaultKind.CONTENT_FILTER,
    "invalid_request_error": FaultKind.BAD_REQUEST,
    "model_not_found": FaultKind.NOT_FOUND,
    "invalid_api_key": FaultKind.AUTH,
}
"""Codes and types of OpenAI's errors. `invalid_prompt` is its word for a prompt that its policy refuses."""


def status_of(fault: Fault) -> int:
    """The HTTP status that says this fault to a client, when nobody has chosen one."""
    return _STATUS[fault.kind]


def openai_error(fault: Fault, status: int) -> Json:
    """OpenAI's error body: `{"error": {"message", "type", "param", "code"}}`."""
    default = "invalid_request_error" if 400 <= status < 500 else "server_error"
    return {
        "error": {
            "message": fault.message,
            "type": fault.type or _OPENAI_TYPES.get(status, default),
            "param": fault.param,
            "code": fault.code or _OPENAI_CODES.get(fault.kind),
        }
    }


def anthropic_error(fault: Fault, status: int) -> Json:
    """Anthropic's error body. `request_id` is the server's to fill in."""
    kind = fault.type if fault.type in _ANTHROPIC_KINDS else ""
    default = "invalid_request_error" if 400 <= status < 500 else "api_error"
    message = f"{fault.param}: {fault.message}" if fault.param and fault.param not in fault.message else fault.message
    return {
        "type": "error",
        "error": {"type": _ANTHROPIC_TYPES.get(status, kind or default), "message": message},
        "request_id": None,
    }


def anthropic_fault(event: Json) -> Fault:
    """What an `error` event of Anthropic's means."""
    error = table(event.get("error"))
    kind = text(error.get("type"))
    return Fault(
        kind=_ANTHROPIC_KINDS.get(kind, FaultKind.SERVER),
        message=_shown(error) or "The provider reported an error inside its stream.",
        type=kind,
    )


def openai_fault(error: Json) -> Fault:
    """What an error object of OpenAI's (`code`, `message`, `type`, `param`) means."""
    code, kind = _word(error.get("code")), _word(error.get("type"))
    return Fault(
        kind=_OPENAI_FAULTS.get(code, _OPENAI_FAULTS.get(kind, FaultKind.SERVER)),
        message=_shown(error) or "The provider reported an error inside its answer.",
        type="" if kind == "error" else tidy(kind)[:80],
        code=tidy(code)[:80] or None,
        param=tidy(text(error.get("param")))[:200] or None,
    )


def broken(message: str) -> Fault:
    """An answer that was cut or cannot be read."""
    return Fault(kind=FaultKind.BROKEN, message=message, type="server_error", code="broken_answer")


def _shown(error: Json) -> str:
    """The provider's message on one line, masked like every other that is shown."""
    return tidy(text(error.get("message")))


def _word(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""
