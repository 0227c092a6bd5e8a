"""Options of the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where to listen and how to hear and speak."""

    cache_folder: Path
    """Where the bundled recogniser's parts are joined once (about 145 MB)."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free port."""
    token: str = ""
    """Empty: a random one is made at start."""
    stt_model: Path | None = None
    """A folder with a CTranslate2 Whisper model; None: the bundled base model."""
    tts_voice: Path | None = None
    """A Piper `.onnx` voice with its `.onnx.json` beside it; None: the bundled English voice."""
    threads: int = 2
    language: str = "en"
    session_limit_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class RemoteSpeechOptions:
    """Transcription and speech as single requests to an OpenAI-compatible service."""

    transcription_model: str
    speech_model: str
    voice: str
    base_url: str | None = None
    """None: OpenAI's own."""
    api_key: str = field(default="", repr=False)
    connect_seconds: float = 5.0
    answer_seconds: float = 8.0
    """Until an answer begins, and between two pieces of it: somebody waits."""
