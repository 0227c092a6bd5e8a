"""Who spoke when, from the event stream alone."""

from __future__ import annotations

import asyncio

from mrblue_cli.app.tools.floor import PATIENCE_SECONDS, Floor
from mrblue_cli.voice import events as ev
from tests.fakes.virtual_time import run_virtual

HEARING, THINKING, LISTENING = (
    ev.StatusChanged(state) for state in (ev.State.HEARING, ev.State.THINKING, ev.State.LISTENING)
)


def said(item, text, final=True, **more):
    return ev.UserTranscript(item, text, final, **more)


def seen(*events):
    floor = Floor()
    for event in events:
        floor.see(event)
    return floor


def since(floor, turn):
    async def ask():
        return await floor.words_since(turn)

    return run_virtual(ask())


def test_typed_lines_are_turns():
    floor = seen(said("1", "a coke"), said("2", "yes"))
    assert (floor.turn, floor.words) == (2, "yes")
    assert since(floor, 1) == "yes"
    assert since(floor, 2) is None


def test_a_spoken_turn_counts_once_from_its_beginning():
    floor = seen(HEARING, said("1", "a c", final=False), THINKING, said("1", "a coke"), said("1", "a coke"))
    assert floor.turn == 1
    assert since(floor, 0) == "a coke"


def test_words_that_come_late_belong_to_the_turn_in_which_they_were_said():
    # The order was read back in turn 1, before the words of turn 1 were transcribed: they are no answer to it.
    floor = seen(HEARING, THINKING)
    read_at = floor.turn
    floor.see(said("1", "that's all"))
    assert floor.turn == read_at == 1
    assert since(floor, read_at) is None


def test_words_are_waited_for_while_they_are_transcribed():
    async def main():
        floor = seen(said("1", "that's all"), HEARING, THINKING)
        waiting = asyncio.ensure_future(floor.words_since(1))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        floor.see(said("2", "yes please"))
        return await waiting

    assert run_virtual(main()) == "yes please"


def test_a_server_that_never_says_what_was_said_does_not_hold_things_up():
    async def main():
        floor = seen(said("1", "that's all"), HEARING, THINKING)
        begin = asyncio.get_running_loop().time()
        words = await floor.words_since(1)
        return words, asyncio.get_running_loop().time() - begin

    assert run_virtual(main()) == ("", PATIENCE_SECONDS)


def test_a_noise_is_no_turn_and_an_earlier_talk_is_none():
    assert seen(HEARING, LISTENING).turn == 0
    assert seen(said("0", "yes", earlier=True)).turn == 0
    assert seen(said("1", ""), ev.Advice("x"), ev.Levels(0, 0)).turn == 0
