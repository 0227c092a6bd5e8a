"""What was said, both sides: partial text dimmed, cut-off text ends in a dash."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import Advice, AssistantTranscript, Failure, ToolRan, UserTranscript

KEPT_LINES = 400
"""Older lines leave the screen, so that an evening's conversation stays quick."""


class Line(Static):
    """One thing said by one side, or a note between."""

    def __init__(self, who: str, kind: str = "note") -> None:
        super().__init__(classes=f"line {kind}")
        self.who = who
        self.words = ""

    def say(self, text: str, *, final: bool, cut: bool = False, dim: bool = False) -> None:
        """Show the words so far; `dim`: of an earlier sitting."""
        self.words = f"{text} —" if cut else text
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=4, no_wrap=True)
        grid.add_column(ratio=1)
        ellipsis = "" if final or not text else "…"
        grid.add_row(
            Text(self.who, "bold dim" if dim else "bold"),
            Text(self.words + ellipsis, "dim" if dim or not final else ""),
        )
        self.update(grid)


class Transcript(VerticalScroll):
    """Lines appear in the order in which people began to speak; late words find their place by item."""

    can_focus = True

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.border_title = tell("Conversation")
        self._lines: dict[str, Line] = {}
        self._results: dict[str, Line] = {}
        """What tools of this turn said, by their sentence."""

    def hear(self, event: UserTranscript) -> None:
        """The person's words."""
        if event.final and not event.text:
            return
        self._results.clear()
        self._line(event.item_id, tell("You"), "you").say(event.text, final=event.final, dim=event.earlier)
        self._follow()

    def answer(self, event: AssistantTranscript) -> None:
        """The assistant's words; cut-off ones keep only what was heard."""
        cut = event.heard_ms is not None
        self._drop_result(event.text)
        line = self._line(event.item_id, tell("Blue"), "blue")
        line.say(event.text, final=event.final, cut=cut, dim=event.earlier)
        self._follow()

    def note(self, event: Failure | Advice) -> None:
        """A line between: something failed, or is worth knowing."""
        line = Line("")
        if isinstance(event, Failure):
            line.say(f"! {event.message}{f'  → {event.hint}' if event.hint else ''}", final=True)
            line.add_class("failure")
        else:
            line.say(f"· {event.text}", final=True)
        self.mount(line)
        self._follow()

    def note_tool(self, event: ToolRan) -> None:
        """What a tool says, until the answer says the same."""
        line = self._results[event.say] = Line("")
        line.say(f"· {event.name}: {event.say}", final=True)
        self.mount(line)
        self._follow()

    def _drop_result(self, answer: str) -> None:
        # A brain without a model speaks a tool's sentence as it stands: nobody needs to read it twice.
        words = answer.strip()
        for said in [said for said in self._results if words and (said.startswith(words) or words.startswith(said))]:
            self._results.pop(said).remove()

    def clear(self) -> None:
        """Empty the panel."""
        self._results.clear()
        self._lines.clear()
        self.remove_children()

    @property
    def as_text(self) -> str:
        """All of it, to copy."""
        return "\n".join(f"{line.who or '-'}: {line.words}" for line in self.query(Line))

    def _line(self, key: str, who: str, kind: str) -> Line:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(who, kind)
            self.mount(line)
            old = list(self.query(Line))[:-KEPT_LINES]
            for gone in old:
                gone.remove()
        return line

    def _follow(self) -> None:
        """Stay at the end, unless the person scrolled up to read."""
        if self.max_scroll_y - self.scroll_y <= 3:
            self.call_after_refresh(self.scroll_end, animate=False)
