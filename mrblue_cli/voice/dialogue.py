"""What was said so far, in order, as far as it was really heard. Pure: fed with the one event stream.

It is what a new connection is told of the talk, what history keeps, and what `--resume` begins with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mrblue_cli.voice import events as ev


class Who(StrEnum):
    """Whose words."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """What a tool was asked and what it answered, as one sentence."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said, final."""

    item_id: str
    who: Who
    text: str
    cut: bool = False
    """The reply was cut off: `text` is the heard part."""
    final: bool = True
    """False only among `lines`: words that are still coming, or that still play."""


class Dialogue:
    """Keeps final lines in the order in which they began. A line that is told again (a late cut) replaces itself."""

    def __init__(self, past: Sequence[Said] = ()) -> None:
        self._order: list[str] = [said.item_id for said in past]
        self._said: dict[str, Said] = {said.item_id: said for said in past}
        self._begun: dict[str, Said] = {}

    @property
    def said(self) -> tuple[Said, ...]:
        """All final lines with words, oldest first."""
        found = (self._said.get(item_id) for item_id in self._order)
        return tuple(said for said in found if said is not None and said.text)

    @property
    def lines(self) -> tuple[Said, ...]:
        """All lines in order, also those that are not final yet; the person's may have no words so far."""
        return tuple(self._said.get(item_id) or self._begun[item_id] for item_id in self._order)

    def place(self, item_id: str) -> None:
        """The person's words under this name come here in the order, whenever they are known."""
        self._begin(item_id, Who.USER, "")

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event; most change nothing."""
        match event:
            case ev.UserTranscript():
                self._begin(event.item_id, Who.USER, event.text)
                if event.final:
                    self._said[event.item_id] = Said(event.item_id, Who.USER, event.text)
            case ev.AssistantTranscript():
                self._begin(event.item_id, Who.ASSISTANT, event.text)
                if event.final:
                    cut = event.heard_ms is not None
                    self._said[event.item_id] = Said(event.item_id, Who.ASSISTANT, event.text, cut)
            case ev.ToolRan() if event.status is not ev.ToolStatus.RUNNING:
                self._begin(event.call_id, Who.TOOL, "")
                text = f"{event.name}({event.arguments}) -> {event.output}"
                self._said[event.call_id] = Said(event.call_id, Who.TOOL, text)
            case _:
                pass

    def _begin(self, item_id: str, who: Who, text: str) -> None:
        if item_id not in self._said and item_id not in self._begun:
            self._order.append(item_id)
        self._begun[item_id] = Said(item_id, who, text, final=False)
