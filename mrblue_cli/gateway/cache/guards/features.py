"""The evidence of a pair of texts as numbers, for the fitted part of the judgement. Pure."""

from __future__ import annotations

import itertools
from typing import Final

from mrblue_cli.gateway.cache.guards import entities, question, words
from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.negation import denial
from mrblue_cli.gateway.cache.guards.order import order
from mrblue_cli.gateway.cache.guards.reading import Reading, Token
from mrblue_cli.gateway.cache.guards.scope import scope

_PRONOUNS: Final = frozenset(
    [
        "i",
        "you",
        "he",
        "she",
        "we",
        "they",
        "me",
        "him",
        "her",
        "us",
        "them",
        "my",
        "your",
        "his",
        "its",
        "our",
        "their",
        "mine",
        "yours",
    ]
)
_MODALS: Final = frozenset(
    [
        "can",
        "could",
        "may",
        "might",
        "must",
        "shall",
        "should",
        "will",
        "would",
        "need",
        "have",
        "has",
        "had",
        "did",
        "was",
        "were",
        "is",
        "are",
        "do",
        "does",
    ]
)


def features(one: Reading, other: Reading, found: Matching, similarity: float) -> tuple[float, ...]:
    """The numbers of a pair, in the order of `NAMES`; the same when the two texts change places."""
    return (similarity, *_shares(one, other, found), *_places(one, other, found), *_forms(one, other, found))


def _shares(one: Reading, other: Reading, found: Matching) -> tuple[float, ...]:
    """What of the content words is paired, and what stays over."""
    mine, yours = max(len(one.content), 1), max(len(other.content), 1)
    left, right = len(found.left), len(found.right)
    paired = len(found.pairs)
    strong_left, strong_right = _weight(found.left), _weight(found.right)
    missing_one, missing_other = entities.missing(one, other, found)
    asks = question.kind(one) != "other" and question.kind(other) != "other"
    replaced = _replaced(found)
    return (
        min(mine, yours),
        max(mine, yours),
        max(strong_left, strong_right),
        min(strong_left, strong_right),
        max(left / mine, right / yours),
        min(left / mine, right / yours),
        2 * found.exact / (mine + yours),
        paired - found.exact,
        (paired - found.exact) / max(paired, 1),
        max(len(missing_one), len(missing_other)),
        strong_left + strong_right == 0,
        min(left, right) == 0,
        replaced,
        replaced if asks else 0,
        max((len(token.text) for token in (*found.left, *found.right)), default=0),
    )


_SHARES: Final = (
    "shorter",
    "longer",
    "left_over_max",
    "left_over_min",
    "left_over_share_max",
    "left_over_share_min",
    "dice",
    "synonyms",
    "synonym_share",
    "missing_names",
    "filler_only",
    "subset",
    "replaced",
    "replaced_question",
    "left_over_longest",
)


def _places(one: Reading, other: Reading, found: Matching) -> tuple[float, ...]:
    """How the paired words lie."""
    lie, back = order(one, other, found), order(other, one, _turned(found))
    paired = max(len(found.pairs), 1)
    breaks, moved = max(lie.breaks, back.breaks), max(lie.moved, back.moved)
    bigrams_one, bigrams_other = _bigrams(one), _bigrams(other)
    shared = len(bigrams_one & bigrams_other)
    whole = not found.left and not found.right and len(found.pairs) == found.exact
    return (
        max(lie.inversions, back.inversions),
        breaks,
        breaks / paired,
        min(lie.kept, back.kept),
        lie.exchanged,
        lie.exchanged / paired,
        lie.exchanged if paired < 8 else -1,
        max(lie.torn, back.torn),
        lie.voice,
        moved,
        moved / paired,
        breaks if whole else 0,
        _common(one.lower, other.lower) / max(len(one.lower), len(other.lower), 1),
        2 * shared / max(len(bigrams_one) + len(bigrams_other), 1),
    )


_PLACES: Final = (
    "inversions",
    "breaks",
    "break_share",
    "kept",
    "exchanged",
    "exchanged_share",
    "exchanged_short",
    "torn",
    "voice",
    "moved",
    "moved_share",
    "reordered_exact",
    "common_run",
    "bigrams",
)


