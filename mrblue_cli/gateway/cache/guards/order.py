"""Word order: who does what to whom. Words that are all there, in other places, are the hardest traps. Pure.

PAWS (Zhang, Baldridge, He 2019) showed that texts with the same words in another order fool models of meaning; here the
order of the paired content words is looked at directly, after harmless moves (a list turned round, a phrase brought
to the front, active and passive) are set aside.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.reading import Reading, Token

_BE: Final = frozenset({"is", "are", "was", "were", "be", "been", "being", "am", "get", "got"})
_LIMIT: Final = 120
"""Pairs that are looked at; longer texts are cut there."""


class Order(NamedTuple):
    """How the paired words lie."""

    inversions: float
    """Share of pairs of pairs whose order is turned round, harmless moves aside; 0 … 1."""
    breaks: int
    """Places where neighbours of one text are no neighbours in the other."""
    kept: float
    """Share of neighbouring content words that stay neighbours in the same order; 0 … 1."""
    exchanged: int
    """Words that another preposition governs in the other text."""
    torn: int
    """Neighbours that are none in the other text: attributes that moved to another noun."""
    voice: bool
    """Active on one side, passive on the other."""
    moved: int
    """Pairs that have to move to get from one order to the other."""


def order(one: Reading, other: Reading, found: Matching) -> Order:
    """The order of the paired words of two texts."""
    pairs = list(found.pairs[:_LIMIT])
    voice = _passive(one) != _passive(other)
    count = len(pairs)
    if count < 2:
        return Order(0.0, 0, 1.0, 0, 0, voice, 0)
    ranks = _ranks(pairs)
    ranks = _settle_lists(one, other, pairs, ranks)
    ranks = _settle_fronted(one, other, pairs, ranks)
    ranks = _settle_phrases(one, other, pairs, ranks)
    turned = sum(ranks[i] > ranks[j] for i in range(count) for j in range(i + 1, count))
    breaks = sum(ranks[i + 1] != ranks[i] + 1 for i in range(count - 1))
    adjacent = [(pairs[i], pairs[i + 1]) for i in range(count - 1) if pairs[i + 1][0].place - pairs[i][0].place == 1]
    torn = sum(second[1].place - first[1].place != 1 for first, second in adjacent)
    return Order(
        inversions=2 * turned / (count * (count - 1)),
        breaks=breaks,
        kept=1 - torn / len(adjacent) if adjacent else 1.0,
        exchanged=sum(_governor(one, here) != _governor(other, there) for here, there in pairs),
        torn=torn,
        voice=voice,
        moved=count - _longest_rise(ranks),
    )


def _ranks(pairs: list[tuple[Token, Token]]) -> list[int]:
    """Place of each pair among the pairs in the second text."""
    by_place = sorted(range(len(pairs)), key=lambda number: pairs[number][1].place)
    ranks = [0] * len(pairs)
    for rank, number in enumerate(by_place):
        ranks[number] = rank
    return ranks


def _settle_lists(one: Reading, other: Reading, pairs: list[tuple[Token, Token]], ranks: list[int]) -> list[int]:
    """Undo swaps of two neighbours joined by "and" or "or" in both texts."""
    ranks = list(ranks)
    for i in range(len(pairs) - 1):
        if (
            ranks[i] == ranks[i + 1] + 1
            and _joined(one, pairs[i][0], pairs[i + 1][0])
            and _joined(other, pairs[i + 1][1], pairs[i][1])
        ):
            ranks[i], ranks[i + 1] = ranks[i + 1], ranks[i]
    return ranks


def _joined(reading: Reading, first: Token, second: Token) -> bool:
    between = reading.lower[first.place + 1 : second.place]
    return (
        0 < len(between) <= 3
        and any(word in words.JOINERS for word in between)
        and not any(word in words.PREPOSITIONS for word in between)
    )


def _settle_fronted(one: Reading, other: Reading, pairs: list[tuple[Token, Token]], ranks: list[int]) -> list[int]:
    """Undo the move of one phrase between the beginning and the end, when the same little word opens it in both."""
    count = len(pairs)
    if ranks == sorted(ranks):
        return ranks
    for size in range(1, count):
        head = ranks[:size]
        if head == list(range(count - size, count)) and ranks[size:] == list(range(count - size)):
            front, back = pairs[0], pairs[size]
            opens = _opener(one, front[0]) and _opener(one, front[0]) == _opener(other, front[1])
            opens_other = _opener(other, back[1]) and _opener(one, back[0]) == _opener(other, back[1])
            if opens or opens_other:
                return sorted(ranks)
    return ranks


def _settle_phrases(one: Reading, other: Reading, pairs: list[tuple[Token, Token]], ranks: list[int]) -> list[int]:
    """Undo the swap of two neighbouring phrases that each keep their own preposition ("in Oslo with Ann")."""
    ranks = list(ranks)
    count = len(ranks)
    for middle in range(1, count):
        for left in range(max(0, middle - 3), middle):
            for right in range(middle + 1, min(count, middle + 3) + 1):
                if ranks[middle:right] + ranks[left:middle] != list(range(ranks[middle], ranks[middle] + right - left)):
                    continue
                governors = _governor(one, pairs[left][0]), _governor(one, pairs[middle][0])
                theirs = _governor(other, pairs[left][1]), _governor(other, pairs[middle][1])
                if all(governors) and governors == theirs and governors[0] != governors[1]:
                    ranks[left:right] = sorted(ranks[left:right])
    return ranks


def _opener(reading: Reading, token: Token) -> str:
    """The little word of place, time or condition that opens the phrase of a token, or nothing."""
    for place in range(token.place - 1, max(-1, token.place - 4), -1):
        word = reading.lower[place]
        if word in words.OPENERS:
            return word
        if reading.tokens[place].content:
            return ""
    return ""


def _governor(reading: Reading, token: Token) -> str:
    """The preposition before a token, at most three words back, articles and attributes aside."""
    for place in range(token.place - 1, max(-1, token.place - 4), -1):
        word = reading.lower[place]
        if word in words.PREPOSITIONS:
            return word
        if reading.tokens[place].kind == "mark":
            break
    return ""


def _passive(reading: Reading) -> bool:
    """Whether a form of "be" and a participle with "by" stand in the text."""
    for place, word in enumerate(reading.lower):
        if word == "by" and place >= 2:
            back = reading.lower[max(0, place - 6) : place]
            if any(w in _BE for w in back) and any(
                w.endswith(("ed", "en", "wn", "nt", "ld", "de", "ut")) for w in back
            ):
                return True
    return False


def _longest_rise(ranks: list[int]) -> int:
    """Length of the longest rising subsequence (patience sorting)."""
    piles: list[int] = []
    for rank in ranks:
        low, high = 0, len(piles)
        while low < high:
            middle = (low + high) // 2
            if piles[middle] < rank:
                low = middle + 1
            else:
                high = middle
        piles[low : low + 1] = [rank]
    return len(piles)
