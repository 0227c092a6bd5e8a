"""Where the conversation stands, as the one word a person sees. Pure: facts go in, the state comes out."""

from __future__ import annotations

from dataclasses import dataclass

from mrblue_cli.voice.events import State


@dataclass(slots=True)
class TurnFlow:
    """The facts that decide the state word, and whether anything is still going on.

    Deriving the word from facts, instead of stepping a machine of its own, means that events in an unusual order
    (a transcript after the reply, a reply without audio, speech over a reply) cannot leave it stuck.
    """

    connected: bool = False
    reconnecting: bool = False
    microphone_ready: bool = False
    """The first input block arrived, or there is no microphone to wait for."""
    muted: bool = False
    hearing: bool = False
    """The person speaks: the server's VAD, ours, or the talk key says so."""
    awaiting_reply: bool = False
    """The person's turn is committed, its reply has not begun."""
    generating: bool = False
    """Between `response.created` and `response.done`."""
    working: bool = False
    """A tool runs that the reply needs."""
    audible: bool = False
    """A reply's first sample went out and its last has not."""
    queued: bool = False
    """Reply audio waits in the player."""
    paused: bool = False
    """The reply is held until it is clear whether the person wants to speak."""

    @property
    def state(self) -> State:
        """The state word; what the person does now outranks what the machine does."""
        if self.reconnecting:
            return State.RECONNECTING
        if not (self.connected and self.microphone_ready):
            return State.CONNECTING
        if self.hearing or self.paused:
            return State.HEARING
        if self.audible:
            return State.SPEAKING
        if self.awaiting_reply or self.generating or self.queued or self.working:
            return State.THINKING
        return State.MUTED if self.muted else State.LISTENING

    @property
    def settled(self) -> bool:
        """True when nobody speaks and nothing is on its way: a script may go on to its next step."""
        busy = self.hearing or self.paused or self.awaiting_reply or self.generating or self.audible
        busy = busy or self.queued or self.working
        return self.connected and self.microphone_ready and not busy

    def committed(self) -> None:
        """The person's turn was closed and a reply is due."""
        self.hearing = False
        self.awaiting_reply = True

    def discarded(self) -> None:
        """The person's turn came to nothing (too short, abandoned)."""
        self.hearing = False

    def reply_started(self) -> None:
        """`response.created` arrived."""
        self.awaiting_reply = False
        self.generating = True

    def reply_done(self) -> None:
        """`response.done` arrived; audio may still be playing."""
        self.generating = False

    def silenced(self) -> None:
        """The player was emptied."""
        self.audible = False
        self.queued = False
        self.paused = False
