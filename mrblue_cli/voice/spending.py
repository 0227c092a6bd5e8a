"""Money and rate limits in a talk: tells what was spent, warns, and ends politely at the limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from msgspec import UNSET

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.texts import tell
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.notices import RateLimited, TranscriptUsage
from mrblue_cli.protocol.session import Session
from mrblue_cli.protocol.transitions import Reply
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.flow import TurnFlow
from mrblue_cli.voice.link import Link
from mrblue_cli.voice.money import WARN_SHARE, Purse, Verdict, dollars
from mrblue_cli.voice.prices import reply_charges, transcription_charges
from mrblue_cli.voice.rates import LowRate, NoRoom, RateWatch
from mrblue_cli.voice.rungs import Rung, RungName

MAX_COST = "max_cost"
"""The reason in `Ended`."""


class _Talk(Protocol):
    """What money needs of the session."""

    flow: TurnFlow
    link: Link

    @property
    def conversation(self) -> ClientConversation: ...
    def emit(self, event: ev.TalkEvent) -> None: ...
    def close_ears(self) -> None: ...
    def end(self, reason: str) -> None: ...


@runtime_checkable
class Patient(Protocol):
    """A connection that can wait for a rate limit, or go on a rung below."""

    def hold(self, seconds: float) -> None:
        """Ask for no reply for so long."""
        ...

    def step_down(self, reason: str) -> bool:
        """Go on a lesser way; False when there is none."""
        ...


class Spending:
    """Follows what the server bills. The session tells it of usage, and asks it at every tick whether to go on."""

    def __init__(self, talk: _Talk, *, limit_usd: float, clock: Clock, busy: Callable[[], bool]) -> None:
        """`limit_usd` 0: no limit. `busy`: a reply is being made, or heard."""
        self._talk = talk
        self._clock = clock
        self._busy = busy
        self.purse = Purse(limit_usd if limit_usd > 0 else None)
        self._rates = RateWatch()
        self._no_room: tuple[NoRoom, float] | None = None
        self._farewell: str | None = None
        """The line why no more turns are taken; told once nothing sounds."""

    @property
    def closing(self) -> bool:
        """No new turn is taken any more."""
        return self._farewell is not None

    def reply_done(self, model: str, usage: object, *, made: bool = True) -> None:
        """A reply ended, cut off or not: what it used is billed. `made` False: nothing came of it.

        Where the server does not say what a reply used, that is told as a use without a known price.
        """
        charges = reply_charges(model, usage, free=self._free)
        if not charges and made and not self._free:
            charges = (Charge(ChargeKind.REPLY, model),)
        self._pay(charges)

    def hear(self, notice: RateLimited | TranscriptUsage) -> None:
        """The person's words were transcribed, or the server said what is left of a limit."""
        if isinstance(notice, RateLimited):
            self._limited(notice)
            return
        model = transcription_model(self._talk.link.rung.desired)
        self._pay(transcription_charges(model, notice.usage, free=self._free))

    def close_turn(self) -> float | None:
        """A turn ended; returns what it cost in US dollars, None when that is not known."""
        cost = self.purse.close_turn()
        if cost is None and self._free:
            return 0.0
        return cost

    def watch(self) -> None:
        """Look whether the talk may go on; call it at every tick."""
        idle = not self._busy()
        nothing_asked = self._talk.conversation.reply_state is Reply.NONE
        self._judge(between_turns=idle and nothing_asked and not self._talk.flow.hearing)
        if not idle:
            return
        if self._farewell is not None:
            self._talk.emit(ev.Advice(self._farewell))
            self._talk.end(MAX_COST)
        elif self._no_room is not None:
            self._make_room(*self._no_room)
            self._no_room = None

    @property
    def _free(self) -> bool:
        """What this machine makes bills nobody; the paid services behind it are named one by one in the usage."""
        rung: Rung = self._talk.link.rung
        return rung.name is not RungName.REALTIME or rung.engine == "local"

    def _pay(self, charges: tuple[Charge, ...]) -> None:
        if not charges:
            return
        rung = self._talk.link.rung
        named = tuple(replace(charge, engine=rung.engine, rung=str(rung.name)) for charge in charges)
        purse = self.purse
        purse.pay(named)
        self._talk.emit(ev.Spent(purse.turn_usd, purse.total_usd, purse.limit_usd, named, purse.unpriced))
        self._judge(between_turns=False)

    def _judge(self, *, between_turns: bool) -> None:
        if self.closing:
            return
        verdict = self.purse.judge(between_turns=between_turns)
        if verdict is Verdict.FINE:
            return
        values = {"spent": dollars(self.purse.total_usd or 0.0), "limit": dollars(self.purse.limit_usd or 0.0)}
        if verdict is Verdict.LOW:
            share = f"{WARN_SHARE:.0%}"
            self._talk.emit(ev.Advice(tell("{spent} of {limit} are spent, more than {share}", share=share, **values)))
            return
        if verdict is Verdict.SPENT:
            self._farewell = tell("{spent} are spent and the limit is {limit}: this talk ends here", **values)
        else:
            next_turn = dollars(self.purse.next_turn_nano / 1e9)
            self._farewell = tell(
                "{spent} of {limit} are spent and one more turn would cost about {next}: this talk ends here",
                next=next_turn,
                **values,
            )
        self._talk.close_ears()

    def _limited(self, limit: RateLimited) -> None:
        now = self._clock.now()
        for found in self._rates.see(limit, now, self.purse.next_turn_tokens):
            if isinstance(found, LowRate):
                self._talk.emit(
                    ev.Advice(
                        tell(
                            "only {share} of the {name} limit is left for {seconds} s",
                            share=f"{found.share:.0%}",
                            name=found.name,
                            seconds=f"{found.reset_seconds:.0f}",
                        )
                    )
                )
            else:
                self._no_room = (found, now + found.reset_seconds)

    def _make_room(self, no_room: NoRoom, until: float) -> None:
        link, seconds = self._talk.link, until - self._clock.now()
        if seconds <= 0 or not isinstance(link, Patient):
            return
        values = {"name": no_room.name, "seconds": f"{seconds:.0f}"}
        reason = tell("the {name} limit of the server is used up for {seconds} s", **values)
        if not no_room.worth_waiting and link.step_down(reason):
            return
        told = tell("the {name} limit of the server is used up: the next answer waits {seconds} s", **values)
        self._talk.emit(ev.Advice(told))
        link.hold(seconds)


def transcription_model(session: Session) -> str:
    """The model that transcribes in a session; empty when the server chooses."""
    audio = session.audio
    if audio is UNSET or audio.input is UNSET:
        return ""
    chosen = audio.input.transcription
    if chosen is UNSET or chosen is None or chosen.model is UNSET:
        return ""
    return chosen.model
