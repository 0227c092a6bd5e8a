"""Faults of networks and services, over real sockets in real time; all at once, each with servers of its own."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from bench.resilience_rows import SOCKETS, Row, Stamped
from bench.resilience_server import Service
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.pcm import RATE, Pcm, to_pcm
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.clock import SystemClock, UnixClock
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.protocol.session import Session
from mrblue_cli.realtime.client import connect
from mrblue_cli.realtime.options import ConnectOptions
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.rungs import Rung, RungName, Transport
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.speakers import PacedSpeaker
from tests.fakes.cut_server import REPLY_SECONDS, level_of, marked

QUESTION = Path(__file__).parent.parent / "mrblue_cli" / "data" / "question.wav"
SPOKEN = to_pcm(parse_wav(QUESTION.read_bytes(), "question.wav").samples)[: int(1.5 * RATE)]
BASE = load_base()
PATIENCE_SECONDS = 75.0


class SocketTalk:
    """One talk with a service, and a second service below it."""

    def __init__(self, *, session_seconds: int = 0, lesser: bool = True) -> None:
        self.events = Stamped()
        self.service = Service(1, session_seconds=session_seconds)
        self.lesser = Service(2)
        self.said: list[str] = []
        self.samples: Counter[int] = Counter()
        self._with_lesser = lesser

    async def begin(self) -> None:
        """Start the servers and the talk, without waiting for it."""
        await self.service.up()
        await self.lesser.up()
        clock = SystemClock()
        self.microphone = ClockMicrophone(clock)
        rungs = [Rung(RungName.REALTIME, "openai", lambda: self._connect(self.service), Session())]
        if self._with_lesser:
            rungs.append(Rung(RungName.LOCAL, "local", lambda: self._connect(self.lesser), Session()))
        self.session = TalkSession(
            TalkOptions(reply_timeout_seconds=20),
            rungs=rungs,
            microphone=self.microphone,
            speaker=PacedSpeaker(clock),
            reasoner=Reasoner(BASE),
            clock=clock,
            wall=UnixClock(),
            ids=RandomIds(),
            emit=self.events.append,
            tap=self,
            chance=random.random,
        )
        self._running = asyncio.ensure_future(self.session.run())

    async def end(self) -> None:
        """End the talk and the servers."""
        self.session.control(do.Quit())
        await self._running
        await self.service.down()
        await self.lesser.down()

    async def _connect(self, service: Service) -> Transport:
        return await connect(ConnectOptions(service.url))

    def take(self, _heard: Pcm, played: Pcm) -> None:
        """Count what really went out, by the reply it belongs to (`voice.ports.AudioTap`)."""
        values, counts = np.unique(played, return_counts=True)
        self.samples.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    async def until(self, met: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for it; raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not met():  # noqa: ASYNC110 - a state of several parts
                await asyncio.sleep(0.02)

    @property
    def settled(self) -> bool:
        """Nobody speaks, nothing is due."""
        return self.session.flow.settled

    def ask(self, *, aloud: bool = True) -> int:
        """Say the next question; returns its number."""
        mark = len(self.said) + 1
        self.said.append(f"question {mark}")
        if aloud and self.session.link.rung.hears:
            self.microphone.load(WavAudio(marked(SPOKEN, mark) / np.float32(32767), RATE))
        else:
            self.session.control(do.Say(self.said[-1]))
        return mark

    async def answered(self, mark: int) -> None:
        """Wait until the words of a question are shown and its reply is over."""
        replies = lambda: self.events.finals(ev.AssistantTranscript)  # noqa: E731 - a question asked again and again
        await self.until(
            lambda: (
                self.said[mark - 1] in self.events.finals(ev.UserTranscript)
                and any(f"answer-{mark}-" in text for text in replies())
                and self.settled
            )
        )

    def listening_again(self, since: float) -> float | None:
        """Seconds from the fault until the connection stood again; None: nobody noticed that it did not."""
        down = [
            at
            for event, at in zip(self.events, self.events.at, strict=True)
            if isinstance(event, ev.StatusChanged) and event.state is ev.State.RECONNECTING and at >= since
        ]
        if not down:
            return None
        back = (
            at
            for event, at in zip(self.events, self.events.at, strict=True)
            if isinstance(event, ev.RungChanged) and at >= down[0]
        )
        return next((at - since for at in back), None)

    def judge(self, row: Row) -> None:
        """Lines and replies: each once."""
        row.lines(self.said, self.events.finals(ev.UserTranscript))
        spoken = self.events.finals(ev.AssistantTranscript)
        for mark in range(1, len(self.said) + 1):
            about = [text for text in spoken if f"answer-{mark}-" in text]
            pieces = " ".join(about).split()
            heard = self.samples[level_of(mark)] / RATE
            row.twice += len(about) > 1 or len(set(pieces)) < len(pieces) or heard > REPLY_SECONDS + 0.01
            row.lost += not about
        row.expect("an error ended the talk", holds=self.events[-1] == ev.Ended("quit"))


Act = Callable[[SocketTalk], Awaitable[None]]


async def mid_reply(fault: str, act: Act, *, lines: int = 1, more: int = 1, **options: object) -> Row:
    """The fault comes while a reply is heard; then the talk goes on. `lines`: how often the person may be told."""
    row, talk = Row(fault, SOCKETS), SocketTalk(**options)  # type: ignore[arg-type]
    await talk.begin()
    try:
        await talk.until(lambda: talk.settled)
        await talk.answered(talk.ask())
        mark = talk.ask()
        await talk.until(lambda: talk.samples[level_of(mark)] > RATE // 4)
        since = asyncio.get_running_loop().time()
        await act(talk)
        await talk.answered(mark)
        for _ in range(more):
            await talk.answered(talk.ask())
        row.seconds, row.told = talk.listening_again(since), talk.events.told(since)
    except TimeoutError:
        row.wrong.append(f"nothing happened any more; told: {talk.events.told()}")
    await talk.end()
    talk.judge(row)
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) <= lines)
    row.expect("nobody was told", holds=bool(row.told) or not lines)
    return row


def closing(code: int | None, *, lines: int = 1) -> Awaitable[Row]:
    """The server closes with this code."""

    async def act(talk: SocketTalk) -> None:
        await talk.service.close(code)

    return mid_reply(f"close code {code or 1005} in a reply", act, lines=lines)


async def _abort(talk: SocketTalk) -> None:
    talk.service.abort()


async def _stall(talk: SocketTalk) -> None:
    talk.service.stall()


async def _key_refused(talk: SocketTalk) -> None:
    talk.service.refuse = 401
    talk.service.abort()


async def _restart(talk: SocketTalk) -> None:
    talk.service.refuse = 503
    talk.service.abort()
    asyncio.get_running_loop().call_later(3.0, setattr, talk.service, "refuse", None)


async def _quota(talk: SocketTalk) -> None:
    await talk.service.tell_error("insufficient_quota", "You exceeded your current quota.")


async def _expired(talk: SocketTalk) -> None:
    await talk.service.tell_error("session_expired", "Your session hit the maximum duration of 60 minutes.")
    await talk.service.close(1001)


async def _down_and_up(talk: SocketTalk, seconds: float) -> None:
    await talk.service.down()

    async def later() -> None:
        await asyncio.sleep(seconds)
        await talk.service.up()

    talk.returning = asyncio.ensure_future(later())  # type: ignore[attr-defined]


async def refused_at_the_start() -> Row:
    """The key is refused before anything began."""
    row, talk = Row("key refused (401) at the start", SOCKETS), SocketTalk()
    talk.service.refuse = 401
    began = asyncio.get_running_loop().time()
    await talk.begin()
    try:
        await talk.until(lambda: talk.settled)
        row.seconds = asyncio.get_running_loop().time() - began
        await talk.answered(talk.ask())
        row.told = talk.events.told()
    except TimeoutError:
        row.wrong.append("nothing happened any more")
    await talk.end()
    talk.judge(row)
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) == 1)
    return row


async def down_then_up() -> Row:
    """The service is away for longer than all tries take; the talk goes down and comes back up by itself."""
    row, talk = Row("service away for 30 s, then back", SOCKETS), SocketTalk()
    await talk.begin()
    try:
        await talk.until(lambda: talk.settled)
        mark = talk.ask()
        await talk.until(lambda: talk.samples[level_of(mark)] > RATE // 4)
        since = asyncio.get_running_loop().time()
        await _down_and_up(talk, 30.0)
        await talk.answered(mark)
        await talk.until(lambda: str(talk.session.link.rung.name) == "local")
        await talk.answered(talk.ask())
        await talk.until(lambda: str(talk.session.link.rung.name) == "realtime")
        row.note = f"up again {asyncio.get_running_loop().time() - since - 30:.0f} s after the service was there"
        await talk.answered(talk.ask())
        row.seconds, row.told = talk.listening_again(since), talk.events.told(since)
    except TimeoutError:
        row.wrong.append(f"nothing happened any more; told: {talk.events.told()}")
    await talk.end()
    talk.judge(row)
    row.expect(f"told {len(row.told)} lines", holds=len(row.told) == 2)
    return row


async def sessions_of_twelve_seconds() -> Row:
    """Each session ends by itself after 12 s; the talk is renewed before."""
    row, talk = Row("sessions that expire (12 s each, 40 s of talk)", SOCKETS), SocketTalk(session_seconds=12)
    await talk.begin()
    try:
        await talk.until(lambda: talk.settled)
        end = asyncio.get_running_loop().time() + 40
        while asyncio.get_running_loop().time() < end:
            await talk.answered(talk.ask())
            await asyncio.sleep(0.5)
        row.told = talk.events.told()
        row.note = f"{talk.service.sessions} sessions"
    except TimeoutError:
        row.wrong.append(f"nothing happened any more; told: {talk.events.told()}")
    await talk.end()
    talk.judge(row)
    row.expect(f"told {len(row.told)} lines", holds=not row.told)
    row.expect("no renewal", holds=talk.service.sessions >= 4)
    return row


async def all_rows() -> list[Row]:
    """Every fault of this kind; they share the loop and take as long as the slowest."""
    short: Act = lambda talk: _down_and_up(talk, 5.0)  # noqa: E731 - one of many
    jobs: list[Awaitable[Row]] = [
        *(closing(code) for code in (1001, None, 1011, 1012, 1013)),
        *(closing(code, lines=2) for code in (1000, 1008, 4000)),
        mid_reply("connection broken (TCP reset)", _abort),
        mid_reply("... without another way to go", _abort, lesser=False),
        mid_reply("connection silent (no data, no pong)", _stall),
        mid_reply("service restarts (503 for 3 s)", _restart),
        mid_reply("service away for 5 s", short),
        down_then_up(),
        mid_reply("key refused (401) after a loss", _key_refused),
        refused_at_the_start(),
        mid_reply("out of credit (`insufficient_quota`)", _quota, lines=2),
        mid_reply("session ended early (`session_expired`)", _expired),
        sessions_of_twelve_seconds(),
    ]
    return list(await asyncio.gather(*jobs))
