"""The Textual app: one screen over a conversation that runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from mrblue_cli.tui.handle import TalkHandle
from mrblue_cli.tui.messages import Happened
from mrblue_cli.tui.options import TuiOptions
from mrblue_cli.tui.screens.talk import TalkScreen
from mrblue_cli.tui.themes import MRBLUE, MRBLUE_LIGHT
from mrblue_cli.voice.events import Failure, TalkEvent


class TalkApp(App[Failure | None]):
    """Returns the failure that ended the conversation, or None when the person left."""

    CSS_PATH = "talk.tcss"
    TITLE = "mrblue"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", priority=True),
        Binding("ctrl+c", "leave", "Quit", priority=True, show=False),
    ]

    def __init__(self, handle: TalkHandle, options: TuiOptions | None = None) -> None:
        super().__init__()
        self._handle = handle
        self._options = options or TuiOptions()
        self.talk_screen = TalkScreen(handle, self._options)

    def on_mount(self) -> None:
        self.register_theme(MRBLUE)
        self.register_theme(MRBLUE_LIGHT)
        known = self._options.theme in self.available_themes
        self.theme = self._options.theme if known else "mrblue"
        self.push_screen(self.talk_screen)
        # The screen is drawn first; connecting may take seconds.
        self.call_after_refresh(self._handle.start, self._forward)

    def _forward(self, event: TalkEvent) -> None:
        """Called from the conversation's thread; posting is thread-safe, a closed app takes nothing more."""
        if self.is_running:
            self.talk_screen.post_message(Happened(event))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual asks so
        """None of Textual's own: ours are what a talk needs, in the person's language."""
        return ()

    def action_leave(self) -> None:
        """Quit, whatever is going on."""
        self.exit(self.talk_screen.failure)
