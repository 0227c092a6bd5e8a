"""Keeps a talk supplied with a microphone and a speaker while devices come and go, and tells the person in one line.

The rules are in `device_watch`, the ways to a device in `sound_system`. Everything that may block happens beside the
event loop; what the talk owns (`hearing`, `speaking`) is changed on it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ComponentError, DeviceError, MissingPart
from mrblue_cli.core.texts import tell
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.device_watch import BOTH, Back, DeviceAct, DeviceWatch, Lost, Reading, Reopen, Side, StandIn
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.hearing import Hearing
from mrblue_cli.voice.ports import MicrophonePort, SpeakerPort
from mrblue_cli.voice.sound_system import SUBSTITUTE, Choice, News
from mrblue_cli.voice.speakers import PacedSpeaker
from mrblue_cli.voice.speaking import Speaking

NEWS_SECONDS = 3.0
"""How often the system is asked for its defaults; takes it some milliseconds."""
SUBSTITUTE_SECONDS = 30.0
"""Where nothing tells that devices came: how often the one that the person named is looked for, in a quiet moment."""
_CLOSE_SECONDS = 3.0

Port = MicrophonePort | SpeakerPort


class Sound(Protocol):
    """What the keeper needs of the machine's sound; blocking. See `sound_system.SoundSystem`."""

    sides: frozenset[Side]

    def choices(self, side: Side) -> Sequence[Choice]: ...
    def distrust(self, side: Side, backend: str) -> None: ...
    def why(self, side: Side) -> ComponentError | None: ...
    def refresh(self) -> None: ...
    def news(self, ports: dict[Side, Port]) -> News: ...


class _Talk(Protocol):
    flow: TurnFlow
    hearing: Hearing
    speaking: Speaking

    def emit(self, event: ev.TalkEvent) -> None: ...


@dataclass(slots=True)
class _Opened:
    """What an attempt brought, by side."""

    choices: dict[Side, Choice] = field(default_factory=dict)
    errors: dict[Side, ComponentError] = field(default_factory=dict)


