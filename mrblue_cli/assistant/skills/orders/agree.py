"""Yes, no, that is all: what short answers mean while an order is taken. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mrblue_cli.assistant.skills.orders.tags import words_of
from mrblue_cli.assistant.skills.orders.words import LANGUAGES, language_of

_POLITE = frozenset(
    words_of(
        "please thanks thank you very much so that oh well then i think gracias por favor muchas pues entonces creo "
        "que de all is it s"
    )
)


def _phrases(code: str, kind: str) -> list[list[str]]:
    own = getattr(language_of(code), kind)
    others = (phrase for other, words in LANGUAGES.items() if other != code for phrase in getattr(words, kind))
    return [words_of(phrase) for phrase in (*own, *others)]


def means(text: str, kind: str, code: str) -> bool:
    """Whether an utterance says nothing but this: phrases of the kind, and politeness. In any language."""
    words = words_of(text)
    if not words or len(words) > 12:
        return False
    phrases = sorted(_phrases(code, kind), key=len, reverse=True)
    hit = False
    place = 0
    while place < len(words):
        found = next((one for one in phrases if words[place : place + len(one)] == one), None)
        if found:
            hit = True
            place += len(found)
        elif words[place] in _POLITE or (kind == "done" and words[place] == "no"):
            place += 1
        else:
            return False
    return hit


def begins(text: str, kind: str, code: str) -> bool:
    """Whether an utterance begins with one of these."""
    words = words_of(text)
    return any(words[: len(one)] == one for one in _phrases(code, kind))


def holds(text: str, kind: str, code: str) -> bool:
    """Whether one of these, of at least two words, stands anywhere."""
    words = words_of(text)
    return any(len(one) > 1 and _stands(one, words) for one in _phrases(code, kind))


def means_no(text: str, code: str) -> bool:
    """A refusal: it begins with a no and is not "no, that's all"."""
    return begins(text, "no", code) and not means(text, "done", code) and not holds(text, "done", code)


def _stands(phrase: Sequence[str], words: Sequence[str]) -> bool:
    return any(list(words[place : place + len(phrase)]) == list(phrase) for place in range(len(words)))
