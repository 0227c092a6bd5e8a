"""Spoken questions for the benchmarks: made by the bundled Piper voice and by espeak-ng, nothing recorded."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.wav import parse_wav, wav_header
from mrblue_cli.engine.piper import PiperTts


@dataclass(frozen=True)
class Question:
    """What is said, how it would be written, which entry answers it."""

    spoken: str
    written: str
    entry: str


QUESTIONS = (
    Question(
        "I get address already in use on port three thousand",
        "i get address already in use on port 3000",
        "node/port-in-use",
    ),
    Question(
        "connection refused on port five four three two",
        "connection refused on port 5432",
        "node/connection-refused",
    ),
    Question(
        "npm error E A C C E S permission denied",
        "npm error eacces permission denied",
        "npm/eacces-permission-denied",
    ),
    Question(
        "module not found error, no module named pandas",
        "module not found error no module named pandas",
        "python/module-not-found",
    ),
    Question(
        "my request is blocked by CORS policy",
        "my request is blocked by cors policy",
        "cors/blocked-by-cors-policy",
    ),
    Question("there is no space left on device", "there is no space left on device", "linux/no-space-left"),
    Question(
        "cannot connect to the docker daemon",
        "cannot connect to the docker daemon",
        "docker/daemon-not-running",
    ),
    Question(
        "git says you are in detached head state",
        "git says you are in detached head state",
        "git/detached-head",
    ),
    Question(
        "failed to push some refs, updates were rejected",
        "failed to push some refs updates were rejected",
        "git/non-fast-forward",
    ),
    Question(
        "javascript heap out of memory during the build",
        "javascript heap out of memory during the build",
        "node/heap-out-of-memory",
    ),
    Question("the SSL certificate has expired", "the ssl certificate has expired", "ssl-tls/certificate-expired"),
    Question("curl could not resolve host", "curl could not resolve host", "dns-network/could-not-resolve-host"),
    Question(
        "bash says kubectl command not found",
        "bash says kubectl command not found",
        "shell/command-not-found",
    ),
    Question("nginx answers five oh two bad gateway", "nginx answers 502 bad gateway", "nginx/bad-gateway"),
    Question(
        "open AI rate limit reached, error four twenty nine",
        "openai rate limit reached error 429",
        "llm-api/rate-limit",
    ),
    Question("permission denied public key", "permission denied public key", "ssh/permission-denied-publickey"),
    Question("too many open files", "too many open files", "linux/too-many-open-files"),
    Question("sqlite says the database is locked", "sqlite says the database is locked", "sqlite/database-locked"),
    Question(
        "the pod is in crash loop back off",
        "the pod is in crash loop back off",
        "kubernetes/crash-loop-back-off",
    ),
    Question(
        "java out of memory error, java heap space",
        "java out of memory error java heap space",
        "java/heap-space",
    ),
    Question(
        "password authentication failed for user postgres",
        "password authentication failed for user postgres",
        "postgres/password-failed",
    ),
    Question("port audio library not found", "port audio library not found", "audio/portaudio-missing"),
    Question("react invalid hook call", "react invalid hook call", "react/invalid-hook-call"),
    Question("the J W T token has expired", "the jwt token has expired", "auth/jwt-expired"),
)  # fmt: skip


class Voices:
    """Speaks with Piper, and with espeak-ng where it is installed (a hard, robotic voice: a lower bound)."""

    def __init__(self) -> None:
        self._piper = PiperTts(voice=None)
        self._piper.warm()
        self.names = ("piper", "espeak") if shutil.which("espeak-ng") else ("piper",)

    def speak(self, text: str, voice: str) -> np.ndarray:
        """Samples at 24 kHz in -1..1."""
        if voice == "piper":
            return convert(np.concatenate(list(self._piper.speak(text))), self._piper.sample_rate, RATE)
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["espeak-ng", "-s", "150", "-w", file.name, text], check=True)
            wav = parse_wav(Path(file.name).read_bytes(), "espeak")
        return convert(wav.samples, wav.rate, RATE)


def save(samples: np.ndarray, path: Path) -> None:
    """Write PCM16 mono 24 kHz."""
    path.write_bytes(wav_header(len(samples)) + to_pcm(samples).astype("<i2").tobytes())
