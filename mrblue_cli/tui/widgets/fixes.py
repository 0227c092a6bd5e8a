"""The entries that fit, with their steps; a step is copied by its number."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.model import Hit, Risk, is_prose
from mrblue_cli.tui.messages import CopyStep
from mrblue_cli.voice.events import KbHit

MAX_NUMBERED = 9


class FixItem(Static):
    """One entry: title and confidence; open, it shows causes and every way out."""

    can_focus = True

    def __init__(self, hit: Hit, *, expanded: bool) -> None:
        super().__init__(classes="fix")
        self.hit = hit
        self.expanded = expanded
        self._numbered: list[str] = []

    def on_mount(self) -> None:
        self.update(self.draw())

    def toggle(self) -> None:
        """Open or close the entry."""
        self.expanded = not self.expanded
        self.update(self.draw())

    def on_click(self) -> None:
        self.toggle()

    def on_key(self, event: events.Key) -> None:
        if event.key in {"enter", "right", "left"}:
            self.toggle()
            event.stop()

    @property
    def steps(self) -> list[str]:
        """The commands of the first way out, in the order of their numbers; what is told has none."""
        ways = self.hit.solutions[:1]
        return [step for way in ways for step in way.steps if not is_prose(step)][:MAX_NUMBERED]

    def draw(self) -> RenderableType:
        """Title line, then steps."""
        title = Table.grid(expand=True)
        title.add_column(ratio=1)
        title.add_column(width=6, justify="right")
        mark = "▾" if self.expanded else "▸"
        title.add_row(Text(f"{mark} {self.hit.entry.title}", "bold"), Text(f"{self.hit.confidence * 100:.0f} %"))
        if not self.expanded:
            return title
        parts: list[RenderableType] = [title]
        for place, solution in enumerate(self.hit.solutions):
            note = _risk(solution.risk)
            head = Text(f"  {solution.title}", "italic")
            head.append(tell("  {rate} % est.", rate=solution.success_rate), "dim")
            if note:
                head.append(f"  {note}", "bold" if solution.risk is Risk.DESTRUCTIVE else "dim")
            parts.append(head)
            if solution.why:
                parts.append(Padding(Text(solution.why, "dim"), (0, 0, 0, 2)))
            numbers = {step: number for number, step in enumerate(self.steps, 1)} if place == 0 else {}
            parts += [self._step(numbers.get(step), step) for step in solution.steps]
        if self.hit.entry.causes:
            parts.append(Padding(Text(tell("why: {cause}", cause=self.hit.entry.causes[0]), "dim"), (0, 0, 0, 2)))
        return Group(*parts)

    @staticmethod
    def _step(number: int | None, step: str) -> RenderableType:
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=4, justify="right")
        row.add_column(ratio=1)
        row.add_column(width=max(4, len(tell("copy"))))
        shown = Text(step, "" if is_prose(step) else "bold")
        row.add_row(
            Text("·" if number is None else str(number)), shown, Text("" if number is None else tell("copy"), "dim")
        )
        return row


class Fixes(VerticalScroll):
    """The hits of what is being said now; the best one is open."""

    def __init__(self) -> None:
        super().__init__(id="fixes", classes="panel")
        self.border_title = tell("Fixes")
        self._item = ""
        self._hits: dict[str, Hit] = {}

    def compose(self) -> ComposeResult:
        yield Static(tell("Fixes appear here while you speak."), classes="empty")

    def show(self, event: KbHit) -> None:
        """Add or renew a hit; another item's hits replace all."""
        if event.item_id != self._item:
            self._item = event.item_id
            self._hits.clear()
        self._hits[event.hit.entry.id] = event.hit
        ranked = sorted(self._hits.values(), key=lambda hit: -hit.confidence)
        self.remove_children()
        self.mount(*(FixItem(hit, expanded=place == 0) for place, hit in enumerate(ranked)))
        self.scroll_home(animate=False)

    def clear(self) -> None:
        """Empty the panel."""
        self._hits.clear()
        self.remove_children()
        self.mount(Static(tell("Fixes appear here while you speak."), classes="empty"))

    def copy(self, number: int) -> None:
        """Ask for a step of the open entry (the first open one) to be copied."""
        for item in self.query(FixItem):
            if item.expanded and number <= len(item.steps):
                self.post_message(CopyStep(item.steps[number - 1]))
                return


def _risk(risk: Risk) -> str:
    match risk:
        case Risk.CHANGES:
            return tell("changes your system")
        case Risk.DESTRUCTIVE:
            return tell("! deletes data")
        case _:
            return ""
