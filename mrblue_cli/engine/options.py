"""Options of the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass
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
    vocabulary_prompt: bool = True
    """Tell the recogniser which words to expect."""
    session_limit_seconds: float = 3600.0
