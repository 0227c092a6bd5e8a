"""Recognition that starts before the turn is over.

While the person speaks, passes over what was said so far give partial words: those that two passes in a row agree on.
When the person pauses, a pass runs at once; if nobody goes on, its result is the turn's and the end-of-turn silence
has cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mrblue_cli.engine.detection import STT_RATE
from mrblue_cli.engine.speech import Samples, Transcript

PARTIAL_SECONDS = 0.8
"""New audio between two partial passes."""
Hear = Callable[[Samples], Awaitable[Transcript]]


class TurnRecogniser:
    """Follows one turn. `on_partial` gets the words that became certain since the last call."""

    def __init__(self, hear: Hear, on_partial: Callable[[str], None]) -> None:
        self._hear = hear
        self._on_partial = on_partial
        self._job: asyncio.Task[Transcript] | None = None
        self._job_end: int | None = None
        self._last_words: list[str] = []
        self._told = 0
        self._partial_at = 0

    @property
    def busy(self) -> bool:
        """A pass is running."""
        return self._job is not None and not self._job.done()

    def offer_partial(self, samples: Samples) -> None:
        """Run a partial pass when enough new audio came and none is running; never in a pause, where a guess stands."""
        if self.busy or self._job_end is not None or len(samples) - self._partial_at < PARTIAL_SECONDS * STT_RATE:
            return
        self._partial_at = len(samples)
        self._job = asyncio.ensure_future(self._partial(samples))

    def guess_end(self, samples: Samples, end_sample: int) -> asyncio.Task[Transcript]:
        """The person paused at `end_sample`: transcribe now what may be the whole turn."""
        if self._job is None or self._job_end != end_sample:
            self._job_end = end_sample
            self._job = asyncio.ensure_future(self._partial(samples))
        return self._job

    def stands(self, job: asyncio.Task[Transcript]) -> bool:
        """This guess is still the newest, and the person has not gone on since."""
        return self._job is job and self._job_end is not None

    def resumed(self) -> None:
        """The person goes on: the guess was wrong."""
        self._job_end = None

    async def finish(self, samples: Samples, end_sample: int | None) -> Transcript:
        """The turn ended at `end_sample`: use the guess when it was right, else transcribe."""
        if self._job is not None and end_sample is not None and self._job_end == end_sample:
            return await asyncio.shield(self._job)
        return await self._hear(samples)

    async def _partial(self, samples: Samples) -> Transcript:
        transcript = await self._hear(samples)
        words = transcript.text.split()
        agreed = 0
        for one, other in zip(words, self._last_words, strict=False):
            if one != other:
                break
            agreed += 1
        self._last_words = words
        if agreed > self._told:
            fresh = " ".join(words[self._told : agreed])
            self._on_partial(fresh if self._told == 0 else f" {fresh}")
            self._told = agreed
        return transcript
