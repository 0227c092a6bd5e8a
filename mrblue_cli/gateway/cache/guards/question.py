"""What kind of answer is asked for: how, why, when, where, who, how many, whether, a definition. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.reading import Reading

_RULES_TEXT: Final = r"""
count: how many | the (number|population) of | count (of|the|all)
price: how much (does|do|is|are|will|would|did) .*(cost|charge|pay|price|fee)s? | how expensive
price: what (is|are|s) the (price|cost|fee|charge)s?
duration: how long | how (many|much) (time|day|hour|week|month|minute|year)s? | how (soon|fast|quickly)
amount: how much
what: how (do|does|did|is|are) .*(differ|different|compare)
frequency: how (often|frequently)
age: how old
distance: how (far|big|large|tall|high|deep|heavy)
why: why | how come | what (is|are|was|s) the (reason|cause|need|point|purpose)s? | what (cause|make|made)[sd]?
why: for what reason | reason (for|why|behind)
when: when (do|does|did|will|is|are|was|were|can|should|would|has|have) | (what|which) (time|date|day|year)
when: what (is|was) the (date|time)
where: where | (in|at) (what|which) (place|location|country|city) | what (is|was) the (location|whereabouts)
who: who | whose | whom | which person
outcome: what (happens|happened|would happen|will happen) (if|when|after|once)
advice: ^(should|ought) (i|we|you|one|he|she|they)
define: what (does|do|did) .*(mean|stand for) | meaning of | definition of | what is meant by | define
how: (way|method|steps?|procedure|process) (to|of|for) | steps (to|for|i) | in what way | how
how: instructions? (for|to|on)
how: what (do|should|must|can) (i|we|you) (do|have to|need to|need)
which: which
what: what
"""
"""Kinds in the order in which they are tried; bars with spaces stand between wordings."""


def _rules(text: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    for line in text.strip().splitlines():
        kind, _, wordings = line.partition(": ")
        yield kind, re.compile("|".join(rf"\b{wording}\b".replace(r"\b^", "^") for wording in wordings.split(" | ")))


_RULES: Final = tuple(_rules(_RULES_TEXT))
_WHETHER: Final = re.compile(
    rf"(^|[.,!:] )(so |and |but |hi |hello |please )*({'|'.join(sorted(words.YES_NO))}) (not )?\w+"
)
_POLITE: Final = re.compile(
    r"^((hi|hello|hey|so|ok|okay|and|please)[ ,.!]*)*"
    r"((can|could|would|will) (you|someone|anyone|somebody) (please |kindly |help me |help )*)?(please )?"
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
