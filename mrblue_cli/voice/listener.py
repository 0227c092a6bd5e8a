"""What the session does about each notice of the conversation: sound, panels, transcript, measurements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.thinking import Thought
from mrblue_cli.core.errors import ProviderError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.hearing import Hearing
from mrblue_cli.voice.interruption import Interruption
from mrblue_cli.voice.link import Link
from mrblue_cli.voice.speaking import Speaking
from mrblue_cli.voice.spending import Spending
from mrblue_cli.voice.tool_runs import ToolRuns
from mrblue_cli.voice.turn_times import TurnTimes


class _Session(Protocol):
    flow: TurnFlow
    times: TurnTimes
    link: Link
    hearing: Hearing
    speaking: Speaking
    spending: Spending
    tools: ToolRuns
    interruption: Interruption

    @property
    def conversation(self) -> ClientConversation: ...
    @property
    def now_ms(self) -> int: ...
    @property
    def mode(self) -> ev.TurnMode: ...
    @property
    def devices(self) -> tuple[str | None, str | None]: ...
    def emit(self, event: ev.TalkEvent) -> None: ...
    def apply(self, outcome: Outcome) -> None: ...
    def silence(self, report: Callable[..., Outcome]) -> None: ...
    def reply_asked(self) -> None: ...
    def end(self, reason: str) -> None: ...


class NoticeListener:
    """Turns notices into sound and events, and keeps the little state that takes."""

    def __init__(self, session: _Session, reasoner: Reasoner) -> None:
        self._session = session
        self._reasoner = reasoner
        self._model = ""
        self._final_texts: dict[str, str] = {}
        self._audio_items: set[str] = set()
        self._announced = False
        self._wordless = self._told_wordless = False
        """The newest turn had no words; the person was told so, and is not told again before there are some."""
        self._started = False
        self._unanswered = False
        """The newest reply failed, and nothing of it was made."""
        self.turns_finished = 0

    def hear(self, notice: n.Notice) -> None:
        """Act on one notice."""
        session = self._session
        match notice:
            case n.ReplyAudio():
                session.times.audio_received(session.now_ms)
                self._audio_items.add(notice.key.item_id)
                session.speaking.play(notice.key, notice.pcm)
            case n.ReplyAudioDone():
                session.speaking.finish(notice.key)
            case n.ReplyText():
                self._reply_text(notice)
            case n.UserText() | n.SpeechStarted() | n.TurnCommitted():
                session.interruption.hear(notice)
            case n.TurnTooShort():
                session.flow.awaiting_reply = False
                session.emit(ev.Advice(tell("that was too short: hold the thought, then tap again to send")))
            case n.StopPlayback():
                session.silence(session.conversation.interrupted)
            case n.ReplyStarted():
                self._announced = False
                session.flow.reply_started()
            case n.ReplyDone():
                self._reply_done(notice)
            case n.SessionReady():
                self._ready(notice)
            case n.RateLimited() | n.TranscriptUsage():
                session.spending.hear(notice)
            case n.ToolCall():
                session.tools.start(notice)
            case n.ProtocolFailure():
                self._failure(notice)
            case _:
                pass

    def heard_out(self, key: n.AudioKey) -> None:
        """A stream was played to its end: its words are final now."""
        text = self._final_texts.pop(key.item_id, None)
        if text is not None:
            self._session.emit(ev.AssistantTranscript(key.item_id, text, final=True))

    def finish_if_silent(self) -> None:
        """Close the turn once its reply is made and heard."""
        flow = self._session.flow
        pending = flow.awaiting_reply or flow.generating or flow.queued or flow.audible
        pending = pending or self._session.speaking.stopping or self._session.tools.running
        if self._session.times.is_open and not pending:
            self.close_turn()

    def close_turn(self) -> None:
        """Tell the times of the open turn, if there is one."""
        for item_id, text in self._final_texts.items():
            self._session.emit(ev.AssistantTranscript(item_id, text, final=True))
        self._final_texts.clear()
        session = self._session
        if not session.times.is_open:
            return
        cost = session.spending.close_turn()
        losses = session.hearing.losses
        record = session.times.finish(underruns=session.speaking.underruns, losses=losses, cost_usd=cost)
        if record is not None:
            self.turns_finished += 1
            session.emit(record)

    def _ready(self, notice: n.SessionReady) -> None:
        session = self._session
        self._model = notice.model
        if self._started:
            return  # another session of the same talk; what the person must know of it was told
        self._started = True
        microphone, speaker = session.devices
        rung, dialect = session.link.rung, str(notice.dialect)
        session.emit(
            ev.SessionStarted(rung.engine, notice.model, dialect, session.mode, microphone, speaker, str(rung.name))
        )

    def user_text(self, notice: n.UserText) -> None:
        """Show what the person said, and think about it."""
        session = self._session
        if notice.failed:
            session.emit(ev.Failure("transcription_failed", tell("your words could not be transcribed"), fatal=False))
            return
        if notice.final and not notice.text:
            self._wordless = True
            return
        self._wordless = self._told_wordless = False
        session.emit(ev.UserTranscript(notice.item_id, notice.text, notice.final))
        reasoned = self._reasoner.hear(notice.item_id, notice.text, final=notice.final)
        for thought in reasoned.thoughts:
            session.emit(ev.Thinking(thought, session.now_ms, notice.item_id))
        for hit in reasoned.hits or ():
            session.emit(ev.KbHit(notice.item_id, hit))

    def _reply_text(self, notice: n.ReplyText) -> None:
        session = self._session
        if not self._announced:
            self._announced = True
            session.emit(ev.Thinking(Thought("generating", tell("reply started")), session.now_ms))
        if notice.heard_ms is not None:
            self._final_texts.pop(notice.item_id, None)
            session.emit(ev.AssistantTranscript(notice.item_id, notice.text, final=True, heard_ms=notice.heard_ms))
        elif notice.final and notice.item_id in self._audio_items:
            # Final only when heard: until then it may still be cut.
            self._final_texts[notice.item_id] = notice.text.strip()
            session.emit(ev.AssistantTranscript(notice.item_id, notice.text.strip(), final=False))
        else:
            session.emit(ev.AssistantTranscript(notice.item_id, notice.text.strip(), final=notice.final))

    def _reply_done(self, notice: n.ReplyDone) -> None:
        session = self._session
        session.flow.reply_done()
        if self._wordless and not self._announced and not self._told_wordless and notice.status == "completed":
            self._told_wordless = True
            session.emit(ev.Advice(tell("no words could be made out: say it again")))
        session.times.used(notice.usage)
        failed = notice.status == "failed"
        session.spending.reply_done(self._model, notice.usage, made=not failed)
        self._unanswered = failed and not self._announced
        if not failed:
            self.finish_if_silent()  # after a failure it is told first what failed

    def _failure(self, notice: n.ProtocolFailure) -> None:
        session = self._session
        unanswered, self._unanswered = self._unanswered, False
        if notice.fatal and session.link.give_up(ProviderError(notice.message, code=notice.code)):
            if unanswered:
                session.reply_asked()
            return  # the talk goes on another way, and that is told
        session.emit(ev.Failure(notice.code, notice.message, notice.fatal))
        if notice.fatal:
            session.end("error")
        elif not session.flow.generating:
            session.flow.awaiting_reply = False
            self.finish_if_silent()
