"""The talk screen: lays the widgets out and passes events to them, keys to the conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, assert_never

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import Container, Horizontal
from textual.screen import Screen
from textual.widgets import Static

from mrblue_cli.core.texts import tell
from mrblue_cli.tui.commands import TalkCommands
from mrblue_cli.tui.handle import TalkHandle
from mrblue_cli.tui.messages import CopyStep, Happened, Submitted
from mrblue_cli.tui.options import TuiOptions
from mrblue_cli.tui.screens.help import HelpScreen
from mrblue_cli.tui.widgets.composer import Composer
from mrblue_cli.tui.widgets.fixes import Fixes
from mrblue_cli.tui.widgets.key_hints import KeyHints
from mrblue_cli.tui.widgets.meters import Meters
from mrblue_cli.tui.widgets.status_strip import StatusStrip
from mrblue_cli.tui.widgets.thinking import ThinkingPanel
from mrblue_cli.tui.widgets.transcript import Transcript
from mrblue_cli.voice import controls as do
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.indicator import Indicator

WIDE = 100
METER_ROWS = 24
SIDE_ROWS = 16
SIDE_COLUMNS = 44


class TalkScreen(Screen[None]):
    """One conversation."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {TalkCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mute", "Mute", show=False),
        Binding("escape", "stop", "Stop", show=False),
        Binding("t,slash", "type", "Type", show=False),
        Binding("f", "flip", "Switch panel", show=False),
        Binding("question_mark", "help", "Help", show=False),
        *(Binding(str(number), f"copy({number})", "Copy step", show=False) for number in range(1, 10)),
    ]

    def __init__(self, handle: TalkHandle, options: TuiOptions) -> None:
        super().__init__()
        self._handle = handle
        self._options = options
        self._mode = ev.TurnMode.HANDS_FREE
        self._muted = False
        self._recording = False
        self._shown = "fixes"
        self._indicator = Indicator()
        self.failure: ev.Failure | None = None
        """The failure that ended the conversation, if one did."""

    def compose(self) -> ComposeResult:
        yield StatusStrip(name=self._options.name, private=self._options.private)
        with Horizontal(id="main"):
            yield Transcript()
            with Container(id="side"):
                yield Static("", id="tabs")
                yield Fixes()
                yield ThinkingPanel()
        yield Meters()
        with Horizontal(id="entry"):
            yield Static("›", id="prompt")
            yield Composer()
        yield KeyHints(self._options.talk_key)

    def on_mount(self) -> None:
        self.query_one(Transcript).focus()
        self._fit(self.app.size.width, self.app.size.height)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width, event.size.height)

    def _fit(self, columns: int, rows: int) -> None:
        """Wide: two columns. Narrow: the right column folds below, one panel at a time. Low: the meters go first."""
        narrow = columns < WIDE
        self.set_class(narrow, "narrow")
        self.query_one(Meters).display = rows >= METER_ROWS
        side = self.query_one("#side")
        side.display = rows >= SIDE_ROWS and columns >= SIDE_COLUMNS
        self.query_one("#tabs", Static).display = narrow
        self.query_one(Fixes).display = not narrow or self._shown == "fixes"
        self.query_one(ThinkingPanel).display = not narrow or self._shown == "thinking"
        tabs = (("fixes", tell("Fixes")), ("thinking", tell("Thinking")))
        names = "  ".join(f"[b]{word}[/b]" if name == self._shown else word for name, word in tabs)
        self.query_one("#tabs", Static).update(f"{names}   [dim]{tell('f switches')}[/dim]")

    # Events -----------------------------------------------------------------------------------------------------

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        event = message.event
        self.query_one(ThinkingPanel).set_status(self._indicator.see(event))
        match event:
            case ev.Levels():
                self.query_one(Meters).read(event)
            case ev.StatusChanged() | ev.TurnMeasured() | ev.Spent():
                self.query_one(StatusStrip).see(event)
            case ev.UserTranscript():
                self.query_one(Transcript).hear(event)
            case ev.AssistantTranscript():
                self.query_one(Transcript).answer(event)
            case ev.KbHit():
                self.query_one(Fixes).show(event)
            case ev.Thinking():
                self.query_one(ThinkingPanel).add(event)
            case ev.SessionStarted():
                self._mode = event.turn_mode
                self.query_one(StatusStrip).set_session(event)
                self.query_one(Meters).set_session(event)
                if event.microphone is None:
                    self.query_one(Composer).focus()
            case ev.Failure():
                self._failed(event)
            case ev.Advice():
                self.query_one(Transcript).note(event)
            case ev.RungChanged():
                self.query_one(StatusStrip).set_rung(event)
                self.query_one(Transcript).note(ev.Advice(event.reason))
            case ev.ToolRan():
                self._tool(event)
            case ev.Summary():
                pass
            case ev.Ended():
                self._ended(event)
            case _ as unreachable:
                assert_never(unreachable)

    def _tool(self, event: ev.ToolRan) -> None:
        self.query_one(StatusStrip).set_tool(event)
        if event.say:
            self.query_one(Transcript).note_tool(event)

    def _failed(self, event: ev.Failure) -> None:
        self.query_one(Transcript).note(event)
        if event.fatal:
            self.failure = event

    def _ended(self, event: ev.Ended) -> None:
        """A person's end closes the app; any other keeps the conversation on the screen until they leave."""
        if event.reason == "max_cost" or (event.reason == "error" and self.failure is not None):
            self.query_one(Transcript).note(ev.Advice(tell("the conversation has ended; ctrl+q leaves")))
        else:
            self.app.exit(self.failure)

    @on(Submitted)
    def _submitted(self, message: Submitted) -> None:
        self._handle.send(do.Say(message.text))

    @on(CopyStep)
    def _copy_step(self, message: CopyStep) -> None:
        self.app.copy_to_clipboard(message.step)
        self.notify(tell("copied: {step}", step=message.step), timeout=3)

    # Keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if event.key == self._options.talk_key and not isinstance(self.focused, Composer):
            self.action_talk()
            event.stop()

    def on_app_blur(self) -> None:
        # Whoever looks elsewhere must not be recorded without knowing.
        if self._recording:
            self._recording = False
            self._handle.send(do.StopReply())

    def action_talk(self) -> None:
        """The talk key: push-to-talk taps start and send; otherwise it stops the answer."""
        if self._mode is ev.TurnMode.PUSH_TO_TALK:
            self._recording = not self._recording
            self._handle.send(do.TalkKey(down=self._recording))
        else:
            self._handle.send(do.TalkKey(down=True))

    def action_mute(self) -> None:
        """Close or open the microphone."""
        self._muted = not self._muted
        self._recording = False
        self._handle.send(do.SetMuted(self._muted))

    def action_stop(self) -> None:
        """Esc: leave the composer, or stop the answer and throw away a recording."""
        if isinstance(self.focused, Composer):
            self.query_one(Transcript).focus()
            return
        self._recording = False
        self._handle.send(do.StopReply())

    def action_type(self) -> None:
        """Go to the composer."""
        self.query_one(Composer).focus()

    def action_flip(self) -> None:
        """Narrow windows show one panel at a time."""
        self._shown = "thinking" if self._shown == "fixes" else "fixes"
        self._fit(self.app.size.width, self.app.size.height)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(self._options.talk_key))

    def action_copy(self, number: int) -> None:
        """Copy a step of the open entry."""
        self.query_one(Fixes).copy(number)

    # Commands ---------------------------------------------------------------------------------------------------

    def retry_engine(self) -> None:
        """Go back to the best way to talk, if it is there again."""
        self._handle.send(do.RetryEngine())

    def set_mode(self, mode: ev.TurnMode) -> None:
        """Change the way turns are taken."""
        self._mode = mode
        self._recording = False
        self.query_one(Meters).set_mode(mode)
        self._handle.send(do.SetTurnMode(mode))

    def set_theme(self, name: str) -> None:
        """Change the colours."""
        self.app.theme = name

    def copy_transcript(self) -> None:
        """Put the conversation on the clipboard."""
        self.app.copy_to_clipboard(self.query_one(Transcript).as_text)
        self.notify(tell("copied the conversation"), timeout=3)

    def clear_panels(self) -> None:
        """Begin with empty panels."""
        self.query_one(Transcript).clear()
        self.query_one(Fixes).clear()
        self.query_one(ThinkingPanel).clear()
