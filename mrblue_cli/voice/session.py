"""The talk session: microphone, turns, server, speaker, panels. One event loop, no threads, no screen.

Everything a person sees or hears about leaves through `emit`; everything a person does comes in through `control`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import numpy as np

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.gate import EchoGate, Route
from mrblue_cli.audio.pcm import Pcm, meter, rms
from mrblue_cli.audio.segmenter import SegmenterOptions
from mrblue_cli.audio.turns import Begin, Commit, Discard, Rule, Stream, TurnAct, TurnTaker
from mrblue_cli.audio.vad import WebRtcDetector
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError, ConnectError, MrBlueError
from mrblue_cli.core.ids import IdSource
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.notices import Dialect, Notice, Ownership
from mrblue_cli.protocol.server_events import ServerEvent, SessionCreated
from mrblue_cli.protocol.session import ServerVad
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.listener import NoticeListener
from mrblue_cli.voice.options import TalkOptions
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.speakers import PacedSpeaker
from mrblue_cli.voice.turn_times import TurnTimes

TICK_SECONDS = 0.02
BUSY_TICK_SECONDS = 0.005
"""While the first sample is due or a stop is under way, so that measured times are not rounded to a tick."""
MICROPHONE_LOST_SECONDS = 3.0
SPEAKER_LOST_SECONDS = 2.0
_LEVEL_EVERY_TICKS = 4
_RULES = {
    ev.TurnMode.HANDS_FREE: Rule.SERVER,
    ev.TurnMode.LOCAL_VAD: Rule.LOCAL,
    ev.TurnMode.PUSH_TO_TALK: Rule.KEY,
}


class Transport(Protocol):
    """An open connection, as `realtime.client.RealtimeConnection` is one."""

    created: SessionCreated

    @property
    def dialect(self) -> Dialect:
        """The dialect spoken here."""
        ...

    async def send(self, *events: ClientEvent) -> None:
        """Send events in order."""
        ...

    def __aiter__(self) -> AsyncIterator[ServerEvent]:
        """Events until the connection ends."""
        ...

    def lost_error(self) -> ConnectError:
        """Why it ended."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


Connect = Callable[[], Awaitable[Transport]]


