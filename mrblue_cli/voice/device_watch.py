"""When a device counts as lost, and when to look for one again. Pure: times and counts go in, acts come out.

A device that works asks for blocks without pause, whether anybody speaks or not; one that is unplugged, switched off or
whose sound server died does not (voice-craft, section 2). What is lost is opened again after 0.5 s, 1 s, … 5 s, for as
long as the talk lasts. PortAudio reads its list of devices once: to see a new one everything has to be closed, so a
side that works is only disturbed for the other one's sake while nobody uses it, and not more often than it helps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

SILENCE_SECONDS = 1.0
"""A device that delivered before and delivers nothing for this long is lost."""
PAUSING_SPEAKER_SECONDS = 2.5
"""The same for an output of which the system says that its devices are as before: behind a sound server on a busy
machine outputs were seen to pause for a second and go on by themselves."""
FIRST_BLOCK_SECONDS = 5.0
"""The first block may take longer: up to 1.8 s behind a sound server, 3 s where a headset has to change its profile."""
SETTLING_SECONDS = 3.0
"""For so long after its first block a device may pause for as long: an output takes a few blocks to fill its buffer and
then, behind a sound server, none for up to 1.5 s."""
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 5.0
STABLE_SECONDS = 5.0
"""Only a device that worked for this long is looked for at once when it is lost; one that flaps has to wait."""
STAND_IN_SECONDS = 2.0
"""A reply waits so long for a speaker; then it is shown at the pace at which it would have been heard."""
BLIND_REFRESH_SECONDS = 15.0
"""Where nothing tells that the list of devices changed: how often a side that works is disturbed to find out."""
UNCHANGED_REFRESH_SECONDS = 60.0
"""The same where the system says that nothing changed: it may be wrong."""
UNCHANGED_PATIENCE_SECONDS = 4.0
"""So long a lost device is only opened again by itself where the system says that nothing changed."""
_MAX_STEP_SECONDS = 0.25
"""A longer gap between two looks (the machine slept, the process was stopped) says nothing about the device."""


class Side(StrEnum):
    """The two devices of a talk."""

    MICROPHONE = "microphone"
    SPEAKER = "speaker"


BOTH = (Side.MICROPHONE, Side.SPEAKER)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an open device shows."""

    blocks: int
    """Blocks so far; grows while it works."""
    active: bool = True
    """False: it says itself that it stopped."""


@dataclass(frozen=True, slots=True)
class Lost:
    """This device works no more: close an open turn."""

    side: Side
    told: bool = False
    """The person knows already: another one that was tried meanwhile does not work either."""


@dataclass(frozen=True, slots=True)
class Back:
    """Blocks flow again after a loss that was told."""

    side: Side


@dataclass(frozen=True, slots=True)
class StandIn:
    """No speaker came in time: let a clock take the reply's samples meanwhile."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open these sides anew; with `refresh`, close everything first and read the list of devices again."""

    sides: frozenset[Side]
    refresh: bool


DeviceAct = Lost | Back | StandIn | Reopen


class _Phase(Enum):
    ABSENT = auto()
    """There is none and none is looked for."""
    FRESH = auto()
    """Opened; the first block is awaited."""
    ALIVE = auto()
    AWAY = auto()


@dataclass(slots=True)
class _State:
    phase: _Phase = _Phase.ABSENT
    blocks: int = 0
    silent_seconds: float = 0.0
    alive_since: float = 0.0
    away_since: float | None = None
    next_try: float = 0.0
    delay: float = FIRST_DELAY_SECONDS
    told: bool = False
    stood_in: bool = False

    @property
    def open(self) -> bool:
        return self.phase in (_Phase.FRESH, _Phase.ALIVE)


