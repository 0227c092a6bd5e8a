"""Which content word of one text answers to which of the other. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from mrblue_cli.gateway.cache.guards.lexicon import synonyms
from mrblue_cli.gateway.cache.guards.reading import Reading, Token


class Matching(NamedTuple):
    """Pairs of content tokens, and what stays over on each side."""

    pairs: tuple[tuple[Token, Token], ...]
    """In the order of the first text."""
    exact: int
    """How many of the pairs have one key; the others are synonyms, spellings or slips."""
    left: tuple[Token, ...]
    right: tuple[Token, ...]


def match(one: Reading, other: Reading) -> Matching:
    """Pair content words: same key first (nearest neighbourhood wins), then synonyms, slips, compounds."""
    places: dict[str, list[Token]] = defaultdict(list)
    for token in other.content:
        places[token.key].append(token)
    pairs: list[tuple[Token, Token]] = []
    rest: list[Token] = []
    for token in one.content:
        choices = places.get(token.key)
        if choices:
            best = (
                choices[0] if len(choices) == 1 else max(choices, key=lambda there: _likeness(one, token, other, there))
            )
            choices.remove(best)
            pairs.append((token, best))
        else:
            rest.append(token)
    exact = len(pairs)
    used = {there.place for _, there in pairs}
    spare = [token for token in other.content if token.place not in used]
    left: list[Token] = []
    for token in rest:
        found = next((there for there in spare if _may_stand(token, there)), None)
        if found is None:
            left.append(token)
        else:
            spare.remove(found)
            pairs.append((token, found))
    left, spare, joined = _compounds(left, spare, pairs)
    pairs.sort(key=lambda pair: pair[0].place)
    return Matching(tuple(pairs), exact + joined, tuple(left), tuple(spare))


def _likeness(one: Reading, token: Token, other: Reading, there: Token) -> float:
    """How much the neighbourhood of two equal words agrees."""
    score = 0.0
    for step in (-2, -1, 1, 2):
        here, far = token.place + step, there.place + step
        if 0 <= here < len(one.lower) and 0 <= far < len(other.lower) and one.lower[here] == other.lower[far]:
            score += 1 / abs(step)
    return score - abs(token.place / len(one.lower) - there.place / len(other.lower))


def _may_stand(token: Token, there: Token) -> bool:
    if token.kind != "word" or there.kind != "word":
        return token.kind == there.kind == "code" and token.key[0] != "-" and token.key.lower() == there.key.lower()
    if token.strict and there.strict:
        return False
    if synonyms(token.key, there.key):
        return True
    return not token.name and not there.name and _slip(token.text.lower(), there.text.lower())


def _slip(one: str, other: str) -> bool:
    """One letter more, less, swapped or different inside a long word; its first letter and its ending stay."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 5 or len(long) - len(short) > 1 or short[0] != long[0]:
        return False
    head = 0
    while head < len(short) and short[head] == long[head]:
        head += 1
    tail = 0
    while tail < len(short) - head and short[-1 - tail] == long[-1 - tail]:
        tail += 1
    if head + tail >= len(long) - 1:
        return head >= 3 and tail >= 1
    middle = len(short) - head - tail
    return len(short) == len(long) and middle == 2 and short[head : head + 2] == long[head : head + 2][::-1]


def _compounds(
    left: list[Token], right: list[Token], pairs: list[tuple[Token, Token]]
) -> tuple[list[Token], list[Token], int]:
    """ "top up" and "topup", "data base" and "database": a word over here, two neighbours over there."""
    joined = 0
    for mine, theirs, flip in ((left, right, False), (right, left, True)):
        for token in list(mine):
            low = token.text.lower()
            for place, first in enumerate(theirs):
                ahead = first.text.lower()
                if len(low) > len(ahead) > 1 and low.startswith(ahead):
                    tail = low[len(ahead) :].lstrip("-")
                    mate = theirs[place + 1] if place + 1 < len(theirs) else None
                    if mate is not None and mate.text.lower() == tail:
                        theirs.remove(mate)
                    elif tail not in _PARTICLES:
                        continue
                    theirs.remove(first)
                    mine.remove(token)
                    pairs.append((first, token) if flip else (token, first))
                    joined += 1
                    break
    return left, right, joined


_PARTICLES = frozenset({"up", "in", "out", "down", "on", "off", "over", "back", "s", "es"})
