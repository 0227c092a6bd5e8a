"""The talk session: microphone, turns, server, speaker, panels. One event loop, no threads, no screen.

Everything a person sees or hears about leaves through `emit`; everything a person does comes in through `control`.
The parts: `hearing` owns the microphone, `speaking` the speaker, `link` the connection; `listener` acts on what the
server says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.roles import GREET
from mrblue_cli.assistant.tools import ToolBox
from mrblue_cli.audio.pcm import meter
from mrblue_cli.audio.turns import Begin, Commit, Discard, Stream, TurnAct
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.core.ids import IdSource
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client import ClientConversation, Outcome
from mrblue_cli.protocol.notices import AudioKey, Notice, Ownership, UserText
from mrblue_cli.protocol.server_events import ServerEvent, SessionCreated
from mrblue_cli.protocol.session import SemanticVad, ServerVad
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.continuity import Continuity
from mrblue_cli.voice.device_keeper import DeviceKeeper, Sound
from mrblue_cli.voice.dialogue import Dialogue, Said
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.hearing import Hearing
from mrblue_cli.voice.interruption import Interruption
from mrblue_cli.voice.legs import Leg
from mrblue_cli.voice.line import stop
from mrblue_cli.voice.link import Link
from mrblue_cli.voice.listener import NoticeListener
from mrblue_cli.voice.options import TalkOptions, TurnEnd
from mrblue_cli.voice.ports import AudioTap, MicrophonePort, SpeakerPort
from mrblue_cli.voice.rungs import Rung
from mrblue_cli.voice.speaking import Speaking
from mrblue_cli.voice.spending import Spending
from mrblue_cli.voice.summary import SessionTally
from mrblue_cli.voice.tool_runs import ToolRuns
from mrblue_cli.voice.turn_times import TurnTimes
from mrblue_cli.voice.words import mode_word

TICK_SECONDS = 0.02
BUSY_TICK_SECONDS = 0.005
"""While the first sample is due or a stop is under way, so that measured times are not rounded to a tick."""
_LEVEL_EVERY_TICKS = 4
_CALM_SECONDS = 0.3
"""Between two sentences nobody is idle."""
_WORDS_DUE_SECONDS = 10.0
"""Words that are not back by then will not come: some servers transcribe nothing."""


class TalkSession:
    """One conversation from connecting to `Ended`. Build it, call `run` once, send it controls."""

    def __init__(
        self,
        options: TalkOptions,
        *,
        rungs: Sequence[Rung],
        microphone: MicrophonePort | None,
        speaker: SpeakerPort,
        reasoner: Reasoner,
        clock: Clock,
        ids: IdSource,
        emit: Callable[[ev.TalkEvent], None],
        toolbox: ToolBox | None = None,
        past: Sequence[Said] = (),
        tap: AudioTap | None = None,
        wall: Clock | None = None,
        chance: Callable[[], float] = lambda: 0.0,
        sound: Sound | None = None,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """`wall` gives Unix seconds, so that a session is renewed before it expires; `chance` numbers in 0..1, so that
        many clients do not come back to a server at the same moment."""
        self._options = options
        self._clock = clock
        self._ids = ids
        self._began = clock.now()
        self._view = emit
        self._tap = tap
        self._tick_seconds = tick_seconds
        self._over: asyncio.Future[str] | None = None
        self._state: ev.State | None = None
        self._mode = options.turn_mode
        self._reply_due_since: float | None = None
        self._typed_early: list[str] = []
        self._greeted = False
        self.dialogue = Dialogue(past)
        self.flow = TurnFlow(microphone_ready=microphone is None)
        self.times = TurnTimes()
        self.link = Link(self, rungs, clock=clock, wall=wall, chance=chance)
        self.continuity = Continuity(self, self._new_conversation(rungs[0]), ids=ids)
        self._calm_since: float | None = None
        self.speaking = Speaking(self, speaker, clock=clock)
        self.hearing = Hearing(self, microphone, options=options, route=self.speaking.route)
        self.keeper = DeviceKeeper(self, sound, clock=clock)
        self.tools = ToolRuns(self, toolbox)
        self.spending = Spending(self, limit_usd=options.max_cost_usd, clock=clock, busy=self._reply_under_way)
        self._tally = SessionTally()
        self.interruption = Interruption(self, enabled=options.false_interruption, clock=clock)
        self._listener = NoticeListener(self, reasoner)

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
    def conversation(self) -> ClientConversation:
        """Our side of the present session with a server."""
        return self.continuity.leg.conversation

    @property
    def devices(self) -> tuple[str | None, str | None]:
        """Names of microphone and speaker, None where there is none."""
        return self.hearing.name, self.speaking.name

    def emit(self, event: ev.TalkEvent) -> None:
        """Remember what was said, and tell the view."""
        self.dialogue.see(event)
        self._tally.see(event)
        self._view(event)
        self.continuity.correct(event)

    def control(self, control: do.Control) -> None:
        """Act on what the person did; from the session's loop only."""
        if self.spending.closing:
            control = _last_wish(control)
        match control:
            case do.Quit():
                self.end("quit")
            case do.Say() if control.text.strip():
                self._say(control.text.strip())
            case do.TalkKey():
                self._talk_key(down=control.down)
            case do.StopReply():
                self._perform(self.hearing.taker.discard())
                if not self.continuity.live:
                    self.flow.awaiting_reply = False  # asked for no more
                self.silence(self.conversation.interrupt)
            case do.RetryEngine():
                self.link.retry()
            case do.SetMuted():
                self._perform(self.hearing.mute(control.muted))
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
            self.emit(ev.Failure(error.code, error.what, fatal=True, hint=error.hint))
            reason = "error"
        finally:
            await stop(jobs)
            await self.tools.close()
            await self.keeper.close()
            self.hearing.close()
            self.speaking.close()
            await self.link.close()
        self.finish(reason)

    def finish(self, reason: str) -> None:
        """Tell the whole session in numbers, and its end. Called by `run`, or by whoever cancelled it."""
        if (summary := self._tally.summary) is not None:
            self.emit(summary)
        self.emit(ev.Ended(reason))

    # The connection ---------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, self.keeper.open)
        opened = asyncio.Event()
        linking = asyncio.ensure_future(self.link.run(opened))
        ticking: asyncio.Future[None] | None = None
        try:
            for failure in await opening:
                self.emit(failure)
            self.keeper.begin()
            self.hearing.use_route(self.speaking.route)
            opened.set()
            ticking = asyncio.ensure_future(self._tick())
            await asyncio.wait([linking, ticking], return_when=asyncio.FIRST_COMPLETED)
            for job in (linking, ticking):
                if job.done():
                    job.result()
        finally:
            await stop([linking, *([ticking] if ticking is not None else [])])

    def prepare(self, rung: Rung, created: SessionCreated) -> Leg:
        """A session was opened on `rung`; what it must be told first."""
        return self.continuity.prepare(rung, self._new_conversation(rung), created)

    def link_up(self, leg: Leg, rung: Rung) -> None:
        """The talk goes on in this session."""
        self.flow.connected, self.flow.reconnecting = True, False
        self.hearing.wanted = rung.hears
        greet = self._greets()
        if greet:
            self.flow.awaiting_reply = False  # for the greeting, which is asked for as a whole
        self.link.send(*leg.conversation.set_ownership(self._ownership(self._mode)).send)
        self.continuity.enter(leg)
        self._reply_due_since = self._clock.now()
        if not rung.hears:
            self._perform(self.hearing.taker.discard())
        if greet:
            self._greeted = True
            self.apply(self.conversation.open_with(f"{GREET}{self._options.greeting}"))
            self.reply_asked()
        early, self._typed_early = self._typed_early, []
        for text in early:
            self._say(text)
        self.refresh()

    def _greets(self) -> bool:
        """Nobody has said anything: the greeting is due, or is due again since nothing of it was heard."""
        due = bool(self._options.greeting) and (not self._greeted or self.flow.awaiting_reply)
        spoken = self.continuity.utterances.completed or any(said.text for said in self.dialogue.lines)
        return due and not self._typed_early and not spoken

    def link_down(self, *, planned: bool) -> None:
        """The session ended, or (`planned`) is given up for the next one, which stands already."""
        self.interruption.connection_gone()
        self.continuity.leave()
        if self.flow.awaiting_reply:
            self.interruption.reply_lost()
        if not planned:
            self.flow.connected, self.flow.reconnecting = False, True
        self.refresh()

    def receive(self, event: ServerEvent) -> None:
        """Take in what the server said."""
        self.continuity.utterances.server_alive()
        self.apply(self.conversation.receive(event))
        self.refresh()

    def _new_conversation(self, rung: Rung) -> ClientConversation:
        options = self._options
        plain = ServerVad(
            threshold=options.threshold, prefix_padding_ms=options.prefix_ms, silence_duration_ms=options.silence_ms
        )
        vad = SemanticVad() if options.turn_end is TurnEnd.MEANING else plain
        ownership = self._ownership(self._mode)
        return ClientConversation(rung.desired, ownership=ownership, ids=self._ids, vad=vad, plain_vad=plain)

    async def _tick(self) -> None:
        count = 0
        while True:
            self.speaking.pump()
            self.keeper.tick()
            self._listen()
            self.speaking.watch()
            self._watch_reply()
            self.link.watch(idle=self._idle())
            self.spending.watch()
            self.refresh()
            count += 1
            if count % _LEVEL_EVERY_TICKS == 0:
                self.emit(ev.Levels(meter(self.hearing.level), meter(self.speaking.level)))
            busy = self.times.awaits_sample or self.speaking.stopping
            await asyncio.sleep(min(BUSY_TICK_SECONDS, self._tick_seconds) if busy else self._tick_seconds)

    def _idle(self) -> bool:
        """Nobody speaks, nothing plays or is being made, and all words are back (or will not come any more)."""
        kept, now = self.continuity.utterances, self._clock.now()
        busy = not self.flow.settled or self.tools.running or self.speaking.playing or kept.speaking or kept.is_open
        if busy:
            self._calm_since = None
            return False
        self._calm_since = now if self._calm_since is None else self._calm_since
        calm = now - self._calm_since
        return calm >= (_WORDS_DUE_SECONDS if kept.completed else _CALM_SECONDS)

    def apply(self, outcome: Outcome) -> None:
        """Send what is to be sent and act on the notices."""
        self.link.send(*outcome.send)
        for notice in outcome.notices:
            shown = self.continuity.see(notice)
            if shown is not None:
                self._listener.hear(shown)

    def forget_turn(self, item_id: str) -> None:
        """What was said under this name (as it is shown) was no turn: it leaves the conversation."""
        self.apply(self.conversation.forget_turn(self.continuity.forget(item_id)))

    def hear(self, notice: Notice) -> None:
        """Act on a notice about an earlier session, or one that is named as it is shown."""
        self._listener.hear(notice)

    def silence(self, report: Callable[..., Outcome]) -> None:
        """Stop the speaker, then tell the server how much was heard. `report` takes what the speaker reports."""
        self.interruption.silenced()
        self.apply(report(self.continuity.interrupted(self.speaking.silence())))

    def refresh(self) -> None:
        """Tell the state word when it changed."""
        self.flow.muted = self.hearing.muted
        if self.flow.state is not self._state:
            self._state = self.flow.state
            self.emit(ev.StatusChanged(self._state))

    # Turns ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        played = self.speaking.take_played()
        speaking = self.speaking
        acts = self.hearing.tick(playing=speaking.playing, played=played, output_latency=speaking.latency_seconds)
        self._perform(acts)
        if self._tap is not None:
            self._tap.take(self.hearing.captured, played)
        if self.hearing.speech:
            self.times.speech_heard(self.now_ms)
        self.interruption.tick(self.hearing.burst_ms)

    def _perform(self, acts: list[TurnAct]) -> None:
        kept = self.continuity.utterances
        for act in acts:
            match act:
                case Stream():
                    pcm = act.pcm.astype("<i2").tobytes()
                    if self.conversation.ownership is Ownership.CLIENT:
                        kept.more(pcm)
                    else:
                        kept.hear(pcm, speech=act.speech, sent=self.continuity.live)
                    self.apply(self.conversation.append(pcm))
                case Begin():
                    pcm = act.pcm.astype("<i2").tobytes()
                    if not self.interruption.begin():
                        self.silence(self.conversation.start_turn)
                    self.flow.hearing = True
                    kept.begin(pcm)
                    self.apply(self.conversation.append(pcm))
                case Commit():
                    if not self.interruption.judging:
                        self.flow.committed()
                        self.expect_reply(spoken=True)
                    kept.commit()
                    self.interruption.commit()
                case Discard():
                    self.flow.discarded()
                    kept.discard()
                    self.apply(self.conversation.abandon_turn())
                    self.interruption.discard()

    def _talk_key(self, *, down: bool) -> None:
        if self._mode is ev.TurnMode.PUSH_TO_TALK:
            if down and (self.hearing.name is None or not self.hearing.wanted):
                engine = self.link.rung.engine
                deaf = tell("{engine} takes no speech: type instead", engine=engine)
                self.emit(ev.Advice(tell("there is no microphone: type instead") if self.hearing.wanted else deaf))
                return
            if down and self.hearing.muted:
                self._perform(self.hearing.mute(False))
            self._perform(self.hearing.taker.press() if down else self.hearing.taker.release())
        elif down:
            self.silence(self.conversation.interrupt)

    def _change_mode(self, mode: ev.TurnMode) -> None:
        if mode is self._mode:
            return
        self._mode = mode
        self._perform(self.hearing.change_mode(mode))
        if self.flow.hearing:  # the server's ear is closed or begins anew: it will not tell an end
            self.flow.discarded()
            self.interruption.discard()
        self.continuity.utterances.server_forgot()
        self.apply(self.conversation.set_ownership(self._ownership(mode)))
        self.emit(ev.Advice(tell("turns: {mode}", mode=mode_word(mode))))

    def _say(self, text: str) -> None:
        if not (self.flow.connected or self.flow.reconnecting):
            self._typed_early.append(text)
            return
        self._perform(self.hearing.taker.discard())
        if self.flow.connected:
            self.silence(lambda played: self.conversation.send_text(text, played))
        else:
            # The next session is told of it with all the rest, and asked.
            self.silence(self.conversation.interrupt)
            self.apply(Outcome(notices=(UserText(self._ids.new("item"), text, final=True),)))
        self.flow.committed()
        self.expect_reply(spoken=False)

    def user_text(self, notice: UserText) -> None:
        """Show what the person said."""
        self._listener.user_text(notice)

    def expect_reply(self, *, spoken: bool) -> None:
        """A turn of the person is complete: measure it and wait for the reply."""
        self._listener.close_turn()
        self.times.committed(self.now_ms, spoken=spoken)
        self._reply_due_since = self._clock.now()

    def reply_asked(self) -> None:
        """A reply was asked for that follows no words of the person: to a tool's output, or the greeting."""
        self.flow.awaiting_reply = True
        self._reply_due_since = self._clock.now()

    def _watch_reply(self) -> None:
        if not self.flow.awaiting_reply or self._reply_due_since is None or self.flow.reconnecting:
            return
        if self.link.held:
            self._reply_due_since = self._clock.now()
        if self._clock.now() - self._reply_due_since > self._options.reply_timeout_seconds:
            self.flow.awaiting_reply = False
            self._reply_due_since = None
            hint = tell("say it again; if it happens often, see mrblue doctor")
            self.emit(ev.Failure("reply_timeout", tell("the server did not answer in time"), False, hint))
            self._listener.close_turn()

    def close_ears(self) -> None:
        """Take no new turn any more: what is being said is forgotten, the microphone stays closed."""
        self._perform(self.hearing.taker.discard())
        if self.flow.hearing or self.interruption.judging:
            self._perform([Discard()])
        self.hearing.muted = True

    def _reply_under_way(self) -> bool:
        """A reply is being waited for, made or heard."""
        flow = self.flow
        pending = flow.awaiting_reply or flow.generating or flow.queued or flow.audible or flow.paused
        return pending or self.speaking.stopping or self.tools.running

    # The speaker reports ----------------------------------------------------------------------------------------

    def heard_out(self, key: AudioKey) -> None:
        """A stream of reply audio was played to its end."""
        self.continuity.played_out(key)
        self._listener.heard_out(key)

    def fell_silent(self) -> None:
        """Nothing plays any more."""
        self._listener.finish_if_silent()

    def _ownership(self, mode: ev.TurnMode) -> Ownership:
        if mode is not ev.TurnMode.HANDS_FREE:
            return Ownership.CLIENT
        return Ownership.SHARED if self._options.false_interruption else Ownership.SERVER


def _last_wish(control: do.Control) -> do.Control:
    """No new turn is taken: the talk key still stops what is being said, all else but the end comes to nothing."""
    if isinstance(control, do.Quit | do.StopReply):
        return control
    return do.StopReply() if isinstance(control, do.TalkKey) and control.down else do.SetMuted(True)
