"""From "these 20 ms are speech" to "a person began, paused, stopped". Owns no clock and no model: time is samples."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.audio.pcm import BLOCK, RATE


@dataclass(frozen=True, slots=True)
class SegmenterOptions:
    """All in milliseconds. Defaults: the field's usual hysteresis, and the server VAD's documented silence."""

    start_ms: int = 100
    """Speech within the window before it counts; shorter bursts (a click, a cough) never do."""
    interrupt_ms: int = 300
    """The same while a reply is playing: one must mean it."""
    window_ms: int = 300
    """Speech is counted over this window, so that one quiet block inside a word does not restart the count."""
    hint_ms: int = 120
    """Silence after which speech may be over: recognition can begin."""
    silence_ms: int = 500
    """Silence that ends the turn."""
    prefix_ms: int = 300
    """Audio kept from before the start, so that the first sound is not lost."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """`at_sample`: where speech began; `from_sample`: where to keep audio from (with the prefix)."""

    at_sample: int
    from_sample: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Speech may be over; it ended at `at_sample` if nobody goes on."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """It was not over."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The turn is over. `speech_end_sample`: the last speech; `at_sample`: now, after the silence."""

    speech_end_sample: int
    at_sample: int


Boundary = SpeechBegan | SpeechPaused | SpeechResumed | SpeechEnded


class Segmenter:
    """Feed it one verdict per block of 480 samples; it says where turns begin and end."""

    def __init__(self, options: SegmenterOptions | None = None, *, position: int = 0) -> None:
        self.options = options or SegmenterOptions()
        self._position = position
        self._recent: list[bool] = []
        self._talking = False
        self._paused = False
        self._last_speech_end = 0
        self._silence_ms = self.options.silence_ms

    @property
    def talking(self) -> bool:
        """True from `SpeechBegan` to `SpeechEnded`."""
        return self._talking

    @property
    def position(self) -> int:
        """Samples fed so far."""
        return self._position

    def reset(self) -> None:
        """Forget an open turn; the position keeps counting."""
        self._recent.clear()
        self._talking = self._paused = False

    def wait(self, silence_ms: int) -> None:
        """Let this pause last so long, in ms, before it ends the turn; the next pause has the usual length again."""
        if self._paused:
            self._silence_ms = silence_ms

    def feed(self, speech: bool, *, interrupting: bool = False) -> tuple[Boundary, ...]:
        """Take the next block's verdict. `interrupting`: a reply is playing, so more speech is asked for."""
        self._position += BLOCK
        if speech:
            self._last_speech_end = self._position
        return self._while_talking(speech) if self._talking else self._while_quiet(speech, interrupting)

    def _while_quiet(self, speech: bool, interrupting: bool) -> tuple[Boundary, ...]:
        needed = _blocks(self.options.interrupt_ms if interrupting else self.options.start_ms)
        window = max(needed, _blocks(self.options.window_ms))
        self._recent = [*self._recent, speech][-window:]
        if not speech or sum(self._recent) < needed:
            return ()
        first = self._recent.index(True)
        began = self._position - (len(self._recent) - first) * BLOCK
        self._talking, self._paused = True, False
        self._silence_ms = self.options.silence_ms
        self._recent.clear()
        prefix = self.options.prefix_ms * RATE // 1000
        return (SpeechBegan(began, max(0, began - prefix)),)

    def _while_talking(self, speech: bool) -> tuple[Boundary, ...]:
        if speech:
            was_paused, self._paused = self._paused, False
            self._silence_ms = self.options.silence_ms
            return (SpeechResumed(),) if was_paused else ()
        quiet = self._position - self._last_speech_end
        if quiet >= _blocks(self._silence_ms) * BLOCK:
            self._talking = self._paused = False
            return (SpeechEnded(self._last_speech_end, self._position),)
        if not self._paused and quiet >= _blocks(self.options.hint_ms) * BLOCK:
            self._paused = True
            return (SpeechPaused(self._last_speech_end),)
        return ()


def _blocks(milliseconds: int) -> int:
    return max(1, -(-milliseconds * RATE // (1000 * BLOCK)))
