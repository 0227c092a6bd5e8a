"""When a turn ends: by what was said, and by silence alone. Cut-offs and delay over spoken utterances (Piper, the real
voice detection, the real recogniser, its time counted), and over written ones in English and Spanish."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.questions import QUESTIONS, Voices
from bench.report import arguments, percentile, show
from mrblue_cli.assistant.turn_end import judge
from mrblue_cli.audio.pcm import BLOCK, RATE, Pcm, to_pcm
from mrblue_cli.audio.segmenter import SpeechEnded, SpeechPaused, SpeechResumed
from mrblue_cli.engine.detection import PATIENCE, Ear
from mrblue_cli.engine.vocabulary import recogniser_prompt
from mrblue_cli.engine.whisper import WhisperStt
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol.session import SemanticVad, ServerVad, TurnDetection

WAYS: dict[str, TurnDetection] = {
    "silence 500 ms": ServerVad(silence_duration_ms=500),
    "silence 800 ms": ServerVad(silence_duration_ms=800),
    "meaning": SemanticVad(),
}
PAUSES = (0.6, 0.8, 1.0, 1.2, 1.5)
HESITATING = (
    ("my error is um", "address already in use on port three thousand"),
    ("the message says", "permission denied"),
    ("I am trying to", "install the package with pip"),
    ("how do I", "undo the last commit"),
    ("I get a", "type error in my component"),
    ("so I ran npm install and", "it failed with E A C C E S"),
    ("the container stops because", "it runs out of memory"),
    ("it says that the", "certificate has expired"),
    ("my problem is", "the database is locked"),
    ("I need help with", "a failing docker build"),
    ("can you tell me", "what a deadlock is"),
    ("when I push to", "the main branch it is rejected"),
    ("I think the port is", "five four three two"),
    ("the error is uh", "no module named pandas"),
    ("the build fails", "with exit code one"),
    ("it cannot find the file", "in the config folder"),
)
ANSWERS = ("yes", "no", "thanks", "stop", "okay thank you", "continue", "please repeat", "that is all")
SPANISH = (
    (("mi error es", "puerto en uso"), ("estoy intentando", "instalar el paquete"), ("me sale un", "error de permisos"),
     ("no encuentro el módulo de", "pandas"), ("el problema es que", "la base de datos está bloqueada"),
     ("cómo puedo", "deshacer el último commit")),
    ("sí", "no", "gracias", "el puerto 3000 ya está en uso", "¿cómo lo arreglo?", "conexión rechazada al servidor",
     "el certificado ha caducado", "no hay espacio en el disco", "para", "me sale permiso denegado"),
)  # fmt: skip
RECOGNITION_MS = 300
"""Assumed for the written ones: recognition takes so long after the pause was noticed."""


@dataclass
class Outcome:
    """How one utterance fared: was it cut in the middle, and how long after its end an answer could begin, in ms.

    That takes two things: the turn is over, and its words are known.
    """

    cut: bool
    delay_ms: float


def quiet(seconds: float) -> np.ndarray:
    """Room noise, very soft."""
    return np.random.default_rng(5).normal(0, 0.0005, int(seconds * RATE)).astype(np.float32)


class Recogniser:
    """The real one. What it has heard once it remembers, with the time that took: all ways are measured alike."""

    def __init__(self) -> None:
        cache = Path(tempfile.gettempdir()) / "mrblue-bench-models"
        self._stt = WhisperStt(model=None, cache_folder=cache, threads=2)
        self._stt.warm()
        self._prompt = recogniser_prompt(load_base().vocabulary())
        self._heard: dict[bytes, tuple[str, float]] = {}

    def hear(self, samples: np.ndarray) -> tuple[str, float]:
        """The words, and the seconds they took."""
        key = samples.tobytes()
        if key not in self._heard:
            began = time.perf_counter()
            text = self._stt.transcribe(samples, prompt=self._prompt, language="en").text
            self._heard[key] = (text, time.perf_counter() - began)
        return self._heard[key]

    @property
    def seconds(self) -> list[float]:
        """How long each pass took."""
        return [took for _, took in self._heard.values()]


def run(pcm: Pcm, detection: TurnDetection, recogniser: Recogniser) -> Outcome:
    """Let the engine's ear hear it; recognition takes as much of the recording's time as it really does."""
    ear = Ear()
    ear.configure(detection)
    known, verdict = 0.0, None
    ends: list[SpeechEnded] = []
    for start in range(0, len(pcm) - BLOCK, BLOCK):
        now = start + BLOCK
        for boundary in ear.feed(pcm[start:now].astype("<i2").tobytes(), replying=False):
            if isinstance(boundary, SpeechPaused):
                text, seconds = recogniser.hear(ear.audio())
                verdict, known = judge(text), now + seconds * RATE
            elif isinstance(boundary, SpeechResumed):
                verdict = None
            elif isinstance(boundary, SpeechEnded):
                ends.append(boundary)
                ear.forget()
                verdict = None
        if verdict is not None and now >= known:
            ear.judged(verdict)
            verdict = None
    last = ends[-1]
    return Outcome(len(ends) > 1, (max(last.at_sample, known) - last.speech_end_sample) * 1000 / RATE)


def written(parts: tuple[str, ...], pause: float, silence_ms: int | None) -> Outcome:
    """The same with the words known: after each part, how long would the ear wait?"""

    def wait(text: str) -> float:
        if silence_ms is not None:
            return silence_ms
        patience = PATIENCE["auto"]
        return max(patience.after(judge(text)), 120 + RECOGNITION_MS)

    cut = any(wait(" ".join(parts[:count])) < pause * 1000 for count in range(1, len(parts)))
    return Outcome(cut, wait(" ".join(parts)))


def rows_of(name: str, outcomes: dict[str, list[Outcome]], *, cuts: bool) -> list[tuple[str, str, str]]:
    """One row for each way."""
    rows = []
    for way, found in outcomes.items():
        delays = [one.delay_ms for one in found]
        text = f"p50 {statistics.median(delays):.0f} p95 {percentile(delays, 0.95):.0f} ms"
        if cuts:
            text = f"{sum(one.cut for one in found)} of {len(found)} cut off; {text}"
        rows.append((f"{name}: {way}", text, ""))
    return rows


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--only-written", action="store_true", help="no voice, no recogniser")
    options = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    silences = {"silence 500 ms": 500, "silence 800 ms": 800, "meaning": None}
    english = [written(parts, PAUSES[i % 5], None) for i, parts in enumerate(HESITATING)]
    figures: dict[str, object] = {"written_english_cut": sum(one.cut for one in english)}
    for title, pairs, whole in (
        ("written, English", HESITATING, (*ANSWERS, *(question.written for question in QUESTIONS))),
        ("written, Spanish", *SPANISH),
    ):
        hesitating = {
            way: [written(parts, PAUSES[i % 5], ms) for i, parts in enumerate(pairs)] for way, ms in silences.items()
        }
        complete = {way: [written((text,), 0, ms) for text in whole] for way, ms in silences.items()}
        rows += rows_of(f"{title}, pauses inside", hesitating, cuts=True)
        rows += rows_of(f"{title}, complete", complete, cuts=False)
    if not options.only_written:
        rows += spoken(options.questions, figures)
    show("end of turn", rows, figures, options.json)


def spoken(questions: int, figures: dict[str, object]) -> list[tuple[str, str, str]]:
    """Piper speaks, the engine's ear and recogniser listen."""
    voices = Voices()
    recogniser = Recogniser()
    groups: dict[str, list[np.ndarray]] = {"pauses inside": [], "complete": [], "one or two words": []}
    for number, parts in enumerate(HESITATING):
        pieces = [quiet(0.5)]
        for part in parts:
            pieces += [voices.speak(part, "piper"), quiet(PAUSES[number % 5])]
        groups["pauses inside"].append(np.concatenate(pieces))
    for name, texts in (("complete", [q.spoken for q in QUESTIONS[:questions]]), ("one or two words", ANSWERS)):
        groups[name] += [np.concatenate((quiet(0.5), voices.speak(text, "piper"))) for text in texts]
    rows = []
    for name, recordings in groups.items():
        outcomes: dict[str, list[Outcome]] = {}
        for way, detection in WAYS.items():
            outcomes[way] = [
                run(to_pcm(np.concatenate((sound, quiet(3.5)))), detection, recogniser) for sound in recordings
            ]
        rows += rows_of(f"spoken, {name}", outcomes, cuts=True)
        figures[name] = {way: [(one.cut, one.delay_ms) for one in found] for way, found in outcomes.items()}
    passes = [seconds * 1000 for seconds in recogniser.seconds]
    rows.append(
        ("recognition, a pass", f"p50 {statistics.median(passes):.0f} p95 {percentile(passes, 0.95):.0f} ms", "")
    )
    return rows


if __name__ == "__main__":
    main()
