"""Session configuration in the GA shape, which is also our neutral one. Source: OpenAI Realtime API reference.

Absent and null mean different things on the wire: `UNSET` is "unchanged", `None` clears.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

SAMPLE_RATE = 24_000
"""Hz of PCM audio on the wire; 16-bit little-endian mono."""
BYTES_PER_MS = SAMPLE_RATE * 2 // 1000
Modality = Literal["text", "audio"]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: strict, because unknown parameters are errors (GA); unset fields never reach the wire."""


class AudioFormat(Config, frozen=True, kw_only=True):
    """`audio/pcm` at 24 kHz, or `audio/pcmu` and `audio/pcma` at 8 kHz."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: int | UnsetType = UNSET


class ServerVad(Config, frozen=True, kw_only=True, tag_field="type", tag="server_vad"):
    """Turns end after silence. All values travel explicitly: servers differ in their defaults."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | UnsetType | None = UNSET
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Config, frozen=True, kw_only=True, tag_field="type", tag="semantic_vad"):
    """Turns end when a model thinks so."""

    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = ServerVad | SemanticVad


class NoiseReduction(Config, frozen=True, kw_only=True):
    """Server-side noise reduction."""

    type: Literal["near_field", "far_field"]
    strength: float | UnsetType = UNSET


class Transcription(Config, frozen=True, kw_only=True):
    """How the server transcribes the person's speech."""

    model: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    languages: list[str] | UnsetType = UNSET
    keywords: list[str] | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    delay: str | UnsetType = UNSET


class AudioInput(Config, frozen=True, kw_only=True):
    """The person's side."""

    format: AudioFormat | UnsetType = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class AudioOutput(Config, frozen=True, kw_only=True):
    """The assistant's side."""

    format: AudioFormat | UnsetType = UNSET
    voice: str | dict[str, str] | UnsetType = UNSET
    speed: float | UnsetType = UNSET


class Audio(Config, frozen=True, kw_only=True):
    """Both sides."""

    input: AudioInput | UnsetType = UNSET
    output: AudioOutput | UnsetType = UNSET


class Session(Config, frozen=True, kw_only=True):
    """A whole configuration, or a change to one."""

    type: Literal["realtime", "transcription"] | UnsetType = UNSET
    model: str | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    output_modalities: list[Modality] | UnsetType = UNSET
    audio: Audio | UnsetType = UNSET
    tools: list[dict[str, Any]] | UnsetType = UNSET
    tool_choice: str | dict[str, Any] | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: dict[str, Any] | UnsetType | None = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    """Beta only; the GA codec never sends it and refuses it."""
    tracing: str | dict[str, Any] | UnsetType | None = UNSET
    truncation: str | dict[str, Any] | UnsetType = UNSET
    prompt: dict[str, Any] | UnsetType | None = UNSET
    include: list[str] | UnsetType | None = UNSET


def merge(base: Session, change: Session) -> Session:
    """Lay a change over a configuration; nested audio settings merge field by field, everything else replaces."""
    merged: Session = _merge(base, change)
    return merged


def _merge(base: Any, change: Any) -> Any:
    if change is UNSET:
        return base
    if isinstance(base, (Session, Audio, AudioInput, AudioOutput)) and type(base) is type(change):
        fields = {name: _merge(getattr(base, name), getattr(change, name)) for name in base.__struct_fields__}
        return type(base)(**fields)
    return change


def turn_detection_of(session: Session) -> TurnDetection | None:
    """The turn detection in force, or None when the client commits by hand."""
    if session.audio is UNSET or session.audio.input is UNSET or session.audio.input.turn_detection is UNSET:
        return None
    return session.audio.input.turn_detection


def voice_of(session: Session) -> str | None:
    """The voice's name, where one is set."""
    if session.audio is UNSET or session.audio.output is UNSET or session.audio.output.voice is UNSET:
        return None
    voice = session.audio.output.voice
    return voice if isinstance(voice, str) else voice.get("id")
