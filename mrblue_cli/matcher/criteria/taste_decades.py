"""From which years people like their tango: tags as decades, and how far one taste must move to be the other's. PURE.

A tag is dated when it names a decade or a year ("1940s", "40s", "años 40", "1935-1939") or a well-known orchestra.
Two digits mean the twentieth century, 00 the year 2000. Tags with neither say nothing here.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from mrblue_cli.core.errors import UsageError
from mrblue_cli.matcher.compiled import Community, Floats, Ints
from mrblue_cli.matcher.criteria.base import Score, called, listed
from mrblue_cli.matcher.criteria.taste_base import entries, likes, percent, scaled, scaled_fast
from mrblue_cli.matcher.model import User
from mrblue_cli.matcher.registry import Entry, Example

FIRST, LAST = 1900, 2050
COUNT = (LAST - FIRST) // 10 + 1
SPAN = 4.0
"""Tastes this many decades apart, on average, have nothing in common."""

ORCHESTRAS: dict[int, tuple[str, ...]] = {
    1910: ("arolas", "vicente greco"),
    1920: ("de caro", "firpo"),
    1930: ("canaro", "carabelli", "darienzo", "donato", "fresedo", "lomuto", "maffia", "otv", "tipica victor"),
    1940: (
        *("biagi", "calo", "dagostino", "de angelis", "demare", "di sarli", "domingo federico", "jose garcia"),
        *("laurenz", "maderna", "malerba", "pugliese", "rodriguez", "tanturi", "troilo"),
    ),
    1950: ("basso", "gobbi", "hector varela", "salamanca", "salgan", "sassone"),
    1960: ("piazzolla", "quinteto real"),
    1990: ("color tango", "los reyes del tango"),
    2000: ("bajofondo", "fernandez fierro", "gotan project", "hyperion ensemble", "otros aires", "tanghetto"),
    2010: ("cachivache", "la juan darienzo", "romantica milonguera", "sexteto milonguero", "solo tango"),
}
"""Decade -> orchestras whose best-known recordings for dancing are from it; names as `folded` writes them."""

_DECADE_OF = {name: decade for decade, names in ORCHESTRAS.items() for name in names}
# Longer names first: "la juan darienzo" is not the orchestra of the 1930s.
_NAMES = re.compile(rf"\b({'|'.join(sorted(_DECADE_OF, key=lambda name: (-len(name), name)))})\b")
_YEARS = re.compile(r"\b(1[89]\d\d|20\d\d)(?=s|er|\b)")
_TENS = re.compile(r"\b(\d0)(?:s|er|ies)\b|\b(?:anos|los|anni|annees|jahre)\s(\d0)\b")


def folded(tag: str) -> str:
    """Lower case without accents, apostrophes and hyphens, so that spellings meet."""
    letters = unicodedata.normalize("NFD", tag.casefold().replace("'", "").replace("’", ""))
    bare = (letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in bare).split())


def decades(tag: str) -> tuple[int, ...]:
    """The decades that a tag means, as their first years, ascending; several share its weight; empty: undated.

    Years written out win over the orchestra: "d'arienzo 1950s" is the later one.
    """
    text = folded(tag)
    years = [int(year) for year in _YEARS.findall(text)]
    years += [1900 + (int(one or other) or 100) for one, other in _TENS.findall(text)]
    if years:
        first, last = min(years) // 10 * 10, max(years) // 10 * 10
        return tuple(range(first, last + 1, 10)) if first >= FIRST and last <= LAST else ()
    return tuple(sorted({_DECADE_OF[name] for name in _NAMES.findall(text)}))


def dated(user: User) -> dict[int, float]:
    """Decade -> share of a person's datable liking; the shares sum to 1; empty: nothing datable."""
    mass: dict[int, float] = {}
    for tag, weight in scaled(user).items():
        meant = decades(tag)
        for decade in meant:
            mass[decade] = mass.get(decade, 0.0) + weight / len(meant)
    total = sum(mass.values())
    return {decade: part / total for decade, part in sorted(mass.items())} if total > 0 else {}