class TalkSession:
    """One conversation from connecting to `Ended`. Build it, call `run` once, send it controls."""

    def __init__(
        self,
        options: TalkOptions,
        *,
        engine: str,
        connect: Connect,
        microphone: MicrophonePort | None,
        speaker: SpeakerPort,
        reasoner: Reasoner,
        clock: Clock,
        ids: IdSource,
        emit: Callable[[ev.TalkEvent], None],
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._options = options
        self._connect = connect
        self._clock = clock
        self._began = clock.now()
        self._emit = emit
        self._microphone = microphone
        self._speaker = speaker
        self._tick_seconds = tick_seconds
        self._transport: Transport | None = None
        self._outbox: asyncio.Queue[ClientEvent] = asyncio.Queue()
        self._over: asyncio.Future[str] | None = None
        self._state: ev.State | None = None
        self._mode = options.turn_mode
        self._muted = False
        self._heard_blocks = 0
        self._heard_at = self._began
        self._stop_began: float | None = None
        self._reply_due_since: float | None = None
        self._level = 0.0
        self._taken = 0
        self._taken_at = self._began
        self._typed_early: list[str] = []
        self._gate = EchoGate(self._route())
        self.flow = TurnFlow(microphone_ready=microphone is None)
        self.times = TurnTimes()
        self.conversation = ClientConversation(
            options.desired,
            ownership=self._ownership(options.turn_mode),
            ids=ids,
            vad=ServerVad(
                threshold=options.threshold,
                prefix_padding_ms=options.prefix_ms,
                silence_duration_ms=options.silence_ms,
            ),
        )
        self._taker = TurnTaker(
            _RULES[options.turn_mode],
            WebRtcDetector(options.threshold),
            SegmenterOptions(silence_ms=options.silence_ms, prefix_ms=options.prefix_ms),
        )
        self._listener = NoticeListener(self, reasoner, speaker, engine=engine)

    # The outside ------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """Milliseconds since the session began."""
        return int((self._clock.now() - self._began) * 1000)

    @property
    def turns_finished(self) -> int:
        """Turns that were answered and heard (or cut off) so far."""
        return self._listener.turns_finished

    @property
    def mode(self) -> ev.TurnMode:
        """How turns are taken now."""
        return self._mode

    @property
    def devices(self) -> tuple[str | None, str | None]:
        """Names of microphone and speaker, None where there is none."""
        return (None if self._microphone is None else self._microphone.name), self._speaker.name

    def emit(self, event: ev.TalkEvent) -> None:
        """Tell the view."""
        self._emit(event)

    def control(self, control: do.Control) -> None:
        """Act on what the person did; from the session's loop only."""
        match control:
            case do.Quit():
                self.end("quit")
            case do.Say() if control.text.strip():
                self._say(control.text.strip())
            case do.TalkKey():
                self._talk_key(down=control.down)
            case do.StopReply():
                self._perform(self._taker.discard())
                self.silence(self.conversation.interrupt)
            case do.SetMuted():
                self._mute(control.muted)
            case do.SetTurnMode():
                self._change_mode(control.mode)
            case _:
                pass
        self.refresh()

    def end(self, reason: str) -> None:
        """Finish the session."""
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)

    async def run(self) -> None:
        """Hold the conversation; returns after `Ended` was emitted. Never raises `MrBlueError`: it is told instead."""
        self._over = asyncio.get_running_loop().create_future()
        self.refresh()
        jobs = [asyncio.ensure_future(self._converse())]
        try:
            watched: list[asyncio.Future[Any]] = [self._over, *jobs]
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if jobs[0].done():
                jobs[0].result()
            reason = self._over.result() if self._over.done() else "done"
        except MrBlueError as error:
            self._emit(ev.Failure(error.code, error.what, fatal=True, hint=error.hint))
            reason = "error"
        finally:
            await _stop(jobs)
            await self._close()
        self._emit(ev.Ended(reason))

    # Inside -----------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self._open_devices)
        try:
            self._transport = await self._connect()
        finally:
            for advice in await opening:
                self._emit(advice)
        self.flow.connected = True
        self.apply(self.conversation.receive(self._transport.created))
        for text in self._typed_early:
            self._say(text)
        jobs = [
            asyncio.ensure_future(job)
            for job in (self._read(self._transport), self._write(self._transport), self._tick())
        ]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                if job.done():
                    job.result()
        finally:
            await _stop(jobs)

    def _open_devices(self) -> list[ev.TalkEvent]:
        """Open what there is; what fails is told, and the talk goes on by text."""
        told: list[ev.TalkEvent] = []
        try:
            self._speaker.open()
        except ComponentError as error:
            told.append(ev.Failure(error.code, f"{error.what}; replies are shown, not heard", False, error.hint))
        if self._microphone is not None:
            try:
                self._microphone.open()
            except ComponentError as error:
                told.append(ev.Failure(error.code, f"{error.what}; type instead of talking", False, error.hint))
                self._microphone = None
                self.flow.microphone_ready = True
        return told

    async def _close(self) -> None:
        if self._microphone is not None:
            self._microphone.close()
        self._speaker.close()
        if self._transport is not None:
            with contextlib.suppress(MrBlueError, OSError):
                await self._transport.close()

    async def _read(self, transport: Transport) -> None:
        async for event in transport:
            self.apply(self.conversation.receive(event))
            self.refresh()
        raise transport.lost_error()

    async def _write(self, transport: Transport) -> None:
        while True:
            await transport.send(await self._outbox.get())

    async def _tick(self) -> None:
        count = 0
        while True:
            self._speaker.pump()
            self._listen()
            self._watch_speaker()
            self._watch_playback()
            self._watch_reply()
            self.refresh()
            count += 1
            if count % _LEVEL_EVERY_TICKS == 0:
                self._emit(ev.Levels(meter(self._level), meter(self._speaker.level)))
            busy = self.times.awaits_sample or self._stop_began is not None
            await asyncio.sleep(min(BUSY_TICK_SECONDS, self._tick_seconds) if busy else self._tick_seconds)

    def apply(self, outcome: Outcome) -> None:
        """Send what is to be sent and act on the notices."""
        for event in outcome.send:
            self._outbox.put_nowait(event)
        for notice in outcome.notices:
            self._notice(notice)

    def _notice(self, notice: Notice) -> None:
        self._listener.hear(notice)

    def silence(self, report: Callable[..., Outcome]) -> None:
        """Stop the speaker, then tell the server how much was heard. `report` takes what the speaker reports."""
        sounding = self._speaker.sounding
        played = self._speaker.stop()
        if sounding:
            self._stop_began = self._clock.now()
        self.flow.silenced()
        self.apply(report(played))

    def refresh(self) -> None:
        """Tell the state word when it changed."""
        self.flow.muted = self._muted
        if self.flow.state is not self._state:
            self._state = self.flow.state
            self._emit(ev.StatusChanged(self._state))

    def fail(self, error: MrBlueError) -> None:
        """Tell of a failure that does not end the session."""
        self._emit(ev.Failure(error.code, error.what, fatal=False, hint=error.hint))

    # Listening --------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._microphone is None:
            return
        pcm = self._microphone.read()
        self._watch_microphone(self._microphone)
        if len(pcm) == 0 or not self.flow.connected:
            return
        self._level = rms(pcm[-960:])
        playing = not self._speaker.drained
        # The talk key always gets through; otherwise a loudspeaker closes the microphone.
        gate = self._gate.is_open(playing=playing, samples=len(pcm)) or self._taker.is_open
        heard: Pcm = pcm if gate and not self._muted else np.zeros_like(pcm)
        self._perform(self._taker.hear(heard, replying=playing))
        if self._taker.speech:
            self.times.speech_heard(self.now_ms)

    def _watch_microphone(self, microphone: MicrophonePort) -> None:
        now = self._clock.now()
        if microphone.blocks_heard != self._heard_blocks:
            self._heard_blocks, self._heard_at = microphone.blocks_heard, now
            self.flow.microphone_ready = True
        elif now - self._heard_at > MICROPHONE_LOST_SECONDS + (0 if self.flow.microphone_ready else 7):
            word = "fell silent" if self.flow.microphone_ready else "gives no sound"
            hint = "plug it in again and restart the talk; meanwhile type, or see mrblue doctor"
            self._emit(ev.Failure("device", f"microphone '{microphone.name}' {word}", False, hint))
            microphone.close()
            self._microphone = None
            self.flow.microphone_ready = True
            self._perform(self._taker.end())

    def _perform(self, acts: list[TurnAct]) -> None:
        for act in acts:
            match act:
                case Stream():
                    self.apply(self.conversation.append(act.pcm.astype("<i2").tobytes()))
                case Begin():
                    self.silence(self.conversation.start_turn)
                    self.flow.hearing = True
                    self.apply(self.conversation.append(act.pcm.astype("<i2").tobytes()))
                case Commit():
                    self.flow.committed()
                    self.expect_reply(spoken=True)
                    self.apply(self.conversation.commit_turn())
                case Discard():
                    self.flow.discarded()
                    self.apply(self.conversation.abandon_turn())

    def _talk_key(self, *, down: bool) -> None:
        if self._mode is ev.TurnMode.PUSH_TO_TALK:
            if self._microphone is None and down:
                self._emit(ev.Advice("there is no microphone: type instead"))
                return
            if down and self._muted:
                self._mute(False)
            self._perform(self._taker.press() if down else self._taker.release())
        elif down:
            self.silence(self.conversation.interrupt)

    def _mute(self, muted: bool) -> None:
        if muted and not self._muted:
            self._perform(self._taker.end())
        self._muted = muted

    def _change_mode(self, mode: ev.TurnMode) -> None:
        if mode is self._mode:
            return
        self._mode = mode
        self._perform(self._taker.change_rule(_RULES[mode]))
        self.apply(self.conversation.set_ownership(self._ownership(mode)))
        self._emit(ev.Advice(f"turns: {mode}"))

    def _say(self, text: str) -> None:
        if not self.flow.connected:
            self._typed_early.append(text)
            return
        self._perform(self._taker.discard())
        self.silence(lambda played: self.conversation.send_text(text, played))
        self.flow.committed()
        self.expect_reply(spoken=False)

    def expect_reply(self, *, spoken: bool) -> None:
        """A turn of the person is complete: measure it and wait for the reply."""
        self._listener.close_turn()
        self.times.committed(self.now_ms, spoken=spoken)
        self._reply_due_since = self._clock.now()

    # Watching ---------------------------------------------------------------------------------------------------

    def _watch_speaker(self) -> None:
        """A device that takes no samples although some lie ready is gone: go on without it."""
        now = self._clock.now()
        if not self._speaker.offered or self._speaker.samples_taken != self._taken:
            self._taken, self._taken_at = self._speaker.samples_taken, now
            return
        if now - self._taken_at < SPEAKER_LOST_SECONDS:
            return
        name = self._speaker.name or "speaker"
        self._speaker.close()
        self._speaker = PacedSpeaker(self._clock)
        self._speaker.open()
        self._listener.use(self._speaker)
        self.flow.silenced()
        hint = "plug it in again and restart the talk; until then replies are shown"
        self._emit(ev.Failure("device", f"speaker '{name}' takes no more sound", False, hint))
        self._listener.close_turn()

    def _watch_playback(self) -> None:
        if self._stop_began is not None and self._speaker.drained:
            self.times.stopped(int((self._clock.now() - self._stop_began) * 1000))
            self._stop_began = None
            self._listener.finish_if_silent()
        for key in self._speaker.heard_out():
            self.apply(self.conversation.played_out(key))
            self._listener.heard_out(key)
        if self._speaker.sounding and self._stop_began is None:
            self.flow.audible = True
            self.times.sample_played(self.now_ms)
        self.flow.queued = not self._speaker.drained
        if self._speaker.drained:
            self.flow.audible = False
            self._listener.finish_if_silent()

    @property
    def stopping(self) -> bool:
        """The speaker was told to stop and has not fallen silent yet."""
        return self._stop_began is not None

    @property
    def underruns(self) -> int:
        """The speaker's running total."""
        return self._speaker.underruns

    def _watch_reply(self) -> None:
        if not self.flow.awaiting_reply or self._reply_due_since is None:
            return
        if self._clock.now() - self._reply_due_since > self._options.reply_timeout_seconds:
            self.flow.awaiting_reply = False
            self._reply_due_since = None
            hint = "say it again; if it happens often, see mrblue doctor"
            self._emit(ev.Failure("reply_timeout", "the server did not answer in time", False, hint))
            self._listener.close_turn()

    def _route(self) -> Route:
        if self._options.route is not None:
            return self._options.route
        name = self._speaker.name
        return Route.HEADPHONES if name is None else getattr(self._speaker, "route", Route.SPEAKERS)

    @staticmethod
    def _ownership(mode: ev.TurnMode) -> Ownership:
        return Ownership.SERVER if mode is ev.TurnMode.HANDS_FREE else Ownership.CLIENT


async def _stop(jobs: Sequence[asyncio.Future[None]]) -> None:
    for job in jobs:
        job.cancel()
    for job in jobs:
        with contextlib.suppress(asyncio.CancelledError, MrBlueError):
            await job
