"""Names, identifiers, paths, addresses, quoted words: they are met literally or not at all. Pure."""

from __future__ import annotations

from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.reading import Reading, Token


def check(one: Reading, other: Reading, found: Matching) -> str | None:
    """A reason when an identifier or a name of one text has no counterpart in the other, or None."""
    here, there = missing(one, other, found)
    if any(token.kind == "code" for token in (*here, *there)):
        return "identifiers"
    if here and there:
        return "names"
    return None


def missing(one: Reading, other: Reading, found: Matching) -> tuple[list[Token], list[Token]]:
    """Names and identifiers of each side that the other does not mention in any writing."""
    return (
        [token for token in found.left if _named(token) and not _mentions(other, token)],
        [token for token in found.right if _named(token) and not _mentions(one, token)],
    )


def _named(token: Token) -> bool:
    return token.kind == "code" or token.name


def _mentions(reading: Reading, token: Token) -> bool:
    """Whether the text has the token in another writing: other case, inside a longer name, as an abbreviation."""
    if token.key[0] == "-":
        return token.key in reading.keys
    low = token.text.lower().removesuffix("()")
    if token.key in reading.keys or low in reading.lower:
        return True
    if token.kind == "code":
        return any(low == word.removesuffix("()") for word in reading.lower)
    if 2 <= len(low) <= 5 and token.text.isupper():
        return low in _initials(reading)
    return False


def _initials(reading: Reading) -> str:
    """First letters of the words, between bars where a mark stands, to find "NYC" in "New York City"."""
    return "".join(word[0] if word[0].isalpha() else "|" for word in reading.lower if word)
