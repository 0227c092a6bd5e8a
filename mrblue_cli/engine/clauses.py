"""Cut streamed text into clauses to speak. The first one is short: it is what the listener waits for."""

from __future__ import annotations

import re

FIRST_WORDS = 4
"""From this many words on, a comma or colon ends the first clause."""
LATER_WORDS = 14
"""The same for later clauses: longer ones sound better."""
MAX_WORDS = 32
_STRONG = re.compile(r"[.!?…](?=\s|$)|\n")
_WEAK = re.compile(r"[,;:–—](?=\s)")
_ABBREVIATIONS = {"e.g.", "i.e.", "etc.", "vs.", "mr.", "mrs.", "dr.", "no.", "approx.", "fig.", "cf.", "st."}


class ClauseSplitter:
    """Feed it text as it comes; it gives back whole clauses, and the rest at the end.

    Joined together the clauses are the text again (but for blanks at the seams). A mark inside a word, a number or a
    file name ("3.11", "app.py", "10:30") ends nothing, since a blank must follow it.
    """

    def __init__(self) -> None:
        self._text = ""
        self._spoken = 0

    def feed(self, piece: str) -> list[str]:
        """Take more text and return the clauses that are complete."""
        self._text += piece
        found = []
        while (end := self._boundary()) is not None:
            found += self._take(end)
        return found

    def finish(self) -> list[str]:
        """Return what is left; the splitter then begins anew."""
        rest = self._take(len(self._text))
        self._spoken = 0
        return rest

    def _take(self, end: int) -> list[str]:
        clause, self._text = self._text[:end].strip(), self._text[end:].lstrip()
        if not any(char.isalnum() for char in clause):
            return []
        self._spoken += 1
        return [clause]

    def _boundary(self) -> int | None:
        wanted = FIRST_WORDS if self._spoken == 0 else LATER_WORDS
        for match in _STRONG.finditer(self._text):
            # At the very end of what has arrived a point may belong to "3." of "3.11": wait for what follows.
            if match.end() < len(self._text) and not self._is_abbreviation(match.end()):
                return self._earlier(match.end(), wanted)
        return self._earlier(len(self._text), wanted, whole=False)

    def _earlier(self, end: int, wanted: int, *, whole: bool = True) -> int | None:
        """A weak mark before `end` once enough words stand before it; a very long stretch is cut at a blank."""
        for match in _WEAK.finditer(self._text, 0, end):
            if len(self._text[: match.end()].split()) >= wanted and match.end() < end - 1:
                return match.end()
        words = list(re.finditer(r"\S+\s+", self._text[:end]))
        if len(words) > MAX_WORDS:
            return words[MAX_WORDS - 1].end()
        return end if whole else None

    def _is_abbreviation(self, end: int) -> bool:
        word = self._text[:end].split()[-1].lower() if self._text[:end].split() else ""
        return word.lstrip("(") in _ABBREVIATIONS
