"""A session in numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice import events as ev
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.summary import SessionTally, percentile


def turn(latency=None, stop=None, underruns=0, overruns=0):
    first = None if latency is None else 1000 + latency
    return ev.TurnMeasured(1000, 1200, first, first, stop, underruns, overruns=overruns)


def test_nearest_rank():
    values = [15, 20, 35, 40, 50]
    assert [percentile(values, share) for share in (0.05, 0.3, 0.4, 0.5, 0.95, 1.0)] == [15, 20, 20, 35, 50, 50]
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([7], 0.5) == 7
    assert percentile([], 0.5) is None


@given(st.lists(st.integers(0, 10**6), min_size=1), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_a_value_that_enough_do_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_no_turn_no_summary():
    tally = SessionTally()
    tally.see(ev.Advice("nothing"))
    assert tally.summary is None


def test_everything_is_counted():
    tally = SessionTally()
    priced = Charge(ChargeKind.REPLY, "m", text_input=10, audio_output=4, cost_nano=5)
    unpriced = Charge(ChargeKind.TRANSCRIPTION, "t", audio_input=3)
    for event in (
        turn(500, underruns=1),
        turn(700, stop=40, overruns=2),
        turn(None),
        ev.RungChanged("realtime", "openai", "back", reconnected=True),
        ev.RungChanged("local", "local", "the network is gone"),
        ev.Spent(0.1, 0.1, None, (priced,)),
        ev.Spent(0.1, 0.3, None, (priced, unpriced)),
    ):
        tally.see(event)
    assert tally.summary == ev.Summary(
        turns=3, latency_p50_ms=500, latency_p95_ms=700, barge_in_stop_p95_ms=40, underruns=1, overruns=2, reconnects=1,
        fallbacks=1, input_tokens=23, output_tokens=8, total_usd=pytest.approx(0.3), unpriced=1,
    )  # fmt: skip
