"""What passes from one connection to the next, so that the talk goes on as if nothing had happened.

Source: voice-craft section 12. The next session is told the dialogue as text, heard parts only; it hears again what was
said and not understood yet; a reply of which nothing was heard is asked for again. What was received of the old
session's reply goes on playing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from mrblue_cli.core.ids import IdSource
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client import CHUNK_BYTES, ClientConversation, Outcome
from mrblue_cli.protocol.client_events import CreateItem, DeleteItem
from mrblue_cli.protocol.server_events import SessionCreated
from mrblue_cli.protocol.transitions import Reply
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Dialogue, Said, Who
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.legs import Leg, Names, Registry
from mrblue_cli.voice.rungs import Rung
from mrblue_cli.voice.seeding import item_of, newest_that_fit, tool_note
from mrblue_cli.voice.speaking import Speaking
from mrblue_cli.voice.tool_runs import ToolRuns
from mrblue_cli.voice.utterances import Utterance, Utterances


class _Talk(Protocol):
    flow: TurnFlow
    dialogue: Dialogue
    speaking: Speaking
    tools: ToolRuns

    def apply(self, outcome: Outcome) -> None: ...
    def hear(self, notice: n.Notice) -> None: ...
    def silence(self, report: Callable[..., Outcome]) -> None: ...
    def reply_asked(self) -> None: ...


class Continuity:
    """Keeps the legs of one talk, and what the next one must know."""

    def __init__(self, talk: _Talk, first: ClientConversation, *, ids: IdSource) -> None:
        self._talk = talk
        self._ids = ids
        self._registry: Registry = {said.item_id: 0 for said in talk.dialogue.said}
        self._count = 1
        self.leg = Leg(first, Names(1, self._registry))
        self._old: list[Leg] = []
        self._resumed: str | None = None
        """The shown name of a turn that was in progress when the connection was lost."""
        self._results_wanted = False
        """A tool was asked for, and nobody has interrupted since."""
        self.utterances = Utterances()
        self.live = False
        """A server listens."""

    # Before: a new session is prepared --------------------------------------------------------------------------

    def prepare(self, rung: Rung, conversation: ClientConversation, created: SessionCreated) -> Leg:
        """A leg with its first events: the settings with the tools, then the dialogue as text."""
        self._count += 1
        leg = Leg(conversation, Names(self._count, self._registry), hears=rung.hears)
        outcome = conversation.receive(created)
        leg.ready = outcome.notices
        leg.opening += outcome.send
        unknown = self._unknown
        for said in self._worth_telling():
            if said.item_id in unknown or (said.who is Who.ASSISTANT and not said.final):
                break  # what follows has its place behind words that are not known yet
            if not said.final:
                continue
            leg.opening += self._tell(leg, said).send
        return leg

    @property
    def _unknown(self) -> set[str]:
        """Shown names of what the person said, or is saying, and whose words are not back."""
        names = self.leg.names
        names_now = [one.item_id for one in self.utterances.completed] + [self.utterances.begun_item]
        shown = {names.shown(item_id) for item_id in names_now if item_id is not None}
        return shown | {one.shown for one in self.utterances.completed if one.shown} | {self._resumed or ""}

    def _worth_telling(self) -> tuple[Said, ...]:
        """All lines that a session should know, in order, and those of the person that have no words yet."""
        lines = self._talk.dialogue.lines
        worded = [said for said in lines if said.text and (said.final or said.who is not Who.USER)]
        chosen = {said.item_id: said for said in newest_that_fit(worded)}
        due = (said for said in lines if said.item_id in chosen or (said.who is Who.USER and not said.final))
        return tuple(chosen.get(said.item_id, said) for said in due)

    def _tell(self, leg: Leg, said: Said) -> Outcome:
        item_id = self._ids.new("said")
        leg.told[said.item_id] = (item_id, said.text)
        return leg.conversation.tell(item_of(said, item_id))

    # The moment itself ------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The present session ends, or has ended: close its reply, keep what was said."""
        self.live = False
        talk, leg = self._talk, self.leg
        heard = self._heard(leg)
        taken_back = leg.conversation.reply_state is Reply.DOOMED
        outcome = leg.conversation.lose(heard)
        # First what is due, then the notices: they may close the turn otherwise.
        talk.flow.awaiting_reply = (talk.flow.awaiting_reply and not taken_back) or leg.conversation.reply_due
        for notice in outcome.notices:
            talk.hear(leg.names.translate(notice))
        begun = self.utterances.begun_item
        self._resumed = None if begun is None else leg.names.shown(begun)
        for one in self.utterances.completed:
            one.shown = one.shown or (None if one.item_id is None else leg.names.shown(one.item_id))
        self.utterances.cut()
        if leg.conversation.ownership is not n.Ownership.CLIENT:
            talk.flow.hearing = False

    def _heard(self, leg: Leg) -> frozenset[str]:
        """Responses of which something was heard, or will be since other sound stands before it."""
        played = self._talk.speaking.report()
        mine = [report for report in played if leg.names.knows(report.key.item_id)]
        heard = {report.key.response_id for report in mine if report.played_ms > 0}
        unheard = {report.key.response_id for report in mine} - heard
        before = [report for report in played if report not in mine or report.key.response_id in heard]
        if any(not report.complete for report in before):
            return frozenset(heard | unheard)
        if unheard & leg.conversation.open_responses:
            # Its first samples wait in the player; it is asked for again as a whole.
            whole = unheard - leg.conversation.open_responses
            if whole:
                return frozenset(heard | unheard)
            self._talk.speaking.silence()
        return frozenset(heard)

    def enter(self, leg: Leg) -> None:
        """The talk goes on in this session."""
        if self.leg.plays:
            self._old.append(self.leg)
        self.leg = leg
        for notice in leg.ready:
            self._talk.hear(notice)
        self.live = True
        self._rejoin(leg)

    def _rejoin(self, leg: Leg) -> None:
        talk, conversation, kept = self._talk, leg.conversation, self.utterances
        if not leg.hears:
            kept.forget()
            newest = talk.dialogue.said[-1:]
            # What was said aloud and not understood is lost here: nobody can answer it.
            talk.flow.awaiting_reply &= bool(newest) and newest[0].who is not Who.ASSISTANT
        again = deque(kept.completed)
        if again:
            talk.apply(conversation.hold_turns())
        for said in self._worth_telling():
            if said.item_id in leg.told:
                continue
            if said.who is Who.USER and not said.final:
                while any(one.shown == said.item_id for one in again):
                    self._say_again(leg, again.popleft())
                continue
            talk.apply(self._tell(leg, said))
        for one in again:
            self._say_again(leg, one)
        if talk.flow.awaiting_reply and not kept.is_open:
            talk.apply(conversation.ask_for_reply())
        talk.apply(conversation.release_turns())
        if kept.is_open:
            talk.apply(conversation.start_turn())
            self._append(conversation)
        elif conversation.ownership is not n.Ownership.CLIENT:
            self._append(conversation)
            kept.flushed()

    def _append(self, conversation: ClientConversation) -> None:
        pcm = self.utterances.in_progress()
        for at in range(0, len(pcm), CHUNK_BYTES):
            self._talk.apply(conversation.append(pcm[at : at + CHUNK_BYTES]))

    def _say_again(self, leg: Leg, said: Utterance) -> None:
        self._talk.apply(leg.conversation.say_again(said.pcm))
        said.again = True
        self.utterances.sent_besides(len(said.pcm))

    # Meanwhile --------------------------------------------------------------------------------------------------

    def see(self, notice: n.Notice) -> n.Notice | None:
        """Take note of what the present server says. Returns it with the names that are shown; None: of no interest."""
        names, kept = self.leg.names, self.utterances
        match notice:
            case n.SpeechStarted():
                self._resume(notice.item_id)
                kept.server_began(notice.item_id, notice.audio_start_ms)
            case n.SpeechStopped():
                kept.server_stopped(notice.audio_end_ms)
            case n.TurnCommitted():
                if self._committed(notice.item_id):
                    return None
            case n.ToolCall():
                self._results_wanted = True
            case n.UserText() if notice.final:
                kept.transcribed(notice.item_id)
            case _:
                pass
        return names.translate(notice)

    def _resume(self, item_id: str) -> None:
        if self._resumed is not None:
            self.leg.names.alias(item_id, self._resumed)
            self._resumed = None

    def _committed(self, item_id: str) -> bool:
        """A turn was named. True when it is one that was said again: nobody waits for it."""
        names, kept = self.leg.names, self.utterances
        said = kept.named(item_id)
        if said is not None and said.shown is not None:
            names.alias(item_id, said.shown)
        elif said is None and self.leg.conversation.ownership is not n.Ownership.CLIENT:
            self._resume(item_id)
            kept.server_committed(item_id)
        self._talk.dialogue.place(names.shown(item_id))
        return said is not None and said.again

    def forget(self, shown: str) -> str:
        """What was said under this name counts for nothing; returns the server's name of it."""
        real = self.leg.names.real(shown)
        self.utterances.transcribed(real)
        return real

    def interrupted(self, played: tuple[n.Played, ...]) -> tuple[n.Played, ...]:
        """The speaker fell silent: close the replies of old sessions, return the reports about the present one."""
        self._results_wanted = False
        for leg in self._old:
            for notice in leg.conversation.interrupted(leg.own(played)).notices:
                self._talk.hear(leg.names.translate(notice))
        self._old.clear()
        return self.leg.own(played)

    def played_out(self, key: n.AudioKey) -> None:
        """A stream was played to its end."""
        if self.leg.names.knows(key.item_id):
            self._talk.apply(self.leg.conversation.played_out(self.leg.names.real_key(key)))
            return
        for leg in self._old:
            if leg.names.knows(key.item_id):
                for notice in leg.conversation.played_out(leg.names.real_key(key)).notices:
                    self._talk.hear(leg.names.translate(notice))
        self._old = [leg for leg in self._old if leg.plays]

    def correct(self, event: ev.TalkEvent) -> None:
        """A reply that still played when the session was told of it was cut since: tell what was really heard."""
        if not isinstance(event, ev.AssistantTranscript) or not event.final:
            return
        told = self.leg.told.get(event.item_id)
        if told is None or told[1] == event.text or not self.live:
            return
        item_id, _ = told
        new_id = self._ids.new("said")
        self.leg.told[event.item_id] = (new_id, event.text)
        said = Said(event.item_id, Who.ASSISTANT, event.text, cut=event.heard_ms is not None)
        better = (CreateItem(item=item_of(said, new_id), previous_item_id=item_id),) if event.text else ()
        self._talk.apply(Outcome(send=(*better, DeleteItem(item_id=item_id))))

    def tool_result(self, call_id: str, *, last: bool) -> None:
        """A tool that another session asked for is done: this one learns of it as text."""
        talk, conversation = self._talk, self.leg.conversation
        wanted = last and self._results_wanted
        if not self.live:
            talk.flow.awaiting_reply = talk.flow.awaiting_reply or wanted
            return
        said = next((one for one in talk.dialogue.said if one.item_id == call_id), None)
        if said is not None and call_id not in self.leg.told:
            item_id = self._ids.new("said")
            self.leg.told[call_id] = (item_id, said.text)
            talk.apply(conversation.tell(tool_note(said.text, item_id)))
        if wanted:
            talk.reply_asked()
            talk.apply(conversation.ask_for_reply())
