"""The guards in the order in which they are asked. Pure."""

from __future__ import annotations

from mrblue_cli.gateway.cache.guards import entities, language, negation, numbers, opposites, question, scope
from mrblue_cli.gateway.cache.guards.matching import Matching
from mrblue_cli.gateway.cache.guards.reading import Reading


def first_objection(one: Reading, other: Reading, found: Matching) -> str | None:
    """The first reason for which an answer to one text must not serve the other, or None."""
    return (
        language.check(one, other)
        or numbers.check(one, other)
        or negation.check(one, other, found)
        or question.check(one, other)
        or scope.check(one, other)
        or opposites.check(one, other, found)
        or entities.check(one, other, found)
    )
