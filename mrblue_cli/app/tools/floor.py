"""Who spoke when: what a tool may know of the talk, so that "the person said yes after hearing it" can be enforced."""

from __future__ import annotations

import asyncio
import contextlib

from mrblue_cli.voice import events as ev

PATIENCE_SECONDS = 2.5
"""A model may ask for a tool before the words that made it do so are transcribed."""


class Floor:
    """Counts what the person says. Hangs in the event stream; tools read it."""

    def __init__(self) -> None:
        self.turn = 0
        """Turns of the person so far: each stretch of speech that led to words or a reply, each typed line."""
        self.words = ""
        """The newest final words."""
        self._words_of_turn = 0
        self._opened = 0
        self._speaking = False
        self._items: set[str] = set()
        self._heard = asyncio.Event()

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event."""
        match event:
            case ev.StatusChanged(state=ev.State.HEARING):
                if not self._speaking:
                    self._speaking = True
                    self.turn += 1
                    self._opened += 1
            case ev.StatusChanged(state=ev.State.LISTENING) if self._speaking:
                # A noise that was thrown away: nobody said anything.
                self._speaking = False
                if self._opened:
                    self.turn -= 1
                    self._opened -= 1
            case ev.StatusChanged():
                self._speaking = False
            case ev.UserTranscript(final=True, earlier=False):
                self._said(event)
            case _:
                pass

    async def words_since(self, turn: int) -> str | None:
        """The newest words if the person has spoken after `turn`, else None; waits a moment for late ones.

        Empty words: the person spoke, and this server does not tell what.
        """
        if self.turn <= turn:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._words_of_turn <= turn:
                    self._heard.clear()
                    await self._heard.wait()
        return self.words if self._words_of_turn > turn else ""

    def _said(self, event: ev.UserTranscript) -> None:
        if event.item_id in self._items or not event.text:
            return
        self._items.add(event.item_id)
        if self._opened:
            # The words of speech that was counted when it began; several may be under way, oldest first.
            self._opened -= 1
            self._words_of_turn = self.turn - self._opened
        else:
            self.turn += 1
            self._words_of_turn = self.turn
        self.words = event.text
        self._heard.set()
