"""Does the person want to speak, or was it a cough? Pure: facts and their time go in, what to do comes out.

Speech over a reply pauses it at once. Half a second of it, or words that are more than an acknowledgement, stop it.
If neither comes within two seconds, or it was nothing, the reply goes on from the sample; words that come later than
that still stop it (voice-craft section 9; the numbers are those of livekit's voice/turn.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from mrblue_cli.voice.acknowledgements import interrupts

CONFIRM_MS = 500
"""So much speech is meant."""
PATIENCE_SECONDS = 2.0
"""So long the reply waits for a reason to stop."""


class Stage(Enum):
    """Where the judgement stands."""

    QUIET = auto()
    """There is nothing to judge."""
    PAUSED = auto()
    """The reply is held."""
    RESUMED = auto()
    """The reply goes on, and what was said is still to be judged."""


class Act(Enum):
    """What to do about the reply."""

    PAUSE = auto()
    RESUME = auto()
    STOP = auto()
    """The person means it: the reply ends here."""
    ANSWER = auto()
    """The person's turn is complete and needs a reply."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing was said in this item: it leaves the conversation."""

    item_id: str


Decision = Act | Forget


class BargeIn:
    """Judges what is heard over one reply. Items are the person's utterances, by the id the server gave them."""

    def __init__(self) -> None:
        self.stage = Stage.QUIET
        self._open = False
        self._open_item: str | None = None
        self._pending: set[str] = set()
        self._forgotten: set[str] = set()
        self._since = 0.0

    @property
    def judging(self) -> bool:
        """What was heard over the reply is still to be judged."""
        return self.stage is not Stage.QUIET

    @property
    def is_open(self) -> bool:
        """What is to be judged has not become an item yet."""
        return self._open

    def concerns(self, item_id: str) -> bool:
        """This utterance is one of those to be judged, or was found to be nothing."""
        return item_id in self._pending or item_id in self._forgotten or (self._open and item_id == self._open_item)

    def forgot(self, item_id: str) -> bool:
        """This utterance was found to be nothing."""
        return item_id in self._forgotten

    def began(self, now: float, item_id: str | None = None) -> list[Decision]:
        """Speech began over a reply. `item_id`: the item that will hold it, where that is known already."""
        held = self.stage is Stage.PAUSED
        self.stage, self._open, self._open_item, self._since = Stage.PAUSED, True, item_id, now
        return [] if held else [Act.PAUSE]

    def spoke(self, burst_ms: int) -> list[Decision]:
        """The person has spoken for `burst_ms` without a gap worth the name."""
        return self._confirmed() if self.judging and self._open and burst_ms >= CONFIRM_MS else []

    def words(self, item_id: str, text: str, *, final: bool) -> list[Decision]:
        """What was recognised in an item, whole so far."""
        if not self.judging or not self.concerns(item_id) or item_id in self._forgotten:
            return []
        if interrupts(text):
            return self._confirmed()
        return self._nothing(item_id) if final else []

    def closed(self, item_id: str) -> bool:
        """An utterance became an item. True: it is to be judged (or was), so do not answer it now."""
        if item_id in self._forgotten:
            return True
        if not (self.judging and self._open):
            return False
        self._open, self._open_item = False, None
        self._pending.add(item_id)
        return True

    def came_to_nothing(self) -> list[Decision]:
        """The speech that had begun became no item: too short, or thrown away."""
        if not (self.judging and self._open):
            return []
        self._open, self._open_item = False, None
        return self._settled()

    def tick(self, now: float) -> list[Decision]:
        """Time passes."""
        if self.stage is not Stage.PAUSED or now - self._since < PATIENCE_SECONDS:
            return []
        self.stage = Stage.RESUMED
        return [Act.RESUME]

    def meant(self) -> list[Decision]:
        """It cannot be judged any more: it counts as meant, and is complete."""
        self.reset()
        return [Act.STOP, Act.ANSWER]

    def cut_off(self) -> list[Decision]:
        """The session that heard it is gone. What was complete is judged when the next one tells its words; what was
        still being said begins there anew."""
        held = self.stage is Stage.PAUSED
        self._open, self._open_item = False, None
        self.stage = Stage.RESUMED if self._pending else Stage.QUIET
        return [Act.RESUME] if held else []

    def silenced(self) -> None:
        """The reply was ended by a key or by typed words; what was said over it is still to be judged."""
        if self.judging:
            self.stage = Stage.RESUMED if self._open or self._pending else Stage.QUIET

    def reset(self) -> None:
        """Nothing is to be judged any more: a new turn is answered, or the connection is another."""
        self.stage, self._open, self._open_item = Stage.QUIET, False, None
        self._pending.clear()

    def _confirmed(self) -> list[Decision]:
        complete = not self._open
        self.reset()
        return [Act.STOP, Act.ANSWER] if complete else [Act.STOP]

    def _nothing(self, item_id: str) -> list[Decision]:
        self._pending.discard(item_id)
        self._forgotten.add(item_id)
        if item_id == self._open_item:
            self._open, self._open_item = False, None
        return [Forget(item_id), *self._settled()]

    def _settled(self) -> list[Decision]:
        if self._open or self._pending:
            return []
        held = self.stage is Stage.PAUSED
        self.stage = Stage.QUIET
        return [Act.RESUME] if held else []
