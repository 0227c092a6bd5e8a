"""One accent, blue, on calm ground; dark and light."""

from __future__ import annotations

from textual.theme import Theme

MRBLUE = Theme(
    name="mrblue",
    primary="#4c9aff",
    secondary="#7fb2f5",
    accent="#4c9aff",
    foreground="#d7dee8",
    background="#10151c",
    surface="#151c25",
    panel="#1b2430",
    success="#7fb2f5",
    warning="#d8b36a",
    error="#e07a6e",
    dark=True,
)
MRBLUE_LIGHT = Theme(
    name="mrblue-light",
    primary="#1f6fd6",
    secondary="#3f83d9",
    accent="#1f6fd6",
    foreground="#1c2733",
    background="#f6f8fb",
    surface="#ffffff",
    panel="#e9eef5",
    success="#1f6fd6",
    warning="#8a6210",
    error="#b3382b",
    dark=False,
)
