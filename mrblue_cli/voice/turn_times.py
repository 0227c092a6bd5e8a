"""When things happened in a turn. Pure bookkeeping: the session reports facts and their time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mrblue_cli.voice.events import TurnMeasured
from mrblue_cli.voice.ports import NO_LOSSES, Losses

_DEEPEST = 3
"""Usage has tables two deep; a stranger's may not send us further."""


@dataclass(frozen=True, slots=True)
class _Marks:
    speech_end_ms: int | None = None
    commit_ms: int | None = None
    first_audio_ms: int | None = None
    first_sample_ms: int | None = None
    barge_in_stop_ms: int | None = None
    usage: dict[str, object] | None = None


class TurnTimes:
    """Collects the marks of one turn at a time. All times are ms since the session began.

    A turn opens with the person's commit (or typed text) and is closed by `finish`. The last speech heard before
    the commit is its speech end; speech after the commit belongs to the next turn.
    """

    def __init__(self) -> None:
        self._marks = _Marks()
        self._open = False
        self._last_speech_ms: int | None = None
        self._underruns_before = 0
        self._losses_before = NO_LOSSES

    @property
    def is_open(self) -> bool:
        """True between the person's commit and `finish`."""
        return self._open

    @property
    def awaits_sample(self) -> bool:
        """True while the first sample of the reply is still to come."""
        return self._open and self._marks.first_sample_ms is None

    def speech_heard(self, at_ms: int) -> None:
        """The microphone carries speech at this time."""
        self._last_speech_ms = at_ms

    def committed(self, at_ms: int, *, spoken: bool) -> None:
        """The person's turn is on its way to the server; `spoken` is false for typed text."""
        speech_end = self._last_speech_ms if spoken else None
        self._marks = _Marks(speech_end_ms=speech_end, commit_ms=at_ms)
        self._last_speech_ms = None
        self._open = True

    def audio_received(self, at_ms: int) -> None:
        """A reply audio delta arrived; only the first of a turn counts."""
        if self._open and self._marks.first_audio_ms is None:
            self._marks = replace(self._marks, first_audio_ms=at_ms)

    def sample_played(self, at_ms: int) -> None:
        """The first sample of a reply was handed to the output; only the first of a turn counts."""
        if self._open and self._marks.first_sample_ms is None:
            self._marks = replace(self._marks, first_sample_ms=at_ms)

    def stopped(self, took_ms: int) -> None:
        """An interruption was decided and silence reached the output `took_ms` later."""
        self._marks = replace(self._marks, barge_in_stop_ms=took_ms)

    def used(self, usage: dict[str, object] | None) -> None:
        """The server said what a reply consumed; several replies of a turn (a tool was called) are added up."""
        if usage is not None:
            self._marks = replace(self._marks, usage=_sum(self._marks.usage or {}, usage))

    def finish(
        self, *, underruns: int, losses: Losses = NO_LOSSES, cost_usd: float | None = None
    ) -> TurnMeasured | None:
        """Close the turn and return its record, or None when none is open.

        `underruns` and `losses` are running totals of player and microphone; the record holds those since the last
        record only.
        """
        if not self._open:
            return None
        marks = self._marks
        record = TurnMeasured(
            speech_end_ms=marks.speech_end_ms,
            commit_ms=marks.commit_ms,
            first_audio_ms=marks.first_audio_ms,
            first_sample_ms=marks.first_sample_ms,
            barge_in_stop_ms=marks.barge_in_stop_ms,
            underruns=max(0, underruns - self._underruns_before),
            usage=marks.usage,
            cost_usd=cost_usd,
            overruns=_since(self._losses_before.stretches, losses.stretches),
            dropped_chunks=_since(self._losses_before.chunks, losses.chunks),
        )
        self._underruns_before = underruns
        self._losses_before = losses
        self._marks = _Marks()
        self._open = False
        return record


def _since(before: int, now: int) -> int:
    """How much a running total grew; one that fell belongs to another device, and began at nothing."""
    return now - before if now >= before else now


def _sum(first: Mapping[str, object], second: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """Counts added up, tables within tables too; what is no count is taken as it was said last."""
    merged = {**first, **second}
    for name in first.keys() & second.keys():
        one, other = first[name], second[name]
        if _is_count(one) and _is_count(other):
            merged[name] = one + other  # type: ignore[operator]
        elif isinstance(one, Mapping) and isinstance(other, Mapping) and depth < _DEEPEST:
            merged[name] = _sum(one, other, depth + 1)
        elif other is None:
            merged[name] = one
    return merged


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
