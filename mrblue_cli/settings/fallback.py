"""The order in which a talk tries its ways: what a person writes, read strictly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.rungs import RungName

NONE = "none"


def fallback_order(written: Iterable[str]) -> tuple[RungName, ...]:
    """Names, one by one or joined by commas, best first; `none` (or nothing) gives none. Raises `ConfigError`."""
    words = [word.strip().lower() for text in written for word in text.split(",") if word.strip()]
    if words == [NONE]:
        return ()
    known = [str(name) for name in RungName]
    for word in words:
        if word not in known:
            raise _unknown(word, known)
    return tuple(RungName(word) for word in dict.fromkeys(words))


def _unknown(word: str, known: list[str]) -> ConfigError:
    every = ", ".join(known)
    if word == NONE:
        hint = tell("write none alone, or some of {names}", names=every)
    else:
        near = difflib.get_close_matches(word, known, n=1)
        hint = (
            tell("did you mean '{name}'? there are {names}, and none alone", name=near[0], names=every)
            if near
            else tell("there are {names}, and none alone", names=every)
        )
    return ConfigError(tell("talk.fallback: there is no way called '{name}'", name=word[:40]), hint=hint)
