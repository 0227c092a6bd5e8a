"""Every state against every move, written out a second time by hand: a change of the tables must be meant."""

from __future__ import annotations

import pytest

from mrblue_cli.protocol.transitions import (
    REPLY_TRANSITIONS,
    TURN_TRANSITIONS,
    Reply,
    ReplyMove,
    Side,
    Turn,
    TurnMove,
    next_reply,
    next_turn,
)

CLIENT_TURNS = """
          begin    stop     commit   clear
idle      open     idle     idle     idle
open      open     closing  idle     idle
closing   open     closing  idle     idle
"""
SERVER_TURNS = """
          begin    stop     commit   clear
idle      open     idle     idle     idle
open      open     closing  idle     idle
closing   closing  closing  idle     idle
"""
CLIENT_REPLIES = """
            request     refuse      create      cancel      finish
none        requested   none        active      none        none
requested   requested   none        active      doomed      requested
doomed      doomed      none        cancelling  doomed      doomed
active      active      active      active      cancelling  none
cancelling  cancelling  cancelling  cancelling  cancelling  none
"""
SERVER_REPLIES = """
            request     refuse      create      cancel      finish
none        none        none        active      none        none
active      active      active      active      none        none
"""


def cells(table):
    head, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], move, after) for row in rows for move, after in zip(head, row[1:], strict=True)]


def turns(side, table):
    return [(side, Turn(state), TurnMove(move), Turn(after)) for state, move, after in cells(table)]


def replies(side, table):
    return [(side, Reply(state), ReplyMove(move), Reply(after)) for state, move, after in cells(table)]


@pytest.mark.parametrize(
    ("side", "state", "move", "after"), turns(Side.CLIENT, CLIENT_TURNS) + turns(Side.SERVER, SERVER_TURNS)
)
def test_turns(side, state, move, after):
    assert next_turn(side, state, move) is after


@pytest.mark.parametrize(
    ("side", "state", "move", "after"), replies(Side.CLIENT, CLIENT_REPLIES) + replies(Side.SERVER, SERVER_REPLIES)
)
def test_replies(side, state, move, after):
    assert next_reply(side, state, move) is after


@pytest.mark.parametrize("side", Side)
def test_every_state_leads_back_to_rest(side):
    for table, rest in ((TURN_TRANSITIONS[side], Turn.IDLE), (REPLY_TRANSITIONS[side], Reply.NONE)):
        reachable = {rest}
        while grown := {after for (state, _), after in table.items() if state in reachable} - reachable:
            reachable |= grown
        for start in reachable:
            seen = {start}
            while more := {after for (state, _), after in table.items() if state in seen} - seen:
                seen |= more
            assert rest in seen, start
        assert {state for state, _ in table} <= reachable


def test_a_server_never_enters_the_client_s_states():
    used = {state for pair in REPLY_TRANSITIONS[Side.SERVER].items() for state in (pair[0][0], pair[1])}
    assert used == {Reply.NONE, Reply.ACTIVE}
