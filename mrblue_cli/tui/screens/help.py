"""Help on one screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.tui.widgets.key_hints import key_name


def help_text(key: str) -> str:
    """Keys and habits, a section for each thing a person does."""
    sections = (
        (
            tell("Talk"),
            tell("Just speak: in hands-free mode a pause ends your turn, and speaking stops the answer."),
            _key(key, tell("in push-to-talk, tap to start, tap again to send; otherwise it stops the answer")),
            _key("m", tell("mute, and again to be heard")),
            _key("esc", tell("stop the answer; in push-to-talk also throws the recording away")),
        ),
        (
            tell("Type"),
            _key("t /", tell("go to the line at the bottom; enter sends, up and down repeat, esc leaves")),
        ),
        (
            tell("Fixes"),
            _key("1-9", tell("copy that step of the open entry")),
            _key("tab", tell("walk through the panels; enter opens and closes an entry")),
            _key("f", tell("in a narrow window: switch between fixes and thinking")),
        ),
        (
            tell("More"),
            _key("ctrl+p", tell("commands: ways to take turns, themes, copy the conversation")),
            _key("ctrl+q", tell("quit (ctrl+c works, too)")),
        ),
    )
    told = ["\n".join((f"[b]{head}[/b]", *(f"  {line}" for line in lines))) for head, *lines in sections]
    last = tell("Text that was cut off ends in —. Rates are the editor's estimate. Press any key to go back.")
    return "\n\n".join((*told, last))


def _key(name: str, what: str) -> str:
    return f"{name:<10} {what}"


class HelpScreen(ModalScreen[None]):
    """Any key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back", show=False)]

    def __init__(self, talk_key: str) -> None:
        super().__init__()
        self._talk_key = talk_key

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_text(key_name(self._talk_key)))

    def on_key(self) -> None:
        self.dismiss()
