"""The purse of a talk: what was spent, what the next turn will cost, and when to stop. Pure.

Each turn bills the whole conversation again (voice-craft section 15), so a talk grows dearer as it goes on. The next
turn is estimated as the last one, plus what it added to the conversation, read for the first time: the last reply, and
as much from the person as in their last turn. What was cached may be so again; replies that were cut are shorter:
the estimate errs on the dear side.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from mrblue_cli.core.prices import NANO
from mrblue_cli.voice.charges import Charge, ChargeKind
from mrblue_cli.voice.prices import as_input_nano

WARN_SHARE = 0.8


class Verdict(Enum):
    """What to tell the person, each once."""

    FINE = auto()
    LOW = auto()
    """80 % of the limit are spent."""
    LAST = auto()
    """The next turn would pass the limit: take none."""
    SPENT = auto()
    """The limit is reached: finish what is being said."""


class Purse:
    """Adds up charges. Money is whole nano-dollars inside and US dollars outside."""

    def __init__(self, limit_usd: float | None = None) -> None:
        """`limit_usd` None: no limit."""
        self.limit_nano = None if limit_usd is None else round(limit_usd * NANO)
        self.total_nano = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.unpriced = 0
        """Charges whose price is not known."""
        self._priced = 0
        self._turn_nano = 0
        self._turn_priced = False
        self._turn_used = False
        self._last_turn_nano = 0
        self._last_reply: Charge | None = None
        self._reply_before: Charge | None = None
        self._told = Verdict.FINE

    @property
    def limit_usd(self) -> float | None:
        """The limit, None when there is none."""
        return None if self.limit_nano is None else self.limit_nano / NANO

    @property
    def total_usd(self) -> float | None:
        """All that has a price; None when nothing had one."""
        return self.total_nano / NANO if self._priced else None

    @property
    def turn_usd(self) -> float | None:
        """The turn so far; None when nothing of it had a price."""
        return self._turn_nano / NANO if self._turn_priced else None

    def pay(self, charges: Iterable[Charge]) -> None:
        """Take in what one reply or transcription used; whether anybody heard it makes no difference."""
        paid = tuple(charges)
        for charge in paid:
            self._turn_used = True
            self.input_tokens += charge.input_tokens
            self.output_tokens += charge.output_tokens
            if charge.cost_nano is None:
                self.unpriced += 1
            else:
                self._priced += 1
                self._turn_priced = True
                self._turn_nano += charge.cost_nano
                self.total_nano += charge.cost_nano
        replies = [charge for charge in paid if charge.kind is ChargeKind.REPLY]
        if replies:
            # Where several models worked on it, the one that read the conversation.
            reader = max(replies, key=lambda charge: charge.input_tokens)
            self._reply_before, self._last_reply = self._last_reply, reader

    def close_turn(self) -> float | None:
        """End the turn; returns what it cost. A transcription that comes later counts in the next one."""
        cost = self.turn_usd
        if self._turn_used:
            self._last_turn_nano = self._turn_nano
        self._turn_nano = 0
        self._turn_priced = self._turn_used = False
        return cost

    @property
    def next_turn_nano(self) -> int:
        """What the next turn will probably cost, in nano-dollars; 0 before anything is known."""
        last = self._last_reply
        if last is None or not last.cost_nano:
            return self._last_turn_nano
        spoken = self._person_audio()
        added = as_input_nano(last.model, text_tokens=last.text_output, audio_tokens=last.audio_output + spoken)
        return self._last_turn_nano + added

    @property
    def next_turn_tokens(self) -> int:
        """How many tokens the next reply will probably take, input and output; 0 before anything is known."""
        last = self._last_reply
        if last is None:
            return 0
        return last.input_tokens + 2 * last.output_tokens + self._person_audio()

    def _person_audio(self) -> int:
        """Audio tokens that the person's last turn added; 0 where that cannot be told yet."""
        last, before = self._last_reply, self._reply_before
        if last is None or before is None:
            return 0
        return max(0, last.audio_input - before.audio_input - before.audio_output)

    def judge(self, *, between_turns: bool) -> Verdict:
        """What is to be told now; each verdict is given once, a graver one replaces a lighter one.

        `between_turns`: no reply is under way, so that the next turn can still be declined.
        """
        verdict = self._standing(between_turns=between_turns)
        if verdict.value <= self._told.value:
            return Verdict.FINE
        self._told = verdict
        return verdict

    def _standing(self, *, between_turns: bool) -> Verdict:
        limit = self.limit_nano
        if limit is None:
            return Verdict.FINE
        if self.total_nano >= limit:
            return Verdict.SPENT
        if between_turns and self._last_turn_nano and self.total_nano + self.next_turn_nano > limit:
            return Verdict.LAST
        return Verdict.LOW if self.total_nano >= WARN_SHARE * limit else Verdict.FINE


def dollars(amount: float) -> str:
    """US dollars as a person reads them: cents, and more places where cents say little."""
    places = 2 if amount == 0 or amount >= 0.995 else 3 if amount >= 0.0995 else 4
    return f"${amount:,.{places}f}"
