"""One client's session with the engine: the protocol's server side joined to ear, recogniser, brain and voice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from msgspec import UNSET

from mrblue_cli.assistant.brain import Brain, CallTool, ModelUse, Question, not_heard_line
from mrblue_cli.assistant.roles import greeting_of
from mrblue_cli.assistant.turn_end import judge
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.segmenter import Boundary, SpeechBegan, SpeechEnded, SpeechPaused, SpeechResumed
from mrblue_cli.core.errors import MrBlueError, RemoteError
from mrblue_cli.core.ids import IdSource
from mrblue_cli.engine.clauses import ClauseSplitter
from mrblue_cli.engine.delivery import speak_in_order
from mrblue_cli.engine.detection import STT_RATE, Ear
from mrblue_cli.engine.questions import MAX_TOOL_ROUNDS, asked_of, exchanges, specs_of
from mrblue_cli.engine.recognition import TurnRecogniser
from mrblue_cli.engine.speech import Samples, Speech, Transcript
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.codec import EventFault
from mrblue_cli.protocol.server import ServerConversation, ServerOutcome
from mrblue_cli.protocol.server_events import ServerEvent
from mrblue_cli.protocol.session import Session, Transcription


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What all sessions of one engine share."""

    speech: Speech
    brain: Brain
    preview: Callable[[Question], str | None]
    """The answer that will probably be given, where that can be told at once; its first clause is spoken ahead."""
    prompt: str
    """The recogniser's vocabulary prompt."""
    language: str


@dataclass(frozen=True, slots=True)
class _Heard:
    text: str
    by_hand: bool


