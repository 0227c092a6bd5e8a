"""Whether the person wants to speak: every state with every event, then walks at random."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.barge_in import CONFIRM_MS, PATIENCE_SECONDS, Act, BargeIn, Forget, Stage

PAUSE, RESUME, STOP, ANSWER = Act.PAUSE, Act.RESUME, Act.STOP, Act.ANSWER
QUIET, PAUSED, RESUMED = Stage.QUIET, Stage.PAUSED, Stage.RESUMED
LATE = PATIENCE_SECONDS + 1.0

STATES = {
    "quiet": [],
    "paused, speaking": [("began", 0.0, "u")],
    "paused, said": [("began", 0.0, "u"), ("closed", "u")],
    "resumed, speaking": [("began", 0.0, "u"), ("tick", LATE)],
    "resumed, said": [("began", 0.0, "u"), ("closed", "u"), ("tick", LATE)],
}
EVENTS = {
    "speech begins": ("began", 5.0, "v"),
    "a short burst": ("spoke", CONFIRM_MS - 20),
    "long speech": ("spoke", CONFIRM_MS),
    "half a word": ("words", "u", "uh", False),
    "a word": ("words", "u", "stop", False),
    "nothing": ("words", "u", "mm-hm", True),
    "a sentence": ("words", "u", "and on Windows", True),
    "another item's words": ("words", "x", "port in use", True),
    "an item": ("closed", "u"),
    "no item": ("came_to_nothing",),
    "a moment": ("tick", 0.1),
    "two seconds": ("tick", 2.0),
    "a key": ("silenced",),
    "a new connection": ("reset",),
}
TABLE = {
    ("quiet", "speech begins"): ([PAUSE], PAUSED),
    ("paused, speaking", "speech begins"): ([], PAUSED),
    ("paused, said", "speech begins"): ([], PAUSED),
    ("resumed, speaking", "speech begins"): ([PAUSE], PAUSED),
    ("resumed, said", "speech begins"): ([PAUSE], PAUSED),
    ("paused, speaking", "long speech"): ([STOP], QUIET),
    ("resumed, speaking", "long speech"): ([STOP], QUIET),
    ("paused, speaking", "a word"): ([STOP], QUIET),
    ("paused, said", "a word"): ([STOP, ANSWER], QUIET),
    ("resumed, speaking", "a word"): ([STOP], QUIET),
    ("resumed, said", "a word"): ([STOP, ANSWER], QUIET),
    ("paused, speaking", "a sentence"): ([STOP], QUIET),
    ("paused, said", "a sentence"): ([STOP, ANSWER], QUIET),
    ("resumed, speaking", "a sentence"): ([STOP], QUIET),
    ("resumed, said", "a sentence"): ([STOP, ANSWER], QUIET),
    ("paused, speaking", "nothing"): ([Forget("u"), RESUME], QUIET),
    ("paused, said", "nothing"): ([Forget("u"), RESUME], QUIET),
    ("resumed, speaking", "nothing"): ([Forget("u")], QUIET),
    ("resumed, said", "nothing"): ([Forget("u")], QUIET),
    ("quiet", "an item"): (False, QUIET),
    ("paused, speaking", "an item"): (True, PAUSED),
    ("paused, said", "an item"): (False, PAUSED),
    ("resumed, speaking", "an item"): (True, RESUMED),
    ("resumed, said", "an item"): (False, RESUMED),
    ("paused, speaking", "no item"): ([RESUME], QUIET),
    ("resumed, speaking", "no item"): ([], QUIET),
    ("paused, speaking", "two seconds"): ([RESUME], RESUMED),
    ("paused, said", "two seconds"): ([RESUME], RESUMED),
    ("paused, speaking", "a key"): (None, RESUMED),
    ("paused, said", "a key"): (None, RESUMED),
    **{(state, "a new connection"): (None, QUIET) for state in STATES},
}
"""What a pair is not here for changes nothing and decides nothing."""


def machine(state):
    barge = BargeIn()
    for name, *given_values in STATES[state]:
        play(barge, name, *given_values)
    return barge


def play(barge, name, *values):
    if name == "words":
        item_id, text, final = values
        return barge.words(item_id, text, final=final)
    return getattr(barge, name)(*values)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_state_and_event(state, event):
    barge = machine(state)
    before = barge.stage
    found = play(barge, *EVENTS[event])
    nothing = None if event == "a key" else []
    decided, stage = TABLE.get((state, event), (nothing, before))
    assert (found, barge.stage) == (decided, stage)


def test_an_item_that_was_nothing_is_not_answered_when_it_comes_late():
    barge = machine("paused, speaking")
    barge.words("u", "", final=True)
    assert barge.forgot("u")
    assert barge.closed("u") is True
    assert barge.words("u", "stop", final=True) == []


def test_two_coughs_are_judged_one_by_one():
    barge = machine("paused, said")
    assert barge.began(1.0, "v") == []
    assert barge.words("u", "", final=True) == [Forget("u")]
    assert barge.closed("v") is True
    assert barge.words("v", "hm", final=True) == [Forget("v"), RESUME]


def test_without_an_id_the_item_is_known_when_it_is_closed():
    barge = BargeIn()
    barge.began(0.0)
    assert not barge.concerns("u")
    assert barge.closed("u")
    assert barge.words("u", "wait", final=True) == [STOP, ANSWER]


@given(st.lists(st.tuples(st.sampled_from(sorted(EVENTS)), st.sampled_from("uvw")), max_size=60))
def test_pauses_and_ends_of_pauses_alternate(walk):
    barge, held, now = BargeIn(), False, 0.0
    for event, item_id in walk:
        name, *values = EVENTS[event]
        now += 0.3
        if name in {"began", "tick"}:
            values[0] = now
        if name in {"words", "closed"}:
            values[0] = item_id
        if name == "began":
            values[1] = item_id
        found = play(barge, name, *values)
        if name in {"silenced", "reset"}:
            held = False
        for act in found if isinstance(found, list) else []:
            if act is PAUSE:
                assert not held
                held = True
            elif act is RESUME or act is STOP:
                assert held or act is STOP
                held = False
            elif act is ANSWER:
                assert found[0] is STOP
        assert held is (barge.stage is PAUSED)
        if name == "tick" and held:
            assert now - barge._since < PATIENCE_SECONDS
