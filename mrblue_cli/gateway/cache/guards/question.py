"""What kind of answer is asked for: how, why, when, where, who, how many, whether, a definition. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.reading import Reading

_RULES: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("count", r"\bhow many\b|\b(what is )?the number of\b|\bcount (of|the|all)\b"),
        ("price", r"\bhow much (does|do|is|are|will|would|did)\b.*\b(cost|charge|pay|price|fee)|\bwhat (is|are|s) the (price|cost|fee|charge)s?\b|\bhow expensive\b"),
        ("amount", r"\bhow much\b"),
        ("duration", r"\bhow long\b|\bhow (many|much) (time|day|hour|week|month|minute|year)s?\b|\bhow soon\b|\bhow fast\b|\bhow quickly\b"),
        ("frequency", r"\bhow often\b|\bhow frequently\b"),
        ("age", r"\bhow old\b"),
        ("distance", r"\bhow (far|big|large|tall|high|deep|heavy)\b"),
        ("why", r"\bwhy\b|\bhow come\b|\bwhat (is|are|was|s) the (reason|cause)s?\b|\bwhat (cause|make|made)[sd]?\b|\bfor what reason\b|\breason (for|why|behind)\b"),
        ("when", r"\bwhen (do|does|did|will|is|are|was|were|can|should|would|has|have)\b|\b(at )?(what|which) (time|date|day|year)\b"),
        ("where", r"\bwhere\b|\b(in|at) (what|which) (place|location|country|city)\b"),
        ("who", r"\bwho\b|\bwhose\b|\bwhom\b|\bwhich person\b"),
        ("how", r"\bhow (do|to|can|could|should|would|does|did|might|may|is|are|am|has|have|will|about)\b|\b(what is )?the (best |right |easiest |correct )?(way|method|steps?|procedure|process) (to|of|for)\b|\bin what way\b|\binstructions? (for|to|on)\b|\bhow\b"),
        ("which", r"\bwhich\b"),
        ("define", r"\bwhat (is|are|was|s) (a|an|the meaning|the definition)\b|\bdefine\b|\bwhat does .* (mean|stand for)\b|\bmeaning of\b|\bdefinition of\b|\bwhat is meant by\b"),
        ("what", r"\bwhat\b"),
    )
)  # fmt: skip
_WHETHER: Final = re.compile(rf"(^|[.,!:] )(so |and |but |hi |hello |please )*({'|'.join(sorted(words.YES_NO))}) (not )?(i|you|we|it|he|she|they|the|my|your|a|an|this|that|there|any|all|some|these|those|someone|people|\w+)\b")
_POLITE: Final = re.compile(r"\b((can|could|would|will) you (please )?|please |i (want|need|would like|like) to (know |ask |understand |find out )?)")
_ALIKE: Final = frozenset(
    frozenset(pair)
    for pair in (
        ("how", "whether"), ("amount", "price"), ("which", "what"), ("define", "what"), ("other", "what"), ("other", "which"), ("other", "define"),
        ("other", "how"), ("other", "whether"), ("other", "why"), ("what", "how"), ("why", "what"), ("price", "what"), ("what", "amount"),
        ("whether", "what"), ("what", "where"), ("what", "when"), ("what", "who"), ("which", "who"), ("which", "where"), ("which", "when"), ("other", "who"), ("other", "where"), ("other", "when"),
        ("price", "other"), ("other", "count"), ("other", "amount"), ("other", "duration"), ("when", "duration"), ("price", "whether"), ("amount", "whether"),
        ("frequency", "other"), ("distance", "other"), ("age", "other"), ("which", "whether"), ("count", "amount"), ("distance", "amount"), ("distance", "what"),
    )
)  # fmt: skip
"""Kinds that may ask the same in other words; the rest of the judgement decides. All other pairs block."""


@lru_cache(maxsize=4096)
def kind(reading: Reading) -> str:
    """The kind of question; "other" for statements and orders."""
    text = " ".join(reading.lower)
    if not reading.question and not re.match(r"^(please )?(how|why|when|where|who|what|which|can|could|is|are|do|does)\b", text):
        text = text if len(reading.tokens) < 16 and re.search(r"\b(how|why|what|where|which|who)\b", text) else ""
    if not text:
        return "other"
    for name, pattern in _RULES:
        if pattern.search(text):
            return name
    return "whether" if reading.question or _WHETHER.match(text) else "other"


def check(one: Reading, other: Reading) -> str | None:
    """A reason when the texts ask for different kinds of answers, or None."""
    mine, yours = kind(one), kind(other)
    if mine == yours or frozenset((mine, yours)) in _ALIKE:
        return None
    return f"asks {mine} not {yours}"
