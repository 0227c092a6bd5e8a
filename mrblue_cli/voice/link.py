"""The connection under a talk: keeps one standing, replaces it before it ends, climbs down and up the ladder.

Source: voice-craft sections 12 and 13. The rules are in `backoff`, `ladder` and `renewal`; what passes from one
connection to the next is in `continuity`. Here is only who connects when.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import ConnectError, MrBlueError
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client_events import ClientEvent
from mrblue_cli.protocol.server_events import ServerEvent, SessionCreated
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.backoff import Backoff
from mrblue_cli.voice.ladder import Ladder
from mrblue_cli.voice.legs import Leg
from mrblue_cli.voice.line import Line, stop
from mrblue_cli.voice.renewal import RETRY_SECONDS, Renewal, plan_renewal
from mrblue_cli.voice.rungs import Rung, RungName

__all__ = ["Link", "stop"]

JOIN_SECONDS = 15.0
"""A try to connect again may take this long; a local engine that has to load its models gets a minute."""
LOCAL_JOIN_SECONDS = 60.0
MAX_HOLD_SECONDS = 60.0


class _Talk(Protocol):
    """What the link needs of the session."""

    def emit(self, event: ev.TalkEvent) -> None: ...

    def prepare(self, rung: Rung, created: SessionCreated) -> Leg:
        """A session was opened on `rung`; what it must be told first."""
        ...

    def link_up(self, leg: Leg, rung: Rung) -> None:
        """The talk goes on in this session; everything sent from here on goes there."""
        ...

    def link_down(self, *, planned: bool) -> None:
        """The session ended, or (`planned`) is given up for the next, which stands already."""
        ...

    def receive(self, event: ServerEvent) -> None:
        """The server said something."""
        ...


class _Why(Enum):
    RENEW = auto()
    CLIMB = auto()
    DESCEND = auto()


@dataclass(slots=True)
class _Spare:
    """A connection that is made, or stands, beside the one in use."""

    why: _Why
    rung: int
    opening: asyncio.Future[Line]
    reason: str = ""
    asked: bool = False


class Link:
    """Keeps the talk connected."""

    def __init__(
        self,
        talk: _Talk,
        rungs: Sequence[Rung],
        *,
        clock: Clock,
        wall: Clock | None = None,
        chance: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`wall` gives Unix seconds (None: nobody knows when a session expires), `chance` numbers in 0..1."""
        assert rungs, "a talk needs at least one rung"  # noqa: S101 - a programming error
        self._talk = talk
        self._rungs = tuple(rungs)
        self._clock = clock
        self._wall = wall
        self._ladder = Ladder(len(self._rungs))
        self._backoff = Backoff(chance)
        self._line: Line | None = None
        self._spare: _Spare | None = None
        self._closing: set[asyncio.Future[None]] = set()
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._asked = False
        self._renewal = Renewal(float("inf"), float("inf"))
        self._renew_not_before = float("-inf")
        self._held_until = float("-inf")
        self._held_rung = 0
        self._since = clock.now()
        self.rung = self._rungs[0]
        """The rung in use, or being tried."""

    # What others may ask for ------------------------------------------------------------------------------------

    def send(self, *events: ClientEvent) -> None:
        """Send events, in order, as soon as the connection takes them. Without one they are void: the next session is
        told the whole anyway."""
        if self._line is not None:
            self._line.send(*events)

    def hold(self, seconds: float) -> None:
        """Send nothing for so long: a limit of the server is used up until then. What is said meanwhile waits."""
        until = self._clock.now() + min(MAX_HOLD_SECONDS, seconds)
        self._held_until = max(self._held_until, until) if self.held else until
        self._held_rung = self._ladder.current

    @property
    def held(self) -> bool:
        """What is said waits for a limit of the server in use."""
        return self._held_rung == self._ladder.current and self._clock.now() < self._held_until

    def step_down(self, reason: str) -> bool:
        """Go over to the next rung below when it stands and nobody speaks; `reason` is told then.

        False when there is none below, or a change is under way. The rung that is left cools down.
        """
        if self._line is None or self._spare is not None or not self._ladder.below():
            return False
        self._open_beside(_Why.DESCEND, self._ladder.current + 1, reason=reason)
        return True

    def give_up(self, error: MrBlueError) -> bool:
        """This rung is of no use any more. False when there is no other: then the talk must end with this error."""
        if self._line is None or len(self._rungs) == 1:
            return False
        self._line.fail(error)
        return True

    def retry(self) -> None:
        """The person wants the best way back: try it now, cooled down or not."""
        if self._line is None:
            self._hurry.set()
        elif self._ladder.better(self._clock.now(), asked=True) is None:
            self._talk.emit(ev.Advice(tell("this is the best way to talk that there is")))
        else:
            self._asked = True

    def watch(self, *, idle: bool) -> None:
        """Look after renewal and the way back up; call it at every tick. `idle`: nobody speaks and nothing plays."""
        if self._line is None:
            return
        if self._spare is not None:
            self._watch_spare(self._spare, idle=idle)
            return
        now = self._clock.now()
        better = self._ladder.better(now, asked=self._asked)
        if better is not None and (idle or self._asked):
            self._open_beside(_Why.CLIMB, better, asked=self._asked)
        elif now >= self._renew_not_before and self._renewal.may_open(now, idle=idle):
            self._open_beside(_Why.RENEW, self._ladder.current)

    # The life of the talk ---------------------------------------------------------------------------------------

    async def run(self, may_begin: asyncio.Event) -> None:
        """Connect and carry events until nothing can be done any more; raises the `MrBlueError` that says why.

        The first session is announced when `may_begin` is set: the devices open meanwhile.
        """
        line, told = await self._first()
        await may_begin.wait()
        self._enter(line, told)
        while True:
            line = self._line_in_use()
            ending = asyncio.ensure_future(line.ended())
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait([ending, changed], return_when=asyncio.FIRST_COMPLETED)
                if self._line is not line:
                    self._changed.clear()
                    continue
                error = ending.result()
            finally:
                await stop([ending, changed])
            await self._recover(line, error)

    async def close(self) -> None:
        """Say goodbye; safe to call again."""
        line, self._line = self._line, None
        spare, self._spare = self._spare, None
        if spare is not None:
            self._discard(spare)
        if line is not None:
            await line.close()
        await asyncio.gather(*self._closing)

    async def _first(self) -> tuple[Line, ev.RungChanged | None]:
        """The best rung that can be had now: at the start nobody waits for tries in vain."""
        first: MrBlueError | None = None
        while True:
            index = self._ladder.current
            self.rung = self._rungs[index]
            try:
                line = await self._join(index, configured=False)
            except MrBlueError as error:
                first = first or error
                if self._ladder.failed(self._clock.now()) is None:
                    raise first from None
                continue
            return line, None if first is None else self._told(index, first.what, first.code)

    async def _recover(self, line: Line, error: MrBlueError) -> None:
        """The connection is lost: have it back, or the next best way."""
        self._line = None
        self._drop_spare()
        self._talk.link_down(planned=False)
        self._close_soon(line)
        self._backoff.stood(self._clock.now() - self._since)
        self._hurry.clear()
        lost = why = error
        index: int | None = self._ladder.current
        while index is not None:
            self.rung = self._rungs[index]
            found = await self._try(index, error, at_once=index != line.rung)
            if isinstance(found, Line):
                same = index == line.rung
                self._enter(found, self._back() if same else self._told(index, why.what, why.code))
                return
            error = found
            if index == line.rung and not found.retryable:
                why = found  # a key that is refused now is what the person must know
            index = self._ladder.failed(self._clock.now())
            self._backoff.reset()
        if error is lost:
            raise error
        what = tell("the connection was lost and cannot be made again: {why}", why=error.what)
        raise ConnectError(what, hint=error.hint, code=error.code)

    async def _try(self, index: int, error: MrBlueError, *, at_once: bool) -> Line | MrBlueError:
        """Connect, as often as it may help; the error that stands in the way otherwise."""
        if at_once:
            try:
                return await self._join(index)
            except MrBlueError as refused:
                return refused
        while error.retryable:
            delay = self._backoff.next_delay()
            if delay is None:
                break
            await self._pause(delay)
            try:
                return await self._join(index)
            except MrBlueError as refused:
                error = refused
        return error

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()

    # One connection ---------------------------------------------------------------------------------------------

    async def _join(self, index: int, *, configured: bool = True) -> Line:
        """Open a session on a rung and tell it what it must know; returns when it has taken its settings."""
        rung = self._rungs[index]
        seconds = JOIN_SECONDS if rung.name is RungName.REALTIME else LOCAL_JOIN_SECONDS
        line: Line | None = None
        try:
            async with asyncio.timeout(None if not configured else seconds):
                transport = await rung.connect()
                leg = self._talk.prepare(rung, transport.created)
                line = Line(transport, leg, index, receive=self._talk.receive, may_send=lambda: self._may_send(index))
                line.send(*leg.opening)
                if configured:
                    await line.configured()
                return line
        except TimeoutError:
            await self._let_go(line)
            what = tell("{engine} did not answer in time", engine=rung.engine)
            raise ConnectError(what, hint=tell("check the network")) from None
        except BaseException:
            await self._let_go(line)
            raise

    async def _may_send(self, rung: int) -> None:
        # It may be put off meanwhile.
        while rung == self._held_rung and (left := self._held_until - self._clock.now()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)

    def _enter(self, line: Line, told: ev.RungChanged | None) -> None:
        now = self._clock.now()
        self._line, self._since = line, now
        self.rung = self._rungs[line.rung]
        self._ladder.stands(line.rung, now)
        unix_now = None if self._wall is None else self._wall.now()
        expires = line.transport.created.session.get("expires_at")
        self._renewal = plan_renewal(
            born=now,
            expires_at=expires if isinstance(expires, int) else None,
            unix_now=unix_now,
            ages=self.rung.name is RungName.REALTIME,
        )
        self._renew_not_before = float("-inf")
        if told is not None:
            self._talk.emit(told)
        self._talk.link_up(line.leg, self.rung)
        line.go_live()

    def _back(self) -> ev.RungChanged:
        reason = tell("the connection to {engine} was lost and is back: the talk goes on", engine=self.rung.engine)
        return ev.RungChanged(str(self.rung.name), self.rung.engine, reason, reconnected=True, code=ConnectError.code)

    def _told(self, index: int, why: str, code: str) -> ev.RungChanged:
        rung = self._rungs[index]
        if not rung.hears:
            reason = tell("{why}; the talk goes on in writing: type instead of talking", why=why)
        elif not rung.speaks:
            reason = tell("{why}; the talk goes on with {engine}, answers are read", why=why, engine=rung.engine)
        else:
            reason = tell("{why}; the talk goes on with {engine}", why=why, engine=rung.engine)
        return ev.RungChanged(str(rung.name), rung.engine, reason, code=code)

    # Beside the one in use --------------------------------------------------------------------------------------

    def _open_beside(self, why: _Why, index: int, *, reason: str = "", asked: bool = False) -> None:
        self._asked = False
        self._spare = _Spare(why, index, asyncio.ensure_future(self._join(index)), reason, asked)

    def _watch_spare(self, spare: _Spare, *, idle: bool) -> None:
        if not spare.opening.done():
            return
        now = self._clock.now()
        error = spare.opening.exception()
        if error is None and not spare.opening.result().alive:
            error = ConnectError(tell("the connection did not last"))
            self._discard(spare)
        if error is None:
            if idle or (spare.why is _Why.RENEW and self._renewal.may_swap(now, idle=False)):
                self._spare = None
                self._go_over(spare)
            return
        self._spare = None
        if not isinstance(error, MrBlueError):
            raise error
        if spare.why is _Why.RENEW:
            # Should it never stand, the session ends by itself, and that is a loss like any other.
            self._renew_not_before = now + RETRY_SECONDS
        else:
            self._ladder.probe_failed(spare.rung, now)
        if spare.asked:
            self._talk.emit(ev.Advice(tell("not yet: {why}", why=error.what)))

    def _go_over(self, spare: _Spare) -> None:
        old, line, engine = self._line_in_use(), spare.opening.result(), self._rungs[spare.rung].engine
        name = str(self._rungs[spare.rung].name)
        told = None
        if spare.why is _Why.CLIMB:
            reason = tell("{engine} is there again: the talk goes on there", engine=engine)
            told = ev.RungChanged(name, engine, reason, code="asked" if spare.asked else "recovered")
        elif spare.why is _Why.DESCEND:
            self._ladder.probe_failed(old.rung, self._clock.now())
            told = self._told(spare.rung, spare.reason, "rate_limit")
        self._line = None
        self._talk.link_down(planned=True)
        self._enter(line, told)
        self._close_soon(old)
        self._changed.set()

    def _line_in_use(self) -> Line:
        assert self._line is not None  # noqa: S101 - only asked while one stands
        return self._line

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._discard(spare)

    def _discard(self, spare: _Spare) -> None:
        if not spare.opening.done():
            spare.opening.cancel()
        elif not spare.opening.cancelled() and spare.opening.exception() is None:
            self._close_soon(spare.opening.result())

    def _close_soon(self, line: Line) -> None:
        """A goodbye may take seconds; nobody waits for it."""
        closing = asyncio.ensure_future(line.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    @staticmethod
    async def _let_go(line: Line | None) -> None:
        if line is not None:
            await line.close()
