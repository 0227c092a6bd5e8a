"""Identifiers come in as an argument, so that pure code stays pure and tests can name what they expect."""

from __future__ import annotations

import secrets
from typing import Protocol


class IdSource(Protocol):
    """Makes identifiers such as `item_8Fq…` that are unique within a session."""

    def new(self, prefix: str) -> str:
        """Return a fresh id that starts with `prefix` and an underscore."""
        ...


class RandomIds:
    """Unguessable ids: 96 random bits behind the prefix."""

    def new(self, prefix: str) -> str:
        """Return a fresh id that starts with `prefix` and an underscore."""
        return f"{prefix}_{secrets.token_hex(12)}"


class CountingIds:
    """Predictable ids: `item_1`, `item_2`, … counted per prefix."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """Return the next id of this prefix."""
        number = self._next.get(prefix, 0) + 1
        self._next[prefix] = number
        return f"{prefix}_{number}"