def _forms(one: Reading, other: Reading, found: Matching) -> tuple[float, ...]:
    """Grammar, kind of question, spelling."""
    ours, theirs = _function(one), _function(other)
    common = sum(min(count, theirs.get(word, 0)) for word, count in ours.items())
    whole = sum(ours.values()) + sum(theirs.values())
    odd = set(one.lower) ^ set(other.lower)
    kinds = question.kind(one), question.kind(other)
    denials = denial(one), denial(other)
    return (
        whole - 2 * common,
        (whole - 2 * common) / max(whole, 1),
        _prepositions(ours, theirs),
        kinds != ("other", "other"),
        kinds[0] == kinds[1],
        max(denials[0].number, denials[1].number),
        denials[0].targets != denials[1].targets,
        len(scope(one) ^ scope(other)),
        len(odd & _PRONOUNS),
        len(odd & _MODALS),
        len(odd & words.ASPECTS),
        min(len(one.lower), len(other.lower)) / max(len(one.lower), len(other.lower), 1),
        _letters(one.plain.lower(), other.plain.lower()),
        _main(one) != _main(other),
        _classes(one) != _classes(other),
        _past(one) != _past(other),
        one.question != other.question,
        abs(_sentences(one) - _sentences(other)),
        one.content[-1].key != other.content[-1].key,
        len(found.pairs),
    )


_FORMS: Final = (
    "function_difference",
    "function_share",
    "preposition_difference",
    "question_kind",
    "same_kind",
    "denials",
    "target_moved",
    "scope_difference",
    "pronouns",
    "modal",
    "aspect",
    "length_ratio",
    "letters",
    "main_verb",
    "modality",
    "tense",
    "form",
    "sentences",
    "tail",
    "paired",
)
NAMES: Final = ("similarity", *_SHARES, *_PLACES, *_FORMS)


def _main(reading: Reading) -> str:
    """The first content word, or the one after "I" or "you" in a question: what is done."""
    first = next((token for token in reading.content if token.text.lower() not in words.FILLER), None)
    return first.key if first is not None else ""


def _classes(reading: Reading) -> frozenset[str]:
    return frozenset(words.MODALS.get(word, "") for word in reading.lower)


def _past(reading: Reading) -> bool:
    return not words.PAST.isdisjoint(reading.lower)


def _sentences(reading: Reading) -> int:
    return sum(word in {".", "?", "!"} for word in reading.lower[:-1])


def _turned(found: Matching) -> Matching:
    pairs = tuple(sorted(((there, here) for here, there in found.pairs), key=lambda pair: pair[0].place))
    return Matching(pairs, found.exact, found.right, found.left)


def _weight(left: tuple[Token, ...]) -> float:
    """Words left over, those of politeness counted little."""
    return sum(0.25 if token.text.lower() in words.FILLER else 1.0 for token in left)


def _function(reading: Reading) -> dict[str, int]:
    table: dict[str, int] = {}
    for token in reading.tokens:
        if token.kind == "word" and not token.content and token.key not in {"a", "an", "the"}:
            table[token.key] = table.get(token.key, 0) + 1
    return table


def _prepositions(ours: dict[str, int], theirs: dict[str, int]) -> int:
    return sum(
        abs(ours.get(word, 0) - theirs.get(word, 0)) for word in (ours.keys() | theirs.keys()) & words.PREPOSITIONS
    )


def _replaced(found: Matching) -> int:
    """Words left over on both sides between the same neighbours: one put in the other's place."""
    count = 0
    pairs = {here.place: there.place for here, there in found.pairs}
    spare = {token.place for token in found.right}
    for token in found.left:
        before, after = pairs.get(token.place - 1), pairs.get(token.place + 1)
        if (before is not None and before + 1 in spare) or (after is not None and after - 1 in spare):
            count += 1
    return count


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Length of the longest common subsequence of all tokens (bit-parallel: Crochemore et al. 2001)."""
    one, other = one[:400], other[:400]
    masks: dict[str, int] = {}
    for place, word in enumerate(one):
        masks[word] = masks.get(word, 0) | 1 << place
    row = (1 << len(one)) - 1
    full = row
    for word in other:
        hits = row & masks.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(one) - row.bit_count()


def _bigrams(reading: Reading) -> set[tuple[str, str]]:
    keys = [token.key for token in reading.tokens if token.kind != "mark" and token.key not in {"a", "an", "the"}]
    return set(itertools.pairwise(keys))


def _letters(one: str, other: str) -> float:
    """Dice coefficient of the sets of three letters."""
    a = {one[place : place + 3] for place in range(min(len(one), 1000) - 2)}
    b = {other[place : place + 3] for place in range(min(len(other), 1000) - 2)}
    return 2 * len(a & b) / max(len(a) + len(b), 1)
