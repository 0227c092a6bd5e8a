"""Options of the screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TuiOptions:
    """How the screen looks and which key talks."""

    theme: str = "mrblue"
    talk_key: str = "space"
    name: str = "blue"
    """The profile's, for the top line."""
    private: bool = False
    """Nothing of the talk is kept: the top line says so."""
