"""What an `error` event means for a client: ignore it, tell it, or give up. Source: OpenAI Realtime guide, errors,
and the field's reports of clients that gave up on harmless ones."""

from __future__ import annotations

from enum import Enum, auto

from mrblue_cli.protocol.server_events import ErrorDetail


class Severity(Enum):
    """What to do about an error."""

    BENIGN = auto()
    """A race that any client runs into; nothing to tell."""
    BUSY = auto()
    """A reply is already active: ask again when it is done."""
    NOTABLE = auto()
    """Worth a line; the session goes on."""
    FATAL = auto()
    """The session cannot go on."""


_BENIGN = {
    "response_cancel_not_active",
    "input_audio_buffer_commit_empty",
    "item_truncate_invalid_item_id",
    "unsupported_content_type",
    "item_delete_invalid_item_id",
    "session_expired",  # a renewal that came too late; the close that follows is answered by a new connection
}
_FATAL = {
    "insufficient_quota",
    "invalid_api_key",
    "account_deactivated",
    "billing_hard_limit_reached",
    "invalid_model",
    "model_not_found",
    "missing_model",
    "beta_api_shape_disabled",
}


def severity_of(error: ErrorDetail) -> Severity:
    """Classify an error by its code; older and other servers leave the code out, then the message decides."""
    code, message = error.code or "", error.message.lower()
    if code == "conversation_already_has_active_response" or ("active response" in message and not code):
        return Severity.BUSY
    if not code and "buffer too small" in message:
        return Severity.BENIGN
    if code in _BENIGN or "already shorter than" in message or ("cancel" in message and "no active" in message):
        return Severity.BENIGN
    return Severity.FATAL if code in _FATAL else Severity.NOTABLE
