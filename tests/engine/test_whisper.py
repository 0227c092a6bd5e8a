"""Which of the decoder's readings of a turn is taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mrblue_cli.engine.whisper import WhisperStt

SPEECH = np.full(16_000, 0.1, dtype=np.float32)
ERROR = "address already in use"


class Decoder(WhisperStt):
    """The recogniser with readings (text, score, probability of silence) by language instead of a model."""

    def __init__(self, **readings):
        super().__init__(model=None, cache_folder=Path())
        self._readings = readings
        self.asked = []

    def _decode(self, samples, margin, prompt, language):
        self.asked.append(language)
        return self._readings[language]


@pytest.mark.parametrize(
    ("language", "readings", "heard"),
    [
        ("es", {"es": ("la darena en uso", -1.9, 0.0), "en": (ERROR, -0.1, 0.0)}, ERROR),
        ("es", {"es": ("no encuentra npm", -0.3, 0.0)}, "no encuentra npm"),
        ("es", {"es": ("y", -5.3, 0.9)}, ""),
        ("es", {"es": ("eh", -1.9, 0.1), "en": ("a", -1.8, 0.1)}, ""),
        ("es", {"es": ("casi", -1.2, 0.1), "en": ("cash", -1.1, 0.1)}, "casi"),
        ("en", {"en": ("oil", -1.8, 0.1)}, ""),
    ],
)
def test_an_error_read_out_in_english_is_heard_in_a_talk_in_another_language(language, readings, heard):
    decoder = Decoder(**readings)
    transcript = decoder.transcribe(SPEECH, language=language)
    assert (transcript.text, transcript.no_speech) == (heard, not heard)
    assert set(decoder.asked) == set(readings)
