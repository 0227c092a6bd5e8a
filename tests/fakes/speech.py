"""A recogniser and a voice that need no models."""

from __future__ import annotations

import numpy as np

from mrblue_cli.engine.speech import Transcript


class FakeStt:
    """Hears what the test says it hears; one text per call, the last one again and again."""

    name = "fake-stt"

    def __init__(self, *texts, fails=None):
        self.texts = list(texts) or ["address already in use port 3000"]
        self.fails = fails
        self.calls = []

    def warm(self):
        if self.fails is not None:
            raise self.fails

    def transcribe(self, samples, *, prompt="", language="en"):
        self.calls.append((len(samples), prompt, language))
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        return Transcript(text, no_speech=not text)


class FakeTts:
    """Speaks a soft tone, 60 ms a word, at 22,050 Hz."""

    name = "fake-voice"
    sample_rate = 22_050

    def __init__(self, fails=None):
        self.said = []
        self.fails = fails

    def warm(self):
        if self.fails is not None:
            raise self.fails

    def speak(self, text, *, speed=1.0):
        self.said.append((text, speed))
        count = int(len(text.split()) * 0.06 * self.sample_rate / speed)
        yield (np.sin(np.arange(count) * 0.1) * 0.3).astype(np.float32)
