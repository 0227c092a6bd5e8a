"""What the vocabulary prompt and the short window do to recognition: word errors, entries found, seconds a pass."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.questions import QUESTIONS, Voices
from bench.report import arguments, show
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.resample import convert
from mrblue_cli.engine import whisper
from mrblue_cli.engine.vocabulary import recogniser_prompt
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.knowledge.normalize import spoken_to_text


def normal(text: str) -> list[str]:
    """Words for counting: lower case, digits for spelled numbers, camel case and punctuation apart, one spelling."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    text = re.sub(r"[^a-z0-9 ]", " ", spoken_to_text(text).lower())
    for old, new in (("open ai", "openai"), ("java script", "javascript"), ("publickey", "public key")):
        text = text.replace(old, new)
    return text.split()


def errors(heard: list[str], expected: list[str]) -> int:
    """Word edits between two texts (Levenshtein)."""
    row = list(range(len(expected) + 1))
    for number, word in enumerate(heard, 1):
        last, row[0] = row[0], number
        for column, other in enumerate(expected, 1):
            last, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, last + (word != other))
    return row[-1]


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    base = load_base()
    prompt = recogniser_prompt(base.vocabulary())
    cache = Path(tempfile.gettempdir()) / "mrblue-bench-models"
    stt = whisper.WhisperStt(model=None, cache_folder=cache)
    stt.warm()
    voices = Voices()
    rows, figures = [], {}
    for voice in voices.names:
        clips = []
        for question in QUESTIONS:
            samples = voices.speak(question.spoken, voice)
            padded = np.concatenate((np.zeros(RATE // 5), samples, np.zeros(RATE // 8))).astype(np.float32)
            clips.append((question, convert(padded, RATE, whisper.RATE)))
        for window, margin in (("speech + 4 s", 4.0), ("speech + 8 s", 8.0), ("30 s window", 30.0)):
            whisper.MARGIN_SECONDS = margin
            for label, words in (("with prompt", prompt), ("without", "")):
                wrong = total = found = 0
                began = time.monotonic()
                for question, clip in clips:
                    text = stt.transcribe(clip, prompt=words).text
                    expected = normal(question.written)
                    wrong += errors(normal(text), expected)
                    total += len(expected)
                    result = base.search(text)
                    found += result.confident and result.hits[0].entry.id == question.entry
                seconds = (time.monotonic() - began) / len(clips)
                name = f"{voice}, {window}, {label}"
                rows.append((name, f"{wrong / total:5.1%} {found:3}/{len(clips)} {seconds:.2f} s", ""))
                figures[name] = {"word_error_rate": wrong / total, "found": found, "seconds": seconds}
    show("recognition: word error rate, entries found, seconds a question", rows, figures, options.json)


if __name__ == "__main__":
    main()
