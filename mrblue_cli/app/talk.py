"""Hold a conversation: choose the engine, open devices or recordings, run the session or the script."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mrblue_cli.app.platform import this_platform
from mrblue_cli.app.profiles import equip
from mrblue_cli.app.talk_costs import TalkCosts
from mrblue_cli.app.talk_devices import microphone_of, sound_of, speaker_of
from mrblue_cli.app.talk_history import open_history
from mrblue_cli.app.talk_rungs import TalkRungs
from mrblue_cli.assistant.permissions import Mode, Right, Role, may
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.audio.wav import WavAudio, parse_wav
from mrblue_cli.core.clock import Clock, SystemClock, UnixClock
from mrblue_cli.core.errors import InputFileError, UsageError
from mrblue_cli.core.ids import RandomIds
from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.build import knowledge_folders, talk_options
from mrblue_cli.settings.load import Configuration
from mrblue_cli.settings.places import place
from mrblue_cli.voice.controls import Control
from mrblue_cli.voice.device_watch import Side
from mrblue_cli.voice.events import Advice, Ended, TalkEvent
from mrblue_cli.voice.headless import HeadlessScript, Speak, Step
from mrblue_cli.voice.microphones import ClockMicrophone
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.rungs import RungName
from mrblue_cli.voice.session import TalkSession
from mrblue_cli.voice.sound_system import SoundSystem
from mrblue_cli.voice.speakers import PacedSpeaker

Emit = Callable[[TalkEvent], None]
MAX_WAV_BYTES = 256 * 1024 * 1024


def read_wav(path: Path) -> WavAudio:
    """Read a recording; raises `InputFileError`."""
    try:
        if path.stat().st_size > MAX_WAV_BYTES:
            what = tell("{path}: larger than {size} MiB", path=path, size=MAX_WAV_BYTES // 2**20)
            raise InputFileError(what, hint=tell("cut it into pieces"))
        data = path.read_bytes()
    except OSError as error:
        what = tell("{path}: cannot be read: {words}", path=path, words=error.strerror)
        raise InputFileError(what, hint=tell("check the name and path")) from None
    return parse_wav(data, str(path))


class Observer(Protocol):
    """Follows the event stream beside the view: history, money, metrics."""

    def see(self, event: TalkEvent) -> None:
        """Take in one event; must be quick and must not raise."""
        ...


class Conversation:
    """One conversation with everything it needs: the session, the engine's process, and their end."""

    def __init__(
        self, configuration: Configuration, emit: Emit, *, clock: Clock | None = None, resume: str | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:  # fmt: skip
        self._configuration = configuration
        self._view = emit
        self._clock = clock or SystemClock()
        self._history = open_history(configuration, self._emit, clock=self._clock, resume=resume)
        self._observers: list[Observer] = [self._history, *observers]
        self._base = load_base(knowledge_folders(configuration.settings), cache=place("cache"))
        self._equipped = equip(configuration.settings, self._base, lambda line: self._emit(Advice(line)))
        self._observers.append(self._equipped.floor)
        self._costs: TalkCosts | None = None
        if configuration.settings.history.keep:  # what is private leaves no trace, not even of money
            name = self._equipped.profile.name
            self._costs = TalkCosts(self._emit, conversation=self._history.id, profile=name)
            self._observers.append(self._costs)
        self._rungs = TalkRungs(configuration, self._equipped.profile)
        self._session: TalkSession | None = None

    async def run(self) -> None:
        """Talk with devices until the person ends it."""
        session = self._session or self.with_devices()
        await self._to_the_end(session.run())

    def control(self, control: Control) -> None:
        """Pass on what the person did."""
        if self._session is not None:
            self._session.control(control)

    def with_devices(self) -> TalkSession:
        """The session on this machine's microphone and speaker; what is missing is told, and text goes on."""
        talk = self._configuration.settings.talk
        who = self._configuration.settings.assistant
        if not may(Role(who.role), Mode(who.mode), Right.VOICE):
            what = tell(
                "role {role} in mode {mode} may type and read, not talk ([assistant] in the settings)",
                role=who.role,
                mode=who.mode,
            )
            self._emit(Advice(what))
            return self._build(None, PacedSpeaker(self._clock), greet=True)
        used = self._sides()
        if not used:
            return self._build(None, PacedSpeaker(self._clock), greet=True)
        sound = sound_of(talk, *used)
        microphone = microphone_of(sound, self._emit) if Side.MICROPHONE in used else None
        speaker = speaker_of(sound, self._emit, self._clock) if Side.SPEAKER in used else PacedSpeaker(self._clock)
        return self._build(microphone, speaker, sound, greet=True)

    def _sides(self) -> frozenset[Side]:
        """The devices that any way to talk here has a use for: a talk in writing must not open a microphone."""
        rungs = self._rungs.rungs
        uses = {Side.MICROPHONE: any(rung.hears for rung in rungs), Side.SPEAKER: any(rung.speaks for rung in rungs)}
        return frozenset(side for side, used in uses.items() if used)

    async def run_script(self, steps: Sequence[Step], *, output: Path | None) -> tuple[str, ...]:
        """Talk from a script, without devices unless one is named. Returns recordings in which nobody was heard."""
        microphone = ClockMicrophone(self._clock)
        speaker: SpeakerPort = PacedSpeaker(self._clock, output)
        sound: SoundSystem | None = None
        if self._configuration.settings.talk.output_device and output is None:
            sound = sound_of(self._configuration.settings.talk, Side.SPEAKER)
            speaker = speaker_of(sound, self._emit, self._clock)
        has_speech = any(isinstance(step, Speak) for step in steps)
        if has_speech and Side.MICROPHONE not in self._sides():
            what = tell("this talk is in writing: a recording cannot be heard")
            raise UsageError(what, hint=tell('give --text "…", or a --fallback that hears, such as local'))
        session = self._build(microphone if has_speech else None, speaker, sound)
        silence_ms = self._configuration.settings.talk.silence_ms
        script = HeadlessScript(session, microphone, steps, clock=self._clock, silence_ms=silence_ms)

        async def play() -> None:
            job = asyncio.ensure_future(script.run())
            try:
                await session.run()
            finally:
                job.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await job

        await self._to_the_end(play())
        return tuple(script.unheard)

    def _build(
        self,
        microphone: MicrophonePort | None,
        speaker: SpeakerPort,
        sound: SoundSystem | None = None,
        *,
        greet: bool = False,
    ) -> TalkSession:
        settings = self._configuration.settings
        if self._rungs.advice is not None:
            self._emit(Advice(self._rungs.advice))
        self._warn_of_accent()
        # A script knows what it wants; a person is greeted.
        greeting = self._equipped.profile.greeting if greet else ""
        self._session = TalkSession(
            replace(talk_options(settings), greeting=greeting),
            rungs=self._rungs.rungs,
            microphone=microphone,
            speaker=speaker,
            reasoner=Reasoner(self._base, platform=this_platform()),
            clock=self._clock,
            ids=RandomIds(),
            emit=self._emit,
            wall=UnixClock(),
            chance=random.random,
            toolbox=self._equipped.toolbox,
            sound=sound,
            past=self._history.past,
            tap=self._history.tap,
        )
        return self._session

    def _warn_of_accent(self) -> None:
        """No voice of another language than English comes with the engine on this machine."""
        settings = self._configuration.settings
        english = settings.talk.language in {"", "en"} or settings.engine.tts_voice
        if not english and self._rungs.rungs[0].name is RungName.LOCAL:
            line = tell(
                "the voice of this machine is English: what it says in another language sounds foreign "
                "(set [engine] tts_voice)"
            )
            self._emit(Advice(line))

    def _emit(self, event: TalkEvent) -> None:
        for observer in self._observers:
            observer.see(event)
        self._view(event)

    async def _to_the_end(self, work: Coroutine[None, None, None]) -> None:
        try:
            self._history.begin()
            await work
        except asyncio.CancelledError:
            if self._session is not None:
                self._session.finish("interrupted")
            else:
                self._emit(Ended("interrupted"))
            raise
        finally:
            work.close()  # when the talk could not even begin (nobody reads what it prints), it was never awaited
            await self._rungs.close()
            self._history.close()
            if self._costs is not None:
                self._costs.close()
