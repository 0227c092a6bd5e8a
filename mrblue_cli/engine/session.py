"""One client's session with the engine: the protocol's server side joined to ear, recogniser, brain and voice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from mrblue_cli.assistant.brain import NOT_HEARD, Brain, CallTool, Exchange, Question
from mrblue_cli.assistant.turn_end import judge
from mrblue_cli.audio.pcm import RATE
from mrblue_cli.audio.segmenter import Boundary, SpeechBegan, SpeechEnded, SpeechPaused, SpeechResumed
from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.core.ids import IdSource
from mrblue_cli.engine.clauses import ClauseSplitter
from mrblue_cli.engine.detection import STT_RATE, Ear
from mrblue_cli.engine.recognition import TurnRecogniser
from mrblue_cli.engine.speech import Samples, Transcript
from mrblue_cli.engine.workers import SpeechWorkers
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.codec import EventFault
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.server import ServerConversation, ServerOutcome
from mrblue_cli.protocol.server_events import ServerEvent
from mrblue_cli.protocol.session import Session, Transcription

_MOST_PARTS = 3
"""So many unanswered pieces are put before the newest one at most."""


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What all sessions of one engine share."""

    workers: SpeechWorkers
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
    """Feed it client events; `send` gets the server events, in order. All methods belong to one event loop."""

    def __init__(
        self,
        parts: EngineParts,
        defaults: Session,
        *,
        ids: IdSource,
        expires_at: int,
        send: Callable[[ServerEvent], None],
    ) -> None:
        self._parts = parts
        self._send = send
        self._conversation = ServerConversation(defaults, ids=ids, expires_at=expires_at)
        self._ear = Ear()
        self._language = parts.language
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
            language = audio.input.transcription.language
            self._language = language if isinstance(language, str) and language else self._parts.language
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
        return await self._parts.workers.hear(samples, self._parts.prompt, self._language)

    def _offer_partial(self) -> None:
        if self._recogniser is None or not self._parts.workers.hearing_is_idle or self._ear.kept_seconds < 1.0:
            return
        self._recogniser.offer_partial(self._ear.audio())

    def _guess(self, end_sample: int) -> None:
        if self._recogniser is None:
            return
        job = self._recogniser.guess_end(self._ear.audio(), end_sample)
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
        answer = self._parts.preview(Question(transcript.text, self._history(None)))
        if answer:
            splitter = ClauseSplitter()
            clauses = splitter.feed(answer) or splitter.finish()
            if clauses:
                self._parts.workers.prepare(clauses[0], self._speed)

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
            self._apply(self._conversation.transcript_failed(item_id, f"speech recognition failed: {error}"))
            return _Heard("", by_hand)
        seconds = len(audio) / STT_RATE
        self._apply(self._conversation.transcript_completed(item_id, transcript.text, seconds))
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
            self._apply(self._conversation.reply_failed(response_id, "server_error", f"the reply failed: {error}"))
        finally:
            self._replies.pop(response_id, None)

    async def _question(self, order: cmd.StartReply) -> Question | None:
        """What is to be answered; None when the person made a sound that was no words."""
        items = self._conversation.history if order.history is None else order.history
        asked = next((item for item in reversed(items) if item.role == "user"), None)
        if asked is None:
            return Question("", self._history(None), order.instructions)
        # What was said and not answered, because the person went on: both parts are one question.
        parts = _unanswered_before(items, asked) if order.history is None else []
        before = parts[0].key if parts else asked.key
        pending = self._transcribing.pop(asked.key, None)
        if pending is not None:
            # Shielded: a reply that is spoken over must not take the person's words with it.
            heard = await asyncio.shield(pending)
            if not heard.text and not heard.by_hand:
                return None
            words = heard.text
        else:
            words = asked.text
        text = " ".join(part for part in (*(item.text for item in parts), words) if part)
        return Question(text, self._history(before), order.instructions)

    def _history(self, before_id: str | None) -> tuple[Exchange, ...]:
        past: list[Exchange] = []
        for item in self._conversation.history:
            if item.key == before_id:
                break
            past += _exchange(item)
        return tuple(past)

    async def _answer(self, order: cmd.StartReply, question: Question) -> None:
        splitter = ClauseSplitter()
        pieces = self._parts.brain.answer(question) if question.text else _only(NOT_HEARD)
        async for piece in pieces:
            if isinstance(piece, CallTool):
                continue  # nobody offers tools here yet
            if order.spoken:
                for clause in splitter.feed(piece):
                    await self._say(order.response_id, clause)
            else:
                self._apply(self._conversation.reply_text(order.response_id, piece))
        if order.spoken:
            for clause in splitter.finish():
                await self._say(order.response_id, clause)

    async def _say(self, response_id: str, clause: str) -> None:
        first = True
        async for pcm in self._parts.workers.say(clause, self._speed):
            if first:
                self._apply(self._conversation.reply_text(response_id, f"{clause} "))
                first = False
            self._apply(self._conversation.reply_audio(response_id, pcm))
            await asyncio.sleep(0)  # lets a cancel through between two pieces

    def _later(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(job)
        self._side_jobs.add(task)
        task.add_done_callback(self._side_jobs.discard)


def _unanswered_before(items: Sequence[Item], asked: Item) -> list[Item]:
    """What the person said just before `asked` and got no word of an answer to; oldest first."""
    found: list[Item] = []
    for item in reversed(items[: items.index(asked)]):
        spoken = item.role == "user" and any(part.type == "input_audio" for part in item.parts)
        cut_unheard = item.role == "assistant" and not item.text
        if not (spoken or cut_unheard) or len(found) == _MOST_PARTS:
            break
        if spoken:
            found.insert(0, item)
    return found


def _exchange(item: Item) -> list[Exchange]:
    if item.type != "message" or item.role not in {"user", "assistant"} or not item.text:
        return []
    return [Exchange(str(item.role), item.text)]


async def _only(text: str) -> AsyncIterator[str]:
    yield text
