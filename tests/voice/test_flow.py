"""The state word follows from the facts, whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.events import State
from mrblue_cli.voice.flow import TurnFlow

FACTS = [
    "connected",
    "reconnecting",
    "microphone_ready",
    "muted",
    "hearing",
    "awaiting_reply",
    "generating",
    "audible",
    "queued",
]


def ready(**facts):
    return TurnFlow(connected=True, microphone_ready=True, **facts)


def test_one_turn_walks_through_the_words():
    flow = TurnFlow()
    words = [flow.state]
    flow.connected = True
    words.append(flow.state)
    flow.microphone_ready = True
    words.append(flow.state)
    flow.hearing = True
    words.append(flow.state)
    flow.committed()
    words.append(flow.state)
    flow.reply_started()
    flow.queued = True
    words.append(flow.state)
    flow.audible = True
    words.append(flow.state)
    flow.reply_done()
    words.append(flow.state)
    flow.silenced()
    words.append(flow.state)
    assert words == [
        State.CONNECTING,
        State.CONNECTING,
        State.LISTENING,
        State.HEARING,
        State.THINKING,
        State.THINKING,
        State.SPEAKING,
        State.SPEAKING,
        State.LISTENING,
    ]
    assert flow.settled


def test_the_person_outranks_the_reply():
    assert ready(hearing=True, audible=True, generating=True).state is State.HEARING


def test_muted_shows_only_when_nothing_else_goes_on():
    assert ready(muted=True).state is State.MUTED
    assert ready(muted=True, audible=True).state is State.SPEAKING


def test_a_discarded_turn_returns_to_listening():
    flow = ready(hearing=True)
    flow.discarded()
    assert flow.state is State.LISTENING
    assert flow.settled


def test_reconnecting_outranks_everything():
    assert ready(reconnecting=True, audible=True).state is State.RECONNECTING


@given(st.fixed_dictionaries({name: st.booleans() for name in FACTS}))
def test_settled_means_idle_in_every_combination(facts):
    flow = TurnFlow(**facts)
    if flow.settled:
        assert flow.state in {State.LISTENING, State.MUTED, State.RECONNECTING}
    if flow.state in {State.HEARING, State.SPEAKING, State.THINKING, State.CONNECTING}:
        assert not flow.settled
