"""An engine with fake models on a real loopback socket."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.assistant.brain import KnowledgeBrain, LadderBrain
from mrblue_cli.audio.pcm import to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.wav import parse_wav
from mrblue_cli.engine.options import EngineOptions
from mrblue_cli.engine.server import EngineServer
from mrblue_cli.knowledge.base import load_base
from tests.fakes.speech import FakeStt, FakeTts

QUESTION = Path(__file__).parent.parent.parent / "mrblue_cli" / "data" / "question.wav"


@asynccontextmanager
async def running_engine(stt=None, tts=None, brain=None, **options):
    """Yields (server, address)."""
    knowledge = KnowledgeBrain(load_base())
    server = EngineServer(
        EngineOptions(cache_folder=Path("unused"), **options),
        stt=stt or FakeStt(),
        tts=tts or FakeTts(),
        brain=brain or LadderBrain(knowledge),
        preview=knowledge.try_answer,
        prompt="expect errors",
    )
    address = await server.start()
    try:
        yield server, address
    finally:
        await server.close()


@pytest.fixture
def engine():
    return running_engine


def spoken_question():
    """The bundled question with a second of silence after it: PCM16 mono 24 kHz."""
    wav = parse_wav(QUESTION.read_bytes(), "question.wav")
    pcm = to_pcm(convert(wav.samples, wav.rate, 24_000))
    quiet = np.zeros(24_000, dtype=np.int16)
    return np.concatenate((quiet[:7200], pcm, quiet)).astype("<i2").tobytes()
