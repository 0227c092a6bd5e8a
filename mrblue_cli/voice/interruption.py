"""Speech over a reply: holds the reply while `BargeIn` judges it, then stops it or lets it go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from mrblue_cli.core.clock import Clock
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.protocol.client_events import CommitAudio
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.barge_in import Act, BargeIn, Decision, Forget
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.speaking import Speaking
from mrblue_cli.voice.spending import Spending
from mrblue_cli.voice.tool_runs import ToolRuns


class _Continuity(Protocol):
    @property
    def live(self) -> bool: ...


class _Talk(Protocol):
    """What this needs of the session."""

    flow: TurnFlow
    speaking: Speaking
    tools: ToolRuns
    spending: Spending

    @property
    def conversation(self) -> ClientConversation: ...
    @property
    def continuity(self) -> _Continuity: ...
    @property
    def mode(self) -> ev.TurnMode: ...
    def apply(self, outcome: Outcome) -> None: ...
    def silence(self, report: Callable[..., Outcome]) -> None: ...
    def expect_reply(self, *, spoken: bool) -> None: ...
    def user_text(self, notice: n.UserText) -> None: ...
    def forget_turn(self, item_id: str) -> None: ...


class Interruption:
    """Decides about every turn that begins and ends where the client asks for the replies.

    `enabled` False: speech over a reply stops it at once, as ever.
    """

    def __init__(self, talk: _Talk, *, enabled: bool, clock: Clock) -> None:
        self._talk = talk
        self._enabled = enabled
        self._clock = clock
        self._barge = BargeIn()
        self._held_texts: dict[str, n.UserText] = {}
        self._commits: deque[bool] = deque()
        """Commits of ours that the server has not confirmed: was whether to answer left open?"""

    # Where our own voice detection finds the turns --------------------------------------------------------------

    def begin(self) -> bool:
        """A turn of ours begins. True: over a reply, which is held now; False: nothing was done."""
        if not self._enabled or self._talk.mode is not ev.TurnMode.LOCAL_VAD or not self._replying:
            self._commits.clear()
            return False
        self._act(self._barge.began(self._clock.now()))
        self._talk.apply(self._talk.conversation.begin_turn())
        return True

    @property
    def judging(self) -> bool:
        """Something was heard over the reply, and it is not clear yet whether it is meant."""
        return self._barge.judging

    def commit(self) -> None:
        """The turn of ours is complete: send it, and ask for a reply unless that is still to be judged."""
        judging, live = self._barge.judging, self._talk.continuity.live
        outcome = self._talk.conversation.commit_turn(ask=not judging)
        if live and any(isinstance(event, CommitAudio) for event in outcome.send):
            self._commits.append(judging)
        if not judging:
            self._talk.apply(outcome)
            return
        self._talk.flow.hearing = False
        # That a cough was too short is nothing to tell.
        told = tuple(notice for notice in outcome.notices if not isinstance(notice, n.TurnTooShort))
        self._talk.apply(Outcome(outcome.send, told))
        if len(told) < len(outcome.notices):
            self._act(self._barge.came_to_nothing())
        elif not live:
            self._act(self._barge.meant())

    def discard(self) -> None:
        """The turn of ours was thrown away."""
        self._act(self._barge.came_to_nothing())

    # What the server hears --------------------------------------------------------------------------------------

    def hear(self, notice: n.UserText | n.SpeechStarted | n.TurnCommitted) -> None:
        """The server heard the person speak, stop, or knows what was said."""
        match notice:
            case n.SpeechStarted():
                self._speech_started(notice)
            case n.TurnCommitted() if not self._talk.spending.closing:
                self._committed(notice)
            case n.UserText():
                if not self._holds(notice):
                    self._talk.user_text(notice)

    def _speech_started(self, notice: n.SpeechStarted) -> None:
        self._talk.flow.hearing = True
        if self._enabled and self._talk.conversation.ownership is n.Ownership.SHARED and self._replying:
            self._act(self._barge.began(self._clock.now(), notice.item_id))

    def _committed(self, notice: n.TurnCommitted) -> None:
        """A turn became an item: answer it, unless it is to be judged first."""
        talk = self._talk
        match talk.conversation.ownership:
            case n.Ownership.SERVER:
                talk.flow.committed()
                talk.expect_reply(spoken=True)
            case n.Ownership.CLIENT:
                if self._commits and self._commits.popleft() and not self._barge.closed(notice.item_id):
                    self._answer()
            case n.Ownership.SHARED if self._barge.closed(notice.item_id):
                talk.flow.hearing = False
            case n.Ownership.SHARED:
                self._answer()

    def _holds(self, notice: n.UserText) -> bool:
        """Words of the person. True: they are held back until it is clear that they are meant."""
        if not self._barge.concerns(notice.item_id):
            return False
        if self._barge.forgot(notice.item_id):
            return True
        self._held_texts[notice.item_id] = notice
        self._act(self._barge.words(notice.item_id, notice.text, final=notice.final))
        return True

    def tick(self, burst_ms: int) -> None:
        """Call it at every tick with how long the person has been speaking."""
        if self._barge.judging:
            self._act([*self._barge.spoke(burst_ms), *self._barge.tick(self._clock.now())])

    def silenced(self) -> None:
        """The reply was ended, whoever did it."""
        self._barge.silenced()
        self._talk.flow.paused = False

    def connection_gone(self) -> None:
        """What was on its way to the server is lost; what it named is still judged, by the words that are to come."""
        self._commits.clear()
        talk = self._talk
        if not self._barge.judging:
            return
        if talk.conversation.ownership is not n.Ownership.CLIENT:
            self._act(self._barge.cut_off())
        elif not talk.flow.hearing and self._barge.is_open:
            self._act(self._barge.meant())
        elif not talk.flow.hearing:
            self._act(self._barge.cut_off())
        for item_id in [item_id for item_id in self._held_texts if not self._barge.concerns(item_id)]:
            talk.user_text(self._held_texts.pop(item_id))

    def reply_lost(self) -> None:
        """The reply that was spoken over is to be made again: whatever was said counts for it."""
        self._forget_doubts()

    # ------------------------------------------------------------------------------------------------------------

    @property
    def _replying(self) -> bool:
        """There is something to interrupt: a reply that sounds, waits, is made or was asked for."""
        talk = self._talk
        made = talk.flow.awaiting_reply or talk.flow.generating or talk.tools.running
        return talk.speaking.playing or made

    def _act(self, decisions: Sequence[Decision]) -> None:
        talk = self._talk
        for decision in decisions:
            match decision:
                case Act.PAUSE:
                    talk.flow.paused = True
                    talk.speaking.pause()
                case Act.RESUME:
                    talk.flow.paused = talk.flow.hearing = False
                    talk.speaking.resume()
                case Act.STOP:
                    talk.silence(talk.conversation.interrupt)
                    self._forget_doubts()
                case Act.ANSWER:
                    self._answer()
                case Forget():
                    self._held_texts.pop(decision.item_id, None)
                    talk.forget_turn(decision.item_id)

    def _answer(self) -> None:
        self._forget_doubts()
        self._talk.flow.committed()
        self._talk.expect_reply(spoken=True)
        self._talk.apply(self._talk.conversation.ask_for_reply())

    def _forget_doubts(self) -> None:
        self._barge.reset()
        self._talk.flow.paused = False
        held, self._held_texts = self._held_texts, {}
        for notice in held.values():
            self._talk.user_text(notice)
