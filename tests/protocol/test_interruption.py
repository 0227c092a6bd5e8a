"""Properties of the interruption rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.protocol.interruption import heard_text, plan_cut

MS = st.integers(-1000, 100_000)


@given(MS, MS, st.booleans())
def test_a_cut_is_always_inside_what_was_received(played, received, finished):
    cut = plan_cut(played_ms=played, received_ms=received, generation_finished=finished)
    if received <= 0:
        assert cut is None
    elif cut is not None:
        assert 0 <= cut.audio_end_ms <= cut.heard_ms <= received
        assert cut.heard_ms == min(max(0, played), received)


@given(st.integers(1, 100_000), st.integers(0, 5000))
def test_what_was_heard_whole_is_never_cut(received, extra):
    assert plan_cut(played_ms=received + extra, received_ms=received, generation_finished=True) is None


def test_received_but_unplayed_is_cut_at_zero():
    cut = plan_cut(played_ms=0, received_ms=2000, generation_finished=True)
    assert cut is not None
    assert cut.audio_end_ms == 0


def test_near_the_tail_a_margin_is_kept():
    cut = plan_cut(played_ms=1990, received_ms=2000, generation_finished=True)
    assert cut is not None
    assert (cut.audio_end_ms, cut.heard_ms) == (1900, 1990)


@given(st.text(max_size=200), st.integers(-5, 3000), st.integers(-5, 3000), st.integers(0, 3000))
def test_heard_text_is_a_growing_prefix_of_whole_words(text, played, more, received):
    less = heard_text(text, played_ms=min(played, more), received_ms=received)
    longer = heard_text(text, played_ms=max(played, more), received_ms=received)
    assert text.startswith(less)
    assert longer.startswith(less)


def test_no_half_words():
    assert heard_text("address already in use", played_ms=500, received_ms=1000) == "address"
    assert heard_text("address already", played_ms=1, received_ms=1000) == ""
    assert heard_text("address already", played_ms=1000, received_ms=1000) == "address already"