class DeviceKeeper:
    """Call `open` once, beside the loop; then `begin`, then `tick` every 20 ms. Without `sound` a loss is final."""

    def __init__(self, talk: _Talk, sound: Sound | None, *, clock: Clock) -> None:
        self._talk = talk
        self._sound = sound
        self._clock = clock
        self._watch = DeviceWatch()
        self._job: asyncio.Future[None] | None = None
        self._asking: asyncio.Future[None] | None = None
        self._asked = 0.0
        self._changed: bool | None = None
        self._advised: dict[Side, str] = {}
        self._substitutes: set[Side] = set()
        self._relooked = 0.0
        self._dead: dict[Side, Port] = {}
        self._early: list[tuple[Side, Choice]] = []
        self._failed_early: set[Side] = set()
        self._closed = False

    def open(self) -> list[ev.Failure]:
        """Open what the talk was built with, or the next best; blocking. What fails is returned, to be told."""
        ways: dict[Side, Callable[[], ev.Failure | None]] = {
            Side.SPEAKER: self._talk.speaking.open,
            Side.MICROPHONE: self._talk.hearing.open,
        }
        failures = []
        for side, way in ways.items():
            failure = way()
            if failure is not None and self._tries(side) and self._sound is not None:
                with contextlib.suppress(ComponentError):
                    self._early.append((side, self._first_that_opens(self._sound, side)))
                    failure = None
                why = self._sound.why(side)
                if failure is not None and why is not None:
                    failure = ev.Failure(why.code, _without(side, why.what), fatal=False, hint=why.hint)
            if failure is not None:
                self._watch.failed(side, self._clock.now(), final=not self._tries(side))
                failures.append(failure)
                self._failed_early.add(side)
        return failures

    def begin(self) -> None:
        """The talk goes on: watch what is open."""
        now = self._clock.now()
        self._asked = self._relooked = now
        for side, choice in self._early:
            self._install(side, choice)
        if Side.SPEAKER in self._failed_early:
            self._stand_in()
        ports = self._ports()
        for side in BOTH:
            port = ports.get(side)
            missing = port is None or (side is Side.SPEAKER and port.name is None and self._tries(side))
            if side in self._failed_early or (port is None and not self._tries(side)):
                continue
            if missing:
                # There was none to begin with, which was told; one may be plugged in.
                self._watch.failed(side, now)
            else:
                self._watch.opened(side, now)

    def tick(self) -> None:
        """Look at both devices and do what is due."""
        if self._job is not None and not self._job.done():
            return
        now = self._clock.now()
        self._ask(now)
        readings = {side: Reading(_blocks(port), port.active) for side, port in self._ports().items()}
        busy = [side for side, used in self._used().items() if used]
        for act in self._watch.look(now, readings, busy=busy, changed=self._changed):
            self._do(act, now)

    async def close(self) -> None:
        """Let what is under way end; what it opened is closed again."""
        self._closed = True
        jobs = [job for job in (self._job, self._asking) if job is not None]
        if jobs:
            # A driver that hangs must not keep the person from leaving.
            await asyncio.wait(jobs, timeout=_CLOSE_SECONDS)
        for port in self._dead.values():
            port.close()

    # What is due ------------------------------------------------------------------------------------------------

    def _do(self, act: DeviceAct, now: float) -> None:
        match act:
            case Lost():
                self._lose(act.side, now, told=act.told)
            case Back():
                self._tell_back(act.side)
            case StandIn():
                self._stand_in()
            case Reopen() if self._sound is not None:
                self._job = asyncio.ensure_future(self._reopen(self._sound, act))
            case _:
                pass

    def _lose(self, side: Side, now: float, *, told: bool = False) -> None:
        port = self._ports()[side]
        name = port.name or side
        self._dead[side] = port
        final = not self._tries(side)
        if side is Side.MICROPHONE:
            self._talk.hearing.lose()
            what = tell("microphone '{name}' is gone: type, or plug it in again; I keep looking", name=name)
            what = tell("microphone '{name}' is gone: type instead", name=name) if final else what
        else:
            what = tell("speaker '{name}' is gone: replies are shown; I keep looking", name=name)
            what = tell("speaker '{name}' is gone: replies are shown", name=name) if final else what
        if final:
            self._watch.failed(side, now, final=True)
            if side is Side.SPEAKER:
                self._stand_in()
        if told:
            return
        hint = tell("what works is told by: mrblue doctor")
        self._talk.emit(ev.Failure("device", what, fatal=False, hint=hint))

    def _stand_in(self) -> None:
        self._dead.setdefault(Side.SPEAKER, self._talk.speaking.speaker)
        stand_in = PacedSpeaker(self._clock)
        stand_in.open()
        self._talk.speaking.replace(stand_in)
        self._route()

    def _tell_back(self, side: Side) -> None:
        name = self._ports()[side].name or side
        if side is Side.MICROPHONE:
            self._talk.emit(ev.Advice(tell("listening again through '{name}'", name=name)))
        else:
            self._talk.emit(ev.Advice(tell("replies are heard again through '{name}'", name=name)))

    def _tell_moved(self, side: Side, name: str) -> None:
        if side is Side.MICROPHONE:
            self._talk.emit(ev.Advice(tell("now listening through '{name}'", name=name)))
        else:
            self._talk.emit(ev.Advice(tell("replies now come out of '{name}'", name=name)))

    # Opening ----------------------------------------------------------------------------------------------------

    async def _reopen(self, sound: Sound, act: Reopen) -> None:
        ports, names = self._ports(), {side: port.name for side, port in self._ports().items()}
        dead, self._dead = list(self._dead.items()), {}
        dead = [(side, port) for side, port in dead if port is not ports.get(side) or side not in act.sides]
        closing = dead + [(side, port) for side, port in ports.items() if side in act.sides]
        silent = [(side, port) for side, port in closing if self._watch.away(side) and _blocks(port) == 0]
        opened = await asyncio.get_running_loop().run_in_executor(
            None, lambda: self._open_all(sound, act, closing, silent)
        )
        now = self._clock.now()
        if act.refresh:
            self._watch.refreshed(now)
            self._changed = False if self._changed is not None else None
        for side in act.sides:
            choice = opened.choices.get(side)
            if self._closed:
                if choice is not None:
                    choice.port.close()
                continue
            was_away = self._watch.away(side)
            if choice is None:
                self._failed(side, opened.errors[side], now, was_away=was_away)
                continue
            self._install(side, choice)
            self._watch.opened(side, now)
            if not was_away and choice.port.name != names.get(side):
                self._tell_moved(side, choice.port.name or side)

    def _failed(self, side: Side, error: ComponentError, now: float, *, was_away: bool) -> None:
        if not was_away:
            # It worked and was closed for the other side's sake, or for a better one.
            self._lose(side, now)
        self._watch.failed(side, now, final=isinstance(error, MissingPart))

    def _open_all(
        self,
        sound: Sound,
        act: Reopen,
        closing: Sequence[tuple[Side, Port]],
        silent: Sequence[tuple[Side, Port]],
    ) -> _Opened:
        """Blocking."""
        for side, port in silent:
            sound.distrust(side, getattr(port, "backend", ""))
        for _, port in closing:
            port.close()
        if act.refresh:
            sound.refresh()
        opened = _Opened()
        for side in sorted(act.sides):
            try:
                opened.choices[side] = self._first_that_opens(sound, side)
            except ComponentError as error:
                opened.errors[side] = error
            except Exception as error:  # noqa: BLE001 - whatever a driver comes up with, the talk does not die of it
                opened.errors[side] = DeviceError(str(error))
        return opened

    @staticmethod
    def _first_that_opens(sound: Sound, side: Side) -> Choice:
        failure: ComponentError | None = None
        for choice in sound.choices(side):
            try:
                choice.port.open()
            except ComponentError as error:
                failure = failure or error
            else:
                return choice
        assert failure is not None  # noqa: S101 - `choices` raises when there are none
        raise failure

    def _install(self, side: Side, choice: Choice) -> None:
        if side is Side.MICROPHONE:
            self._talk.hearing.replace(cast("MicrophonePort", choice.port))
        else:
            self._talk.speaking.replace(cast("SpeakerPort", choice.port))
        self._route()
        self._substitutes = self._substitutes - {side} | ({side} if choice.rank == SUBSTITUTE else set())
        if choice.advice and choice.advice != self._advised.get(side):
            self._talk.emit(ev.Advice(choice.advice))
        self._advised[side] = choice.advice

    def _route(self) -> None:
        """Another device is another way for an echo."""
        self._talk.hearing.use_route(self._talk.speaking.route)

    # What the system says -----------------------------------------------------------------------------------------

    def _ask(self, now: float) -> None:
        sound = self._sound
        if sound is None or now - self._asked < NEWS_SECONDS or (self._asking is not None and not self._asking.done()):
            return
        self._asked = now
        self._asking = asyncio.ensure_future(self._hear_news(sound))

    async def _hear_news(self, sound: Sound) -> None:
        ports = {side: port for side, port in self._ports().items() if self._tries(side) and not self._watch.away(side)}
        news = await asyncio.get_running_loop().run_in_executor(None, lambda: sound.news(ports))
        self._changed = news.changed
        for side, endpoint, followed in news.moved:
            port = self._ports().get(side)
            if port is None or port is not ports.get(side):
                continue
            if not followed:
                self._watch.wish(side, refresh=False)
                continue
            port.name = endpoint.title
            if side is Side.SPEAKER:
                self._talk.speaking.speaker.route = endpoint.route
                self._route()
            self._tell_moved(side, endpoint.title)
        now = self._clock.now()
        blind = news.changed is None and now - self._relooked >= SUBSTITUTE_SECONDS
        if self._substitutes and (news.changed or blind):
            self._relooked = now
            for side in self._substitutes:
                self._watch.wish(side, refresh=True)

    def _tries(self, side: Side) -> bool:
        return self._sound is not None and side in self._sound.sides

    def _ports(self) -> dict[Side, Port]:
        microphone = self._talk.hearing.microphone
        ports: dict[Side, Port] = {Side.SPEAKER: self._talk.speaking.speaker}
        return ports if microphone is None else {Side.MICROPHONE: microphone, **ports}

    def _used(self) -> dict[Side, bool]:
        return {
            side: self._talk.flow.hearing if side is Side.MICROPHONE else self._talk.speaking.playing for side in BOTH
        }


def _without(side: Side, what: str) -> str:
    if side is Side.MICROPHONE:
        return tell("{what}: type instead of talking", what=what)
    return tell("{what}: replies are shown, not heard", what=what)


def _blocks(port: Port) -> int:
    return port.blocks_taken if hasattr(port, "blocks_taken") else port.blocks_heard