def emd(a: User, b: User, *, span: float = SPAN) -> Score:
    """How many decades one taste would have to move, on average, to become the other, against `span`.

    In one dimension the least work is the area between the two running totals. Raises `UsageError` for a `span` that
    is not positive.
    """
    _checked(span)
    ours, theirs = dated(a), dated(b)
    if not ours or not theirs:
        lacking = [called(user) for user, known in ((a, ours), (b, theirs)) if not known]
        return Score(None, f"{listed(lacking)} named no orchestra or decade that we can date")
    moved, ahead = 0.0, 0.0
    for decade in range(FIRST, LAST + 1, 10):
        ahead += ours.get(decade, 0.0) - theirs.get(decade, 0.0)
        moved += abs(ahead)
    value = float(percent(max(0.0, 1.0 - moved / span)))
    mine, other = (max(known, key=lambda decade: (known[decade], -decade)) for known in (ours, theirs))
    if mine == other:
        return Score(value, f"{called(a)} and {called(b)} both lean to the {mine}s", f"both lean to the {mine}s")
    return Score(
        value, f"{called(a)} leans to the {mine}s, {called(b)} to the {other}s", f"music of the {mine}s and {other}s"
    )


def emd_fast(community: Community, left: Ints, right: Ints, *, span: float = SPAN) -> Floats:
    """`emd` for many pairs; NaN: unknown."""
    _checked(span)
    totals = community.derived("music decades", lambda: _running_totals(community))
    moved = np.zeros(len(left))
    for decade in range(COUNT):
        moved += np.abs(totals[left, decade] - totals[right, decade])
    return np.asarray(np.where(np.isnan(moved), np.nan, percent(np.maximum(0.0, 1.0 - moved / span))))


def _checked(span: float) -> None:
    if not 0.0 < span < np.inf:
        raise UsageError(f"taste.emd takes a span above 0 decades, not {span:g}", hint=f"the default is {SPAN:g}")


def _running_totals(community: Community) -> Floats:
    """[people, decades] share of a person's datable liking up to each decade; NaN: nothing datable."""
    meaning = np.zeros((len(community.music_names), COUNT))
    for code, tag in enumerate(community.music_names.names):
        meant = decades(tag)
        for decade in meant:
            meaning[code, (decade - FIRST) // 10] = 1.0 / len(meant)
    owner, at = entries(community.music_tags, np.arange(len(community), dtype=np.int64))
    tags, weights = community.music_tags.values[at].astype(np.int64), scaled_fast(community)[at]
    mass = np.empty((len(community), COUNT))
    for decade in range(COUNT):
        mass[:, decade] = np.bincount(owner, weights=weights * meaning[tags, decade], minlength=len(community))
    total = mass.sum(axis=1, keepdims=True)
    return np.where(total > 0, np.cumsum(mass, axis=1) / np.where(total > 0, total, 1.0), np.nan)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="taste.emd",
        words="how many decades one taste must move, on average, to become the other; datable tags only",
        formula="max(0, 1 - sum(|P(decade) - Q(decade)|) / span), P and Q running totals of shares",
        source="Rubner et al. 2000",
        scalar=emd,
        fast=emd_fast,
        parameters={"span": SPAN},
        examples=(
            Example(
                given={"a": likes("a", {"1930s": 1, "1940s": 1}), "b": likes("b", {"años 40": 1})},
                expected=87.5,
                note="half of the liking moves one decade: 1 - 0.5 / 4",
            ),
            Example(
                given={"a": likes("a", {"d'arienzo": 2}), "b": likes("b", {"1938": 1, "di sarli": 1, "vals": 5})},
                expected=87.5,
                note="1930s against 1930s and 1940s; vals has no date",
            ),
            Example(
                given={"a": likes("a", {"canaro": 1}), "b": likes("b", {"otros aires": 1})},
                expected=0.0,
                note="seven decades apart",
            ),
            Example(given={"a": likes("a", {"vals": 1}), "b": likes("b", {"troilo": 1})}, expected=None),
        ),
    ),
)
