"""What a fault did to a talk, as one row of the table; and the events of a talk with the time at which they came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from mrblue_cli.voice import events as ev

SOCKETS = "sockets"
VIRTUAL = "virtual time"
PROCESS = "processes"


@dataclass
class Row:
    """One fault. `told`: the lines that the person was shown about it."""

    fault: str
    how: str
    told: list[str] = field(default_factory=list)
    seconds: float | None = None
    """From the fault until somebody listens again; None: nobody ever stopped listening."""
    lost: int = 0
    doubled: int = 0
    twice: int = 0
    """Replies of which something was heard twice."""
    wrong: list[str] = field(default_factory=list)
    """What did not go as it should."""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Nothing went wrong."""
        return not (self.wrong or self.lost or self.doubled or self.twice)

    def table(self) -> dict[str, object]:
        """As JSON."""
        return {**asdict(self), "ok": self.ok}

    def expect(self, what: str, *, holds: bool) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)

    def lines(self, said: Sequence[str], shown: Sequence[str]) -> None:
        """Count lines of the person that are missing and that are there too often."""
        wanted, found = Counter(said), Counter(shown)
        self.lost += (wanted - found).total()
        self.doubled += (found - wanted).total()


class Stamped(list[ev.TalkEvent]):
    """Events of a talk; `at` holds the loop's time of each."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def append(self, event: ev.TalkEvent) -> None:
        """Take in one event."""
        if isinstance(event, ev.Levels):
            return
        self.at.append(asyncio.get_running_loop().time())
        super().append(event)

    def told(self, since: float = 0.0) -> list[str]:
        """The lines that a person was shown since then: about ways, devices, failures and advice."""
        found = []
        for event, at in zip(self, self.at, strict=True):
            if at < since:
                continue
            match event:
                case ev.RungChanged():
                    found.append(event.reason)
                case ev.Failure():
                    found.append(event.message)
                case ev.Advice():
                    found.append(event.text)
                case _:
                    pass
        return found

    def first(self, words: str, since: float = 0.0) -> float | None:
        """When a line with these words was told, seconds after `since`."""
        for event, at in zip(self, self.at, strict=True):
            line = str(getattr(event, "reason", "") or getattr(event, "message", "") or getattr(event, "text", ""))
            if at >= since and words in line:
                return at - since
        return None

    def finals(self, kind: type[ev.UserTranscript | ev.AssistantTranscript]) -> list[str]:
        """Final lines of one side, in order."""
        return [event.text for event in self if isinstance(event, kind) and event.final and event.text]


def markdown(rows: Sequence[Row]) -> str:
    """The table for the documentation."""
    lines = [
        "| fault | how | told | listening again after | lost, doubled, twice | outcome |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = "; ".join(row.told) or "nothing"
        seconds = "never stopped" if row.seconds is None else f"{row.seconds:.1f} s"
        outcome = "ok" if row.ok else f"**bad**: {'; '.join(row.wrong)}"
        note = f" ({row.note})" if row.note else ""
        counts = f"{row.lost}, {row.doubled}, {row.twice}"
        lines.append(f"| {row.fault} | {row.how} | {told} | {seconds} | {counts} | {outcome}{note} |")
    return "\n".join(lines)
