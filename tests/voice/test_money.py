"""The purse: sums, the estimate of the next turn, and each verdict once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.prices import NANO
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.money import Purse, Verdict, dollars
from mrblue_cli.voice.prices import as_input_nano

MODEL = "gpt-realtime-2.1"


def reply(cost, audio_in=0, text_out=0, audio_out=0, text_in=0, model=MODEL):
    nano = None if cost is None else round(cost * NANO)
    return Charge(
        ChargeKind.REPLY, model, text_input=text_in, audio_input=audio_in, text_output=text_out,
        audio_output=audio_out, cost_nano=nano,
    )  # fmt: skip


def heard(cost):
    return Charge(ChargeKind.TRANSCRIPTION, "gpt-transcribe", seconds=2.0, cost_nano=round(cost * NANO))


def test_turn_and_total_with_transcriptions():
    purse = Purse()
    assert (purse.turn_usd, purse.total_usd, purse.limit_usd) == (None, None, None)
    purse.pay([reply(0.01)])
    purse.pay([heard(0.002)])
    assert purse.turn_usd == pytest.approx(0.012)
    assert purse.close_turn() == pytest.approx(0.012)
    assert purse.close_turn() is None
    purse.pay([reply(0.03)])
    assert (purse.turn_usd, purse.total_usd) == (pytest.approx(0.03), pytest.approx(0.042))


def test_what_has_no_price_is_counted_and_not_summed():
    purse = Purse()
    purse.pay([reply(None, audio_in=70, text_out=3)])
    assert (purse.total_usd, purse.unpriced, purse.input_tokens, purse.output_tokens) == (None, 1, 70, 3)
    purse.pay([reply(0.5)])
    assert (purse.total_usd, purse.unpriced) == (0.5, 1)


def test_the_next_turn_is_the_last_and_what_it_added():
    purse = Purse(1.0)
    assert purse.next_turn_nano == 0
    purse.pay([reply(0.02, text_in=500, audio_in=30, text_out=40, audio_out=100)])
    purse.close_turn()
    added = as_input_nano(MODEL, text_tokens=40, audio_tokens=100)
    assert purse.next_turn_nano == round(0.02 * NANO) + added
    assert purse.next_turn_tokens == 530 + 2 * 140
    # The person said 25 tokens more than what the reply before had added.
    purse.pay([reply(0.03, text_in=540, audio_in=155, text_out=10, audio_out=60)])
    purse.close_turn()
    added = as_input_nano(MODEL, text_tokens=10, audio_tokens=60 + 25)
    assert purse.next_turn_nano == round(0.03 * NANO) + added


def test_of_several_models_the_reader_is_estimated():
    purse = Purse(1.0)
    purse.pay([reply(0.001, model="gpt-transcribe"), reply(0.01, text_in=300, text_out=30, model="gpt-4o-mini")])
    purse.close_turn()
    assert purse.next_turn_nano == round(0.011 * NANO) + as_input_nano("gpt-4o-mini", text_tokens=30, audio_tokens=0)


def test_verdicts_come_once_and_in_order_of_weight():
    purse = Purse(0.10)
    assert purse.judge(between_turns=True) is Verdict.FINE
    purse.pay([reply(0.085)])
    assert purse.judge(between_turns=False) is Verdict.LOW
    assert purse.judge(between_turns=False) is Verdict.FINE
    purse.close_turn()
    assert purse.judge(between_turns=True) is Verdict.LAST
    assert purse.judge(between_turns=True) is Verdict.FINE
    purse.pay([heard(0.02)])
    assert purse.judge(between_turns=False) is Verdict.SPENT
    assert purse.judge(between_turns=True) is Verdict.FINE


def test_without_a_limit_nothing_is_told():
    purse = Purse()
    purse.pay([reply(1000.0)])
    purse.close_turn()
    assert purse.judge(between_turns=True) is Verdict.FINE


def test_a_free_talk_never_reaches_its_limit():
    purse = Purse(0.01)
    for _ in range(100):
        purse.pay([reply(0.0, audio_in=100)])
        purse.close_turn()
    assert purse.judge(between_turns=True) is Verdict.FINE
    assert purse.total_usd == 0.0


@given(
    st.lists(st.lists(st.one_of(st.none(), st.floats(0, 0.2)), min_size=1, max_size=3), max_size=12), st.floats(0.01, 1)
)
def test_turns_sum_to_the_total_and_the_gravest_verdict_fits(turns, limit):
    purse = Purse(limit)
    sums = []
    told = [Verdict.FINE]
    for costs in turns:
        purse.pay([reply(cost) for cost in costs])
        told.append(purse.judge(between_turns=False))
        sums.append(purse.close_turn())
        told.append(purse.judge(between_turns=True))
    total = sum(cost for cost in sums if cost is not None)
    assert (purse.total_usd or 0.0) == pytest.approx(total)
    assert (purse.total_nano >= purse.limit_nano) == (Verdict.SPENT in told)
    weights = [verdict.value for verdict in told if verdict is not Verdict.FINE]
    assert weights == sorted(set(weights))
    assert purse.next_turn_nano >= 0


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "$0.00"), (0.0644, "$0.0644"), (0.15, "$0.150"), (12.5, "$12.50"), (0.9999, "$1.00")],
)
def test_dollars_say_enough(amount, shown):
    assert dollars(amount) == shown
