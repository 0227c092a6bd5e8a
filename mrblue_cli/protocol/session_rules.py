"""What our server accepts in a session or a response request. Every fault names its parameter.

Bounds: OpenAI Realtime API reference (session and response objects).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from mrblue_cli.protocol.client_events import ResponseRequest
from mrblue_cli.protocol.codec import EventFault
from mrblue_cli.protocol.session import SAMPLE_RATE, AudioFormat, ServerVad, Session, turn_detection_of

MAX_EVENT_ID_CHARS = 512
MAX_METADATA_PAIRS = 16
MAX_METADATA_KEY_CHARS = 64
MAX_METADATA_VALUE_CHARS = 512
MAX_OUTPUT_TOKENS = 4096


def check_event_id(event_id: str) -> None:
    """Raises `EventFault` for an event id that is too long to echo."""
    if len(event_id) > MAX_EVENT_ID_CHARS:
        message = f"Invalid 'event_id': string too long. Expected at most {MAX_EVENT_ID_CHARS} characters."
        raise EventFault("string_above_max_length", message, param="event_id")


def check_session(session: Session) -> None:
    """Raises `EventFault` for a configuration that cannot be served; call it before anything changes."""
    if session.output_modalities is not UNSET:
        _check_modalities("session.output_modalities", session.output_modalities)
    if session.max_output_tokens is not UNSET:
        _check_tokens("session.max_output_tokens", session.max_output_tokens)
    if session.temperature is not UNSET:
        _check_range("session.temperature", session.temperature, 0.6, 1.2)
    if session.audio is not UNSET:
        if session.audio.input is not UNSET and session.audio.input.format is not UNSET:
            _check_format("session.audio.input.format", session.audio.input.format)
        if session.audio.output is not UNSET:
            output = session.audio.output
            if output.format is not UNSET:
                _check_format("session.audio.output.format", output.format)
            if output.speed is not UNSET:
                _check_range("session.audio.output.speed", output.speed, 0.25, 1.5)
    detection = turn_detection_of(session)
    if isinstance(detection, ServerVad):
        _check_vad(detection)


def check_request(request: ResponseRequest) -> None:
    """Raises `EventFault` for a response request that cannot be served."""
    if request.output_modalities is not UNSET:
        _check_modalities("response.output_modalities", request.output_modalities)
    if request.max_output_tokens is not UNSET:
        _check_tokens("response.max_output_tokens", request.max_output_tokens)
    output = request.audio.output if request.audio is not UNSET else UNSET
    if output is not UNSET and output.format is not UNSET:
        _check_format("response.audio.output.format", output.format)
    if isinstance(request.metadata, dict):
        _check_metadata(request.metadata)


def _check_vad(detection: ServerVad) -> None:
    where = "session.audio.input.turn_detection"
    _check_range(f"{where}.threshold", detection.threshold, 0.0, 1.0)
    _check_range(f"{where}.silence_duration_ms", detection.silence_duration_ms, 100, 10_000)
    _check_range(f"{where}.prefix_padding_ms", detection.prefix_padding_ms, 0, 5_000)
    if isinstance(detection.idle_timeout_ms, int):
        _check_range(f"{where}.idle_timeout_ms", detection.idle_timeout_ms, 5_000, 30_000)


def _check_modalities(where: str, modalities: Sequence[str]) -> None:
    if len(modalities) != 1:
        raise EventFault("invalid_value", "Invalid modalities: choose either ['text'] or ['audio'].", param=where)


def _check_format(where: str, audio: AudioFormat) -> None:
    if audio.type != "audio/pcm":
        raise EventFault("invalid_value", "This server speaks audio/pcm only.", param=f"{where}.type")
    if audio.rate is not UNSET and audio.rate != SAMPLE_RATE:
        message = f"Invalid '{where}.rate': expected {SAMPLE_RATE}, but got {audio.rate}."
        raise EventFault("integer_below_min_value", message, param=f"{where}.rate")


def _check_tokens(where: str, tokens: int | str) -> None:
    if isinstance(tokens, int):
        _check_range(where, tokens, 1, MAX_OUTPUT_TOKENS)


def _check_range(where: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise EventFault("invalid_value", f"Invalid '{where}': expected {low} to {high}, but got {value}.", param=where)


def _check_metadata(metadata: dict[str, str]) -> None:
    where = "response.metadata"
    if len(metadata) > MAX_METADATA_PAIRS:
        raise EventFault("invalid_value", f"Invalid '{where}': at most {MAX_METADATA_PAIRS} pairs.", param=where)
    for key, value in metadata.items():
        if len(key) > MAX_METADATA_KEY_CHARS or len(value) > MAX_METADATA_VALUE_CHARS:
            message = (
                f"Invalid '{where}': keys have at most {MAX_METADATA_KEY_CHARS} characters, "
                f"values {MAX_METADATA_VALUE_CHARS}."
            )
            raise EventFault("string_above_max_length", message, param=where)
