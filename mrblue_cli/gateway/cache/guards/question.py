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
        ("count", r"\bhow many\b|\bthe (number|population) of\b|\bcount (of|the|all)\b"),
        ("price", r"\bhow much (does|do|is|are|will|would|did)\b.*\b(cost|charge|pay|price|fee)"
                  r"|\bwhat (is|are|s) the (price|cost|fee|charge)s?\b|\bhow expensive\b"),
        ("duration", r"\bhow long\b|\bhow (many|much) (time|day|hour|week|month|minute|year)s?\b|\bhow (soon|fast|quickly)\b"),
        ("amount", r"\bhow much\b"),
        ("what", r"\bhow (do|does|did|is|are) .*\b(differ|different|compare)\b"),
        ("frequency", r"\bhow (often|frequently)\b"),
        ("age", r"\bhow old\b"),
        ("distance", r"\bhow (far|big|large|tall|high|deep|heavy)\b"),
        ("why", r"\bwhy\b|\bhow come\b|\bwhat (is|are|was|s) the (reason|cause|need|point|purpose)s?\b|\bwhat (cause|make|made)[sd]?\b"
                r"|\bfor what reason\b|\breason (for|why|behind)\b"),
        ("when", r"\bwhen (do|does|did|will|is|are|was|were|can|should|would|has|have)\b|\b(what|which) (time|date|day|year)\b|\bwhat (is|was) the (date|time)\b"),
        ("where", r"\bwhere\b|\b(in|at) (what|which) (place|location|country|city)\b|\bwhat (is|was) the (location|whereabouts)\b"),
        ("who", r"\bwho\b|\bwhose\b|\bwhom\b|\bwhich person\b"),
        ("outcome", r"\bwhat (happens|happened|would happen|will happen) (if|when|after|once)\b"),
        ("advice", r"^(should|ought) (i|we|you|one|he|she|they)\b"),
        ("define", r"\bwhat (does|do|did) .*\b(mean|stand for)\b|\bmeaning of\b|\bdefinition of\b|\bwhat is meant by\b|\bdefine\b"),
        ("how", r"\b(way|method|steps?|procedure|process) (to|of|for)\b|\bsteps (to|for|i)\b|\bin what way\b"
                r"|\binstructions? (for|to|on)\b|\bhow\b|\bwhat (do|should|must|can) (i|we|you) (do|have to|need to|need)\b"),
        ("which", r"\bwhich\b"),
        ("what", r"\bwhat\b"),
    )
)  # fmt: skip
_WHETHER: Final = re.compile(
    rf"(^|[.,!:] )(so |and |but |hi |hello |please )*({'|'.join(sorted(words.YES_NO))}) (not )?(i|you|we|it|he|she|they|the|my|your|a|an|this|that|there|any|all|some|these|those|someone|people|\w+)\b"
)
_POLITE: Final = re.compile(
    r"^((hi|hello|hey|so|ok|okay|and|please)[ ,.!]*)*((can|could|would|will) (you|someone|anyone|somebody) (please |kindly |help me |help )*)?(please )?"
)
_ALIKE: Final = frozenset(
    frozenset(pair.split("/"))
    for pair in [
        "amount/price",
        "count/amount",
        "price/what",
        "amount/what",
        "distance/what",
        "distance/amount",
        "age/what",
        "frequency/what",
        "which/what",
        "which/who",
        "which/where",
        "define/what",
        "other/what",
        "other/which",
        "other/define",
        "other/how",
        "other/why",
        "other/who",
        "other/where",
        "other/when",
        "other/price",
        "other/count",
        "other/amount",
        "other/duration",
        "other/frequency",
        "other/distance",
        "other/age",
        "when/duration",
    ]
)
"""Kinds that may ask the same in other words; the rest of the judgement decides. All other pairs block."""


@lru_cache(maxsize=1024)
def kind(reading: Reading) -> str:
    """The kind of question; "other" for statements and orders."""
    text = _POLITE.sub("", " ".join(reading.lower), count=1)
    if not reading.question and not re.match(
        r"^(please )?(how|why|when|where|who|what|which|can|could|is|are|do|does)\b", text
    ):
        text = text if len(reading.tokens) < 16 and re.search(r"\b(how|why|what|where|which|who)\b", text) else ""
    if not text:
        return "other"
    for name, pattern in _RULES:
        if pattern.search(text):
            return name
    return "whether" if _WHETHER.match(text) else "other"


def check(one: Reading, other: Reading) -> str | None:
    """A reason when the texts ask for different kinds of answers, or None."""
    mine, yours = kind(one), kind(other)
    if mine == yours or frozenset((mine, yours)) in _ALIKE:
        return None
    return f"asks {mine} not {yours}"
