"""The whole vocabulary between the conversation, the widgets and the screens."""

from __future__ import annotations

from textual.message import Message

from mrblue_cli.voice.events import Levels, TalkEvent


class Happened(Message):
    """Something happened in the conversation."""

    def __init__(self, event: TalkEvent) -> None:
        super().__init__()
        self.event = event

    def can_replace(self, message: Message) -> bool:
        """Meter readings are chatty: a newer one replaces an older one that still waits."""
        return isinstance(message, Happened) and isinstance(self.event, Levels) and isinstance(message.event, Levels)


class Submitted(Message):
    """The person typed something and sent it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class CopyStep(Message):
    """The person wants a step on the clipboard."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step
