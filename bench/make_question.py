"""Make the bundled spoken question anew: `python -m bench.make_question`. Speech comes from the bundled Piper voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mrblue_cli.audio.pcm import RATE, to_pcm
from mrblue_cli.audio.resample import convert
from mrblue_cli.audio.wav import wav_header
from mrblue_cli.engine.piper import PiperTts

TEXT = "I get address already in use on port three thousand."
TARGET = Path(__file__).parent.parent / "mrblue_cli" / "data" / "question.wav"


def main() -> None:
    """Speak and write."""
    voice = PiperTts(voice=None)
    voice.warm()
    samples = convert(np.concatenate(list(voice.speak(TEXT))), voice.sample_rate, RATE)
    TARGET.write_bytes(wav_header(len(samples)) + to_pcm(samples).astype("<i2").tobytes())
    print(f"wrote {TARGET}, {len(samples) / RATE:.1f} s")


if __name__ == "__main__":
    main()
