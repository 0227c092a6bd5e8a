"""One thread for hearing, one for speaking: models are shared by all connections and take one call at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.audio.resample import Resampler
from mrblue_cli.engine.speakable import speakable
from mrblue_cli.engine.speech import Samples, SpeechToText, TextToSpeech, Transcript

_CHUNK = RATE // 5
"""200 ms a message: few enough messages, small enough to stop in time."""
_PREPARED = 4


class SpeechWorkers:
    """Puts blocking models behind awaitable calls: a `Speech` on this machine."""

    passes_are_free = True
    billed_voice = ""

    def __init__(self, stt: SpeechToText, tts: TextToSpeech) -> None:
        self.stt = stt
        self.tts = tts
        self._hearing = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._speaking = ThreadPoolExecutor(1, thread_name_prefix="tts")
        self._prepared: OrderedDict[tuple[str, float], asyncio.Future[bytes]] = OrderedDict()
        self._hearing_now = 0

    @property
    def hearing_is_idle(self) -> bool:
        """True when no recognition runs or waits: a partial one would delay nobody."""
        return self._hearing_now == 0

    async def warm(self) -> None:
        """Load both models side by side; raises what the models raise."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            loop.run_in_executor(self._hearing, self.stt.warm),
            loop.run_in_executor(self._speaking, self.tts.warm),
        )

    async def hear(self, samples: Samples, prompt: str, language: str) -> Transcript:
        """Transcribe 16 kHz samples."""
        loop = asyncio.get_running_loop()
        self._hearing_now += 1
        try:
            return await loop.run_in_executor(
                self._hearing, lambda: self.stt.transcribe(samples, prompt=prompt, language=language)
            )
        finally:
            self._hearing_now -= 1

    def prepare(self, clause: str, speed: float) -> None:
        """Speak a clause into memory, because it will probably be wanted in a moment."""
        key = (clause, speed)
        if key not in self._prepared:
            self._prepared[key] = asyncio.ensure_future(self._spoken(clause, speed))
            while len(self._prepared) > _PREPARED:
                self._prepared.popitem(last=False)

    async def say(self, clause: str, speed: float) -> AsyncIterator[bytes]:
        """Speak a clause: PCM16 mono 24 kHz in pieces of 200 ms, as soon as they are there."""
        prepared = self._prepared.pop((clause, speed), None)
        pcm = await prepared if prepared is not None else await self._spoken(clause, speed)
        for start in range(0, len(pcm), _CHUNK * 2):
            yield pcm[start : start + _CHUNK * 2]

    async def _spoken(self, clause: str, speed: float) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._speaking, self._speak, clause, speed)

    def _speak(self, clause: str, speed: float) -> bytes:
        pieces = list(self.tts.speak(speakable(clause), speed=speed))
        if not pieces:
            return b""
        resampler = Resampler(self.tts.sample_rate, RATE, "HQ")
        joined = np.concatenate([resampler.process(np.concatenate(pieces)), resampler.flush()])
        return to_pcm(joined).astype("<i2").tobytes()

    async def close(self) -> None:
        """Let the threads end; what still runs is finished first."""
        self._hearing.shutdown(wait=False, cancel_futures=True)
        self._speaking.shutdown(wait=False, cancel_futures=True)
