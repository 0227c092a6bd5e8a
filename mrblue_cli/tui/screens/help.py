"""Help on one screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

_HELP = """\
[b]Talk[/b]
  Just speak: in hands-free mode a pause ends your turn, and speaking stops the answer.
  {key:<10} talk key: in push-to-talk, tap to start, tap again to send; otherwise it stops the answer
  m          mute, and again to be heard
  esc        stop the answer; in push-to-talk also throws the recording away

[b]Type[/b]
  t or /     go to the line at the bottom; enter sends, up and down repeat, esc leaves

[b]Fixes[/b]
  1-9        copy that step of the open entry
  tab        walk through the panels; enter opens and closes an entry
  f          in a narrow window: switch between fixes and thinking

[b]More[/b]
  ctrl+p     commands: ways to take turns, themes, copy the conversation
  ctrl+q     quit (ctrl+c works, too)

Text that was cut off ends in —. Rates are the editor's estimate. Press any key to go back."""


class HelpScreen(ModalScreen[None]):
    """Any key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back", show=False)]

    def __init__(self, talk_key: str) -> None:
        super().__init__()
        self._talk_key = talk_key

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(_HELP.format(key=self._talk_key))

    def on_key(self) -> None:
        self.dismiss()
