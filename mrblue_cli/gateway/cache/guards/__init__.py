"""May the answer to one text serve another? Guards that object, then fitted evidence. Pure: strings in, a verdict out.

A high cosine says that two texts are about the same matter, not that they ask the same: "enable" and "disable", "from A
to B" and "from B to A" lie side by side. So each kind of difference that turns an answer around has a guard, and what
the guards let pass is weighed by a small fitted model over word evidence and the cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from mrblue_cli.gateway.cache.guards.checks import first_objection
from mrblue_cli.gateway.cache.guards.features import features
from mrblue_cli.gateway.cache.guards.matching import match
from mrblue_cli.gateway.cache.guards.model import score
from mrblue_cli.gateway.cache.guards.reading import read

FLOOR: Final = 0.90
"""Cosine (on the bundled embedder's scale) below which no pair is allowed: candidates below need not be judged."""

TIE: Final = 0.002
"""Cosines closer than this do not tell two candidates apart."""


class Verdict(NamedTuple):
    """What the judgement found."""

    allow: bool
    reason: str
    """Short, in ASCII without line ends, fit for a header: "identical", "same meaning", or what stands against it."""
    score: float
    """0 … 1, compared with the user's threshold; 0 when a guard objects."""


def judge(query: str, cached: str, similarity: float, threshold: float) -> Verdict:
    """Whether the answer to `cached` may serve `query`.

    `similarity` is the cosine of the two embeddings on the bundled embedder's scale (other embedders are brought to it,
    see `embedder`). `threshold` is compared with the score: how sure it is that one answer serves both. The order of
    the two texts makes no difference.
    """
    one, other = read(query), read(cached)
    if one.plain == other.plain:
        return Verdict(True, "identical", 1.0)
    if one.long or other.long:
        return Verdict(False, "too long to compare", 0.0)
    if not one.content or not other.content:
        return Verdict(False, "nothing to compare", 0.0)
    if not similarity >= FLOOR:
        return Verdict(False, "not similar", 0.0)
    if (query, cached) > (cached, query):
        one, other = other, one
    if one.lower == other.lower and one.layout != other.layout:
        return Verdict(False, "other layout", 0.0)
    if one.spelled == other.spelled:
        return Verdict(True, "identical", 1.0)
    found = match(one, other)
    objection = first_objection(one, other, found)
    if objection is not None:
        return Verdict(False, objection, 0.0)
    value = score(features(one, other, found, min(similarity, 1.0)))
    return Verdict(value >= threshold, "same meaning" if value >= threshold else "not sure enough", value)


class Choice(NamedTuple):
    """Which candidate is served, if any."""

    place: int | None
    """Its place among the candidates."""
    verdict: Verdict
    """The verdict on it; on a miss, on the candidate that came nearest to being served."""


def choose(query: str, candidates: Sequence[tuple[str, float]], threshold: float) -> Choice:
    """The candidate (text, similarity) whose answer may serve `query`: the nearest that no guard objects to.

    It is served only when no other candidate has a better score, and no other that would be served is as near: then the
    cache holds rivals that differ in a detail, and a miss is cheaper than the wrong one of them. An equal text always
    serves. Verdicts on all candidates are made: hand in few (five).
    """
    best: int | None = None
    verdicts = [judge(query, text, similarity, threshold) for text, similarity in candidates]
    for place in sorted(range(len(candidates)), key=lambda number: -candidates[number][1]):
        verdict = verdicts[place]
        if verdict.score >= 1.0:
            return Choice(place, verdict)
        if best is None and verdict.score > 0.0:
            best = place
    if best is None:
        return Choice(None, verdicts[0] if verdicts else Verdict(False, "no candidate", 0.0))
    verdict = verdicts[best]
    if not verdict.allow:
        return Choice(None, verdict)
    text, similarity = candidates[best]
    for (other, nearness), rival in zip(candidates, verdicts, strict=True):
        if rival.score > verdict.score or (rival.allow and other != text and nearness >= similarity - TIE):
            return Choice(None, Verdict(False, "several candidates compete", verdict.score))
    return Choice(best, verdict)
