"""Language: an answer in one language does not serve a question in another. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.reading import Reading


@lru_cache(maxsize=1024)
def language(reading: Reading) -> str:
    """Script ("latin", "cyrillic", "cjk", …) and, where function words tell, the language; "" when nothing tells."""
    scripts: Counter[str] = Counter()
    for letter in reading.plain[:400]:
        if letter.isalpha():
            name = unicodedata.name(letter, "OTHER").split(" ", 1)[0].lower() if not letter.isascii() else "latin"
            scripts["latin" if name == "fullwidth" else name] += 1
    if not scripts:
        return ""
    script = scripts.most_common(1)[0][0]
    if script != "latin":
        return script
    have = set(reading.lower)
    scores = sorted(((len(have & table), name) for name, table in words.LANGUAGES.items()), reverse=True)
    (best, name), (second, _) = scores[0], scores[1]
    return f"latin {name}" if best >= 2 and best >= second + 1 else "latin"


def check(one: Reading, other: Reading) -> str | None:
    """A reason when the languages differ, or None (also when one of them cannot be told)."""
    mine, yours = language(one), language(other)
    if not mine or not yours or mine == yours:
        return None
    if mine.split()[0] != yours.split()[0]:
        return "language"
    return "language" if " " in mine and " " in yours else None
