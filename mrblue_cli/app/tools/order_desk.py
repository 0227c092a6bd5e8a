"""One table's order: what stands in it, what was read back, what was sent. The rules are here, not in a prompt."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mrblue_cli.app.tools.floor import Floor
from mrblue_cli.app.tools.post import Poster
from mrblue_cli.assistant.skills.orders.agree import means_no
from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.skills.orders.order import Change, Line, change_order, open_line, price_of, total_of
from mrblue_cli.assistant.skills.orders.say import (
    lines_in_words,
    question_in_words,
    refusal_in_words,
    total_in_words,
)
from mrblue_cli.assistant.tools import Answer
from mrblue_cli.core.errors import ComponentError, UsageError
from mrblue_cli.core.texts import tell


class OrderDesk:
    """Holds the order of one conversation."""

    def __init__(self, menu: Menu, language: str, floor: Floor, poster: Poster | None, file: Path) -> None:
        self._menu = menu
        self._language = language
        self._floor = floor
        self._poster = poster
        self._file = file
        self._lines: tuple[Line, ...] = ()
        self._last: int | None = None
        self._version = 0
        self._order_id = secrets.token_hex(6)
        self._read: tuple[int, int] | None = None
        """Version and turn of the last reading."""
        self._sending = asyncio.Lock()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is ordered so far."""
        return self._lines

    def change(self, changes: Sequence[Change], unknown: Sequence[str]) -> Answer:
        """Make changes, and say what follows from them: what was not understood, what must be asked, what stands."""
        applied = change_order(self._menu, self._lines, changes, self._last)
        changed = applied.lines != self._lines
        self._lines, self._last = applied.lines, applied.last
        if changed:
            self._version += 1
        said = [self._unknown(words) for words in unknown]
        said += [refusal_in_words(self._menu, refusal, self._language) for refusal in applied.refusals]
        if not changed and not said:
            said.append(tell("I did not understand what to order. Could you name it as it stands on the menu?"))
        if changed:
            said.insert(0, self._stands())
        question = question_in_words(self._menu, self._lines, self._language)
        if question:
            said.append(question)
        elif changed and self._lines and not unknown and not applied.refusals:
            said.append(tell("Anything else?"))
        return Answer({**self._facts(), "unknown": list(unknown)}, " ".join(said))

    def read(self) -> Answer:
        """Read the order back; only what was read back can be sent. Raises `UsageError` while something is open."""
        if not self._lines:
            raise UsageError(tell("Nothing is ordered yet."))
        question = question_in_words(self._menu, self._lines, self._language)
        if question:
            raise UsageError(question)
        self._read = (self._version, self._floor.turn)
        order = lines_in_words(self._menu, self._lines, self._language)
        total = total_in_words(self._menu, self._lines, self._language)
        say = tell("So that is {order}. It comes to {total}. Is that right?", order=order, total=total)
        return Answer(self._facts(), say)

    async def send(self) -> Answer:
        """Send what was read back and agreed to. Raises `UsageError` while it was not."""
        async with self._sending:
            await self._check()
            sent, version, key = self._lines, self._version, f"{self._order_id}-{self._version}"
            document = {"order_id": self._order_id, "restaurant": self._menu.title, **self._facts()}
            facts: dict[str, Any] = {"order_id": self._order_id, "sent": True}
            if self._poster is not None:
                delivery = await self._poster.post(document, key)
                facts["tries"] = delivery.tries
            else:
                # Not to be left half way: a line that was begun is written.
                await asyncio.shield(asyncio.to_thread(append_line, self._file, {**document, "key": key}))
                facts["file"] = str(self._file)
            order = lines_in_words(self._menu, sent, self._language)
            if version == self._version:
                self._lines, self._last, self._read = (), None, None
                self._version += 1
                self._order_id = secrets.token_hex(6)
            return Answer(facts, tell("Your order is placed: {order}. Thank you.", order=order))

    async def _check(self) -> None:
        if not self._lines:
            raise UsageError(tell("Nothing is ordered yet."))
        if open_line(self._menu, self._lines) is not None:
            raise UsageError(question_in_words(self._menu, self._lines, self._language))
        if self._read is None or self._read[0] != self._version:
            raise UsageError(
                tell("the order has not been read back as it stands now"), hint=tell("call read_order first")
            )
        words = await self._floor.words_since(self._read[1])
        if words is None:
            raise UsageError(
                tell("the person has not answered since the order was read back"), hint=tell("wait for their answer")
            )
        if self._read[0] != self._version:
            raise UsageError(tell("the order has changed since it was read back"), hint=tell("call read_order first"))
        if means_no(words, self._language):
            raise UsageError(tell("the person did not agree"), hint=tell("ask what to change"))

    def _stands(self) -> str:
        if not self._lines:
            return tell("The order is empty now.")
        return tell("So far: {order}.", order=lines_in_words(self._menu, self._lines, self._language))

    def _unknown(self, words: str) -> str:
        return tell("I do not find {words} on the menu.", words=words)

    def _facts(self) -> dict[str, Any]:
        return {
            "lines": [self._line(line) for line in self._lines],
            "total": f"{total_of(self._menu, self._lines):.2f}",
            "currency": self._menu.currency.get(self._language, ""),
            "language": self._language,
        }

    def _line(self, line: Line) -> dict[str, Any]:
        name = self._menu.find_item(line.item).called(self._language) if line.item else line.category
        return {
            "item": line.item,
            "name": name,
            "size": line.size,
            "quantity": line.quantity,
            "modifiers": [*(f"+{one}" for one in line.added), *(f"-{one}" for one in line.left_out)],
            "notes": line.notes,
            "price": f"{price_of(self._menu, line):.2f}",
        }


def append_line(path: Path, document: dict[str, Any]) -> None:
    """Append one JSON line, on the disk when this returns. Raises `ComponentError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = (json.dumps(document, ensure_ascii=False) + "\n").encode()
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a line that was cut off by a crash must not swallow this one
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ComponentError(
            tell("the order cannot be written to {path}: {why}", path=path, why=error.strerror),
            hint=tell("make room there, or set [tools] order_url"),
        ) from None