@dataclass(slots=True)
class DeviceWatch:
    """Tell it what was opened and what failed, and let it look every few milliseconds, but not while something is
    being opened. Times are seconds of one clock."""

    _sides: dict[Side, _State] = field(default_factory=lambda: {side: _State() for side in BOTH})
    _wishes: dict[Side, bool] = field(default_factory=dict)
    _looked: float | None = None
    _refreshed: float | None = None

    def away(self, side: Side) -> bool:
        """A device is looked for."""
        return self._sides[side].phase is _Phase.AWAY

    def opened(self, side: Side, now: float, blocks: int = 0) -> None:
        """A device was opened; it has to prove itself by a block."""
        state = self._sides[side]
        state.phase, state.blocks, state.silent_seconds = _Phase.FRESH, blocks, 0.0
        self._wishes.pop(side, None)
        self._looked = now

    def failed(self, side: Side, now: float, *, final: bool = False, told: bool = True) -> None:
        """No device could be opened. `final`: it is not tried again. `told`: the person knows."""
        state = self._sides[side]
        self._wishes.pop(side, None)
        if final:
            state.phase = _Phase.ABSENT
            return
        state.phase = _Phase.AWAY
        state.told = state.told or told
        state.away_since = now if state.away_since is None else state.away_since
        self._wait(state, now)

    def refreshed(self, now: float) -> None:
        """The list of devices was read anew."""
        self._refreshed = now

    def wish(self, side: Side, *, refresh: bool) -> None:
        """A better device may be there for a side that works: open it anew as soon as that disturbs nobody."""
        if self._sides[side].open:
            self._wishes[side] = self._wishes.get(side, False) or refresh

    def look(
        self, now: float, readings: Mapping[Side, Reading], *, busy: Collection[Side], changed: bool | None
    ) -> list[DeviceAct]:
        """What to do now. `readings` of the open sides; `busy`: somebody speaks (microphone), something sounds
        (speaker); `changed`: the system has other devices than when the list was read, None where nothing tells."""
        step = min(now - self._looked, _MAX_STEP_SECONDS) if self._looked is not None else 0.0
        self._looked = now
        acts: list[DeviceAct] = []
        for side, state in self._sides.items():
            if state.open:
                pausing = side is Side.SPEAKER and changed is False
                acts += self._see(side, state, readings.get(side), now, step, pausing=pausing)
        speaker = self._sides[Side.SPEAKER]
        late = speaker.away_since is not None and now - speaker.away_since >= STAND_IN_SECONDS
        if speaker.phase is _Phase.AWAY and late and not speaker.stood_in:
            speaker.stood_in = True
            acts.append(StandIn())
        return acts + self._reopen(now, busy, changed)

    def _see(
        self, side: Side, state: _State, reading: Reading | None, now: float, step: float, *, pausing: bool
    ) -> Iterable[DeviceAct]:
        if reading is None or (not reading.active and state.phase is _Phase.ALIVE):
            return self._lose(side, state, now)
        if reading.blocks == state.blocks:
            state.silent_seconds += step
            patience = self._patience(state, now, pausing=pausing)
            return self._lose(side, state, now) if state.silent_seconds >= patience else ()
        state.blocks, state.silent_seconds = reading.blocks, 0.0
        if state.phase is _Phase.FRESH:
            state.phase, state.alive_since = _Phase.ALIVE, now
            state.away_since, state.stood_in = None, False
            told, state.told = state.told, False
            return (Back(side),) if told else ()
        if now - state.alive_since >= STABLE_SECONDS:
            state.delay = FIRST_DELAY_SECONDS
        return ()

    @staticmethod
    def _patience(state: _State, now: float, *, pausing: bool) -> float:
        """Seconds without a block after which it counts as lost."""
        if state.phase is _Phase.FRESH:
            return FIRST_BLOCK_SECONDS
        if now - state.alive_since < SETTLING_SECONDS:
            return SETTLING_SECONDS
        return PAUSING_SPEAKER_SECONDS if pausing else SILENCE_SECONDS

    def _lose(self, side: Side, state: _State, now: float) -> Iterable[DeviceAct]:
        stable = state.phase is _Phase.ALIVE and now - state.alive_since >= STABLE_SECONDS
        state.phase = _Phase.AWAY
        state.away_since = now if state.away_since is None else state.away_since
        if stable:
            state.next_try = now
        else:
            self._wait(state, now)
        self._wishes.pop(side, None)
        told, state.told = state.told, True
        return (Lost(side, told),)

    @staticmethod
    def _wait(state: _State, now: float) -> None:
        state.next_try = now + state.delay
        state.delay = min(MAX_DELAY_SECONDS, state.delay * 2)

    def _reopen(self, now: float, busy: Collection[Side], changed: bool | None) -> list[DeviceAct]:
        due = {side for side, state in self._sides.items() if state.phase is _Phase.AWAY and now >= state.next_try}
        working = {side for side, state in self._sides.items() if state.open}
        if due:
            if not working:
                # Nobody is disturbed: look for whatever there is, with a list as new as can be.
                away = {side for side, state in self._sides.items() if state.phase is _Phase.AWAY}
                return [Reopen(frozenset(away), refresh=True)]
            since = min(self._sides[side].away_since or now for side in due)
            if not working & set(busy) and self._worth_a_refresh(now, changed, away_seconds=now - since):
                return [Reopen(frozenset(due | working), refresh=True)]
            return [Reopen(frozenset(due), refresh=False)]
        if any(self._wishes.values()):
            return [] if working & set(busy) else [Reopen(frozenset(working), refresh=True)]
        # A reply goes on from the sample, so a speaker may be changed while it plays; words would be lost.
        wished = {side for side in self._wishes if side is Side.SPEAKER or side not in busy}
        return [Reopen(frozenset(wished), refresh=False)] if wished else []

    def _worth_a_refresh(self, now: float, changed: bool | None, *, away_seconds: float) -> bool:
        if changed is False and away_seconds < UNCHANGED_PATIENCE_SECONDS:
            return False
        pause = BLIND_REFRESH_SECONDS if changed is None else UNCHANGED_REFRESH_SECONDS
        return bool(changed) or self._refreshed is None or now - self._refreshed >= pause
