"""Every legal move of both sides, on one screen. A pair that is not in a table leaves the state as it is:
peers repeat themselves, and events cross on the wire."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Who we are."""

    CLIENT = "client"
    SERVER = "server"


class Turn(StrEnum):
    """The person's turn."""

    IDLE = "idle"
    OPEN = "open"
    """Speech is going on, or the talk key is down."""
    CLOSING = "closing"
    """Speech ended; the commit is on its way."""


class TurnMove(StrEnum):
    """What can happen to the person's turn."""

    BEGIN = "begin"
    STOP = "stop"
    COMMIT = "commit"
    CLEAR = "clear"


class Reply(StrEnum):
    """The assistant's reply in the default conversation: at most one at a time."""

    NONE = "none"
    REQUESTED = "requested"
    """response.create is on its way (client only)."""
    DOOMED = "doomed"
    """Requested, and cancelled before it began: cancel it when it does (client only)."""
    ACTIVE = "active"
    CANCELLING = "cancelling"
    """response.cancel is on its way (client only)."""


class ReplyMove(StrEnum):
    """What can happen to the reply."""

    REQUEST = "request"
    REFUSE = "refuse"
    CREATE = "create"
    CANCEL = "cancel"
    FINISH = "finish"


TURN_TRANSITIONS: dict[Side, dict[tuple[Turn, TurnMove], Turn]] = {
    Side.CLIENT: {
        (Turn.IDLE, TurnMove.BEGIN): Turn.OPEN,
        (Turn.CLOSING, TurnMove.BEGIN): Turn.OPEN,
        (Turn.OPEN, TurnMove.STOP): Turn.CLOSING,
        (Turn.OPEN, TurnMove.COMMIT): Turn.IDLE,
        (Turn.CLOSING, TurnMove.COMMIT): Turn.IDLE,
        (Turn.OPEN, TurnMove.CLEAR): Turn.IDLE,
        (Turn.CLOSING, TurnMove.CLEAR): Turn.IDLE,
    },
    Side.SERVER: {
        (Turn.IDLE, TurnMove.BEGIN): Turn.OPEN,
        (Turn.OPEN, TurnMove.STOP): Turn.CLOSING,
        (Turn.OPEN, TurnMove.COMMIT): Turn.IDLE,
        (Turn.CLOSING, TurnMove.COMMIT): Turn.IDLE,
        (Turn.OPEN, TurnMove.CLEAR): Turn.IDLE,
        (Turn.CLOSING, TurnMove.CLEAR): Turn.IDLE,
    },
}

REPLY_TRANSITIONS: dict[Side, dict[tuple[Reply, ReplyMove], Reply]] = {
    Side.CLIENT: {
        (Reply.NONE, ReplyMove.REQUEST): Reply.REQUESTED,
        (Reply.NONE, ReplyMove.CREATE): Reply.ACTIVE,
        (Reply.REQUESTED, ReplyMove.CREATE): Reply.ACTIVE,
        (Reply.REQUESTED, ReplyMove.REFUSE): Reply.NONE,
        (Reply.REQUESTED, ReplyMove.CANCEL): Reply.DOOMED,
        (Reply.DOOMED, ReplyMove.CREATE): Reply.CANCELLING,
        (Reply.DOOMED, ReplyMove.REFUSE): Reply.NONE,
        (Reply.ACTIVE, ReplyMove.CANCEL): Reply.CANCELLING,
        (Reply.ACTIVE, ReplyMove.FINISH): Reply.NONE,
        (Reply.CANCELLING, ReplyMove.FINISH): Reply.NONE,
    },
    Side.SERVER: {
        (Reply.NONE, ReplyMove.CREATE): Reply.ACTIVE,
        (Reply.ACTIVE, ReplyMove.CANCEL): Reply.NONE,
        (Reply.ACTIVE, ReplyMove.FINISH): Reply.NONE,
    },
}


def next_turn(side: Side, state: Turn, move: TurnMove) -> Turn:
    """The state after a move; unchanged where the table has no entry."""
    return TURN_TRANSITIONS[side].get((state, move), state)


def next_reply(side: Side, state: Reply, move: ReplyMove) -> Reply:
    """The state after a move; unchanged where the table has no entry."""
    return REPLY_TRANSITIONS[side].get((state, move), state)