class EngineSession:
    """Feed it client events; `send` gets the server events, in order. All methods belong to one event loop.

    `lost` is asked about every failure of a service behind speech or brain: True when the session ends of it, so that
    nothing more is to be said here.
    """

    def __init__(
        self,
        parts: EngineParts,
        defaults: Session,
        *,
        ids: IdSource,
        expires_at: int,
        send: Callable[[ServerEvent], None],
        lost: Callable[[RemoteError], bool] | None = None,
    ) -> None:
        self._parts = parts
        self._send = send
        self._lost = lost or (lambda _: False)
        self._conversation = ServerConversation(defaults, ids=ids, expires_at=expires_at)
        self._ear = Ear()
        self._language = parts.language
        self._prompt = parts.prompt
        self._speed = 1.0
        self._recogniser: TurnRecogniser | None = None
        self._speech_item: str | None = None
        self._transcribing: dict[str, asyncio.Task[_Heard]] = {}
        self._replies: dict[str, asyncio.Task[None]] = {}
        self._side_jobs: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Send `session.created`; the models must be warm."""
        self._apply(self._conversation.open())

    def receive(self, event: ClientEvent) -> None:
        """Act on one client event."""
        self._apply(self._conversation.receive(event))

    def refuse(self, fault: EventFault) -> None:
        """Answer an event that could not be read."""
        self._apply(self._conversation.refuse(fault))

    async def close(self) -> None:
        """Stop everything; safe to call again."""
        jobs = [*self._replies.values(), *self._transcribing.values(), *self._side_jobs]
        for job in jobs:
            job.cancel()
        for job in jobs:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await job

    def _apply(self, outcome: ServerOutcome) -> None:
        for event in outcome.send:
            self._send(event)
        for command in outcome.commands:
            self._act(command)

    def _act(self, command: cmd.Command) -> None:
        match command:
            case cmd.AudioArrived():
                for boundary in self._ear.feed(command.pcm, replying=bool(self._replies)):
                    self._on_boundary(boundary)
                self._offer_partial()
            case cmd.AudioForgotten():
                self._ear.forget()
                self._recogniser = None
            case cmd.TurnClosed():
                self._transcribe(command.item_id, self._ear.audio(), None, by_hand=True)
                self._ear.forget()
            case cmd.TurnsConfigured():
                self._ear.configure(command.detection)
                self._recogniser = None
            case cmd.SessionChanged():
                self._configure(command.session)
            case cmd.StartReply():
                self._replies[command.response_id] = asyncio.ensure_future(self._reply(command))
            case cmd.StopReply():
                job = self._replies.pop(command.response_id, None)
                if job is not None:
                    job.cancel()

    def _configure(self, session: Session) -> None:
        audio = session.audio
        if audio is UNSET:
            return
        if audio.input is not UNSET and isinstance(audio.input.transcription, Transcription):
            asked = audio.input.transcription
            self._language = asked.language or self._parts.language
            # Words of another language would lead the recogniser astray.
            own = self._parts.prompt if self._language == self._parts.language else ""
            self._prompt = asked.prompt or own
        if audio.output is not UNSET and isinstance(audio.output.speed, float | int):
            self._speed = float(audio.output.speed)

    # Hearing ---------------------------------------------------------------------------------------------------

    def _on_boundary(self, boundary: Boundary) -> None:
        match boundary:
            case SpeechBegan():
                self._apply(self._conversation.speech_started(boundary.at_sample * 1000 // RATE))
                self._speech_item = self._conversation.open_item
                self._recogniser = self._new_recogniser(self._speech_item)
            case SpeechPaused():
                self._guess(boundary.at_sample)
            case SpeechResumed():
                if self._recogniser is not None:
                    self._recogniser.resumed()
            case SpeechEnded():
                audio = self._ear.audio()
                outcome, item_id = self._conversation.speech_stopped(boundary.at_sample * 1000 // RATE)
                if item_id is not None:
                    # Known before the reply starts, since the reply waits for it.
                    self._transcribe(item_id, audio, boundary.speech_end_sample, by_hand=False)
                self._apply(outcome)

    def _new_recogniser(self, item_id: str | None) -> TurnRecogniser:
        def tell(words: str) -> None:
            if item_id is not None:
                self._apply(self._conversation.transcript_delta(item_id, words))

        return TurnRecogniser(self._hear, tell)

    async def _hear(self, samples: Samples) -> Transcript:
        return await self._parts.speech.hear(samples, self._prompt, self._language)

    def _offer_partial(self) -> None:
        speech = self._parts.speech
        if self._recogniser is None or not speech.hearing_is_idle or self._ear.kept_seconds < 1.0:
            return
        if not speech.passes_are_free:
            return
        self._recogniser.offer_partial(self._ear.audio())

    def _guess(self, end_sample: int) -> None:
        free = self._parts.speech.passes_are_free
        if self._recogniser is None or not (free or self._ear.minds_meaning):
            return
        job = self._recogniser.guess_end(self._ear.audio(), end_sample)
        if free:
            self._later(self._speak_ahead(job))
        if self._ear.minds_meaning:
            self._later(self._judge_pause(self._recogniser, job))

    async def _judge_pause(self, recogniser: TurnRecogniser, job: asyncio.Task[Transcript]) -> None:
        """Decide by what was said how long this pause may be, unless it is over already."""
        transcript = await asyncio.shield(job)
        if self._recogniser is recogniser and recogniser.stands(job):
            self._ear.judged(judge(transcript.text))

    async def _speak_ahead(self, job: asyncio.Task[Transcript]) -> None:
        """Have the first clause of the probable answer ready when the silence is over."""
        transcript = await asyncio.shield(job)
        if not transcript.text:
            return
        tools = self._conversation.session.tools
        specs = () if tools is UNSET else specs_of(tools)
        answer = self._parts.preview(Question(transcript.text, exchanges(self._conversation.history), tools=specs))
        if answer:
            splitter = ClauseSplitter()
            clauses = splitter.feed(answer) or splitter.finish()
            if clauses:
                self._parts.speech.prepare(clauses[0], self._speed)

    def _transcribe(self, item_id: str, audio: Samples, end_sample: int | None, *, by_hand: bool) -> None:
        recogniser = self._recogniser if not by_hand and self._recogniser is not None else self._new_recogniser(None)
        self._recogniser = None
        # What nobody asked about (it was no turn) is not kept.
        kept = {item.key for item in self._conversation.history}
        for key in [key for key, job in self._transcribing.items() if job.done() and key not in kept]:
            del self._transcribing[key]
        self._transcribing[item_id] = asyncio.ensure_future(
            self._transcribed(recogniser, item_id, audio, end_sample, by_hand=by_hand)
        )

    async def _transcribed(
        self, recogniser: TurnRecogniser, item_id: str, audio: Samples, end_sample: int | None, *, by_hand: bool
    ) -> _Heard:
        try:
            transcript = await recogniser.finish(audio, end_sample)
        except (MrBlueError, RuntimeError, ValueError) as error:
            if isinstance(error, RemoteError) and self._lost(error):
                return _Heard("", by_hand)
            self._apply(self._conversation.transcript_failed(item_id, f"speech recognition failed: {error}"))
            return _Heard("", by_hand)
        seconds = len(audio) / STT_RATE
        completed = self._conversation.transcript_completed(item_id, transcript.text, seconds, transcript.usage)
        self._apply(completed)
        return _Heard(transcript.text, by_hand)

    # Answering -------------------------------------------------------------------------------------------------

    async def _reply(self, order: cmd.StartReply) -> None:
        response_id = order.response_id
        try:
            question = await self._question(order)
            if question is not None:
                await self._answer(order, question)
            self._apply(self._conversation.reply_finished(response_id))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a brain or voice does, the reply must end exactly once
            if isinstance(error, RemoteError) and self._lost(error):
                return
            self._apply(self._conversation.reply_failed(response_id, "server_error", f"the reply failed: {error}"))
        finally:
            self._replies.pop(response_id, None)

    async def _question(self, order: cmd.StartReply) -> Question | None:
        """What is to be answered; None when the person made a sound that was no words."""
        items = self._conversation.history if order.history is None else order.history
        heard: _Heard | None = None
        key = next((item.key for item in reversed(items) if item.role == "user"), None)
        pending = None if key is None else self._transcribing.pop(key, None)
        if pending is not None:
            # Shielded: a reply that is spoken over must not take the person's words with it.
            heard = await asyncio.shield(pending)
            if not heard.text and not heard.by_hand:
                return None
            items = self._conversation.history if order.history is None else order.history
        asked = asked_of(items)
        words = heard.text if heard is not None else "" if asked.item is None else asked.item.text
        text = " ".join(part for part in (*asked.earlier, words) if part)
        return Question(
            text,
            asked.before + asked.after,
            order.instructions,
            specs_of(order.tools) if asked.rounds < MAX_TOOL_ROUNDS else (),
            after=len(asked.after),
            count=lambda use: self._count(order.response_id, use),
        )

    def _count(self, response_id: str, use: ModelUse) -> None:
        self._conversation.reply_used(
            response_id, use.model, input_tokens=use.input_tokens, cached_tokens=use.cached_tokens,
            output_tokens=use.output_tokens, reasoning_tokens=use.reasoning_tokens,
        )  # fmt: skip

    async def _answer(self, order: cmd.StartReply, question: Question) -> None:
        calls: list[CallTool] = []
        if question.text or question.after:
            answer = self._parts.brain.answer(question)
        else:
            answer = _only(greeting_of(question.instructions) or not_heard_line())
        async with aclosing(cast("AsyncGenerator[str | CallTool, None]", answer)) as pieces:
            words = _words(pieces, calls)
            if order.spoken:
                await self._speak(order.response_id, words)
            else:
                async for word in words:
                    self._apply(self._conversation.reply_text(order.response_id, word))
        for call in calls:
            self._apply(self._conversation.reply_call(order.response_id, call.name, call.arguments))

    async def _speak(self, response_id: str, words: AsyncIterator[str]) -> None:
        speech, conversation, speed = self._parts.speech, self._conversation, self._speed

        def say(clause: str) -> AsyncIterator[bytes]:
            if speech.billed_voice:
                conversation.reply_used(response_id, speech.billed_voice, characters=len(clause))
            return speech.say(clause, speed)

        def deliver(text: str, pcm: bytes) -> None:
            self._apply(conversation.reply_text(response_id, text))
            self._apply(conversation.reply_audio(response_id, pcm))

        await speak_in_order(_clauses(words), say, deliver)

    def _later(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(job)
        self._side_jobs.add(task)
        task.add_done_callback(self._side_jobs.discard)


async def _words(pieces: AsyncIterator[str | CallTool], calls: list[CallTool]) -> AsyncIterator[str]:
    """The words of an answer; what it wants called is put aside until they are said."""
    async for piece in pieces:
        if isinstance(piece, CallTool):
            calls.append(piece)
        else:
            yield piece


async def _clauses(words: AsyncIterator[str]) -> AsyncIterator[str]:
    splitter = ClauseSplitter()
    async for piece in words:
        for clause in splitter.feed(piece):
            yield clause
    for clause in splitter.finish():
        yield clause


async def _only(text: str) -> AsyncIterator[str | CallTool]:
    yield text
