"""What the command palette offers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import TurnMode

if TYPE_CHECKING:
    from mrblue_cli.tui.screens.talk import TalkScreen


class TalkCommands(Provider):
    """Commands of the talk screen."""

    @property
    def _commands(self) -> list[tuple[str, str, Callable[[], None]]]:
        screen = cast("TalkScreen", self.screen)
        return [
            (tell("Hands-free"), tell("A pause ends your turn"), partial(screen.set_mode, TurnMode.HANDS_FREE)),
            (
                tell("Local voice detection"),
                tell("This machine ends your turn"),
                partial(screen.set_mode, TurnMode.LOCAL_VAD),
            ),
            (tell("Push-to-talk"), tell("Tap to start, tap to send"), partial(screen.set_mode, TurnMode.PUSH_TO_TALK)),
            (tell("Mute or unmute"), tell("Close or open the microphone"), screen.action_mute),
            (tell("Stop the answer"), tell("Silence, now"), screen.action_stop),
            (
                tell("Try the best engine again"),
                tell("After the talk had to go on with another one"),
                screen.retry_engine,
            ),
            (tell("Copy the conversation"), tell("To the clipboard"), screen.copy_transcript),
            (tell("Clear the panels"), tell("Conversation, fixes and thinking"), screen.clear_panels),
            (tell("Light theme"), tell("Dark on light"), partial(screen.set_theme, "mrblue-light")),
            (tell("Dark theme"), tell("Light on dark"), partial(screen.set_theme, "mrblue")),
        ]

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for name, text, act in self._commands:
            yield DiscoveryHit(name, act, help=text)

    async def search(self, query: str) -> Hits:
        """What fits what was typed."""
        matcher = self.matcher(query)
        for name, text, act in self._commands:
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), act, help=text)
