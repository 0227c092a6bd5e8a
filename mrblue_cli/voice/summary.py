"""A whole session in numbers, from its own event stream. Pure: the same events give the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from mrblue_cli.voice import events as ev


def percentile(values: Sequence[int], share: float) -> int | None:
    """The nearest-rank percentile: the smallest value that at least `share` of all do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[max(1, rank) - 1]


class SessionTally:
    """Counts while the talk goes on. Keeps two small numbers a turn, so that hours of talk weigh nothing."""

    def __init__(self) -> None:
        self._turns = 0
        self._latencies: list[int] = []
        self._stops: list[int] = []
        self._underruns = 0
        self._overruns = 0
        self._reconnects = 0
        self._fallbacks = 0
        self._input_tokens = 0
        self._output_tokens = 0
        self._total_usd: float | None = None
        self._unpriced = 0

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event; most change nothing."""
        match event:
            case ev.TurnMeasured():
                self._turns += 1
                self._underruns += event.underruns
                self._overruns += event.overruns
                if event.latency_ms is not None:
                    self._latencies.append(event.latency_ms)
                if event.barge_in_stop_ms is not None:
                    self._stops.append(event.barge_in_stop_ms)
            case ev.RungChanged():
                self._reconnects += event.reconnected
                self._fallbacks += not event.reconnected
            case ev.Spent():
                self._total_usd = event.total_usd
                self._input_tokens += sum(charge.input_tokens for charge in event.charges)
                self._output_tokens += sum(charge.output_tokens for charge in event.charges)
                self._unpriced += sum(charge.cost_nano is None for charge in event.charges)
            case _:
                pass

    @property
    def summary(self) -> ev.Summary | None:
        """The numbers so far; None when there was no turn."""
        if not self._turns:
            return None
        return ev.Summary(
            turns=self._turns,
            latency_p50_ms=percentile(self._latencies, 0.5),
            latency_p95_ms=percentile(self._latencies, 0.95),
            barge_in_stop_p95_ms=percentile(self._stops, 0.95),
            underruns=self._underruns,
            overruns=self._overruns,
            reconnects=self._reconnects,
            fallbacks=self._fallbacks,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            total_usd=self._total_usd,
            unpriced=self._unpriced,
        )
