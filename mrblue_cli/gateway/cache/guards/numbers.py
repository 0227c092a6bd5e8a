"""Numbers, units, dates, versions: what is counted has to be the same, and arithmetic in the same order. Pure."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final, NamedTuple

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.reading import Reading, Token
from mrblue_cli.gateway.cache.guards.stems import stem

_OPERATORS: Final = frozenset("+*/^%<>=-")
_MONTHS: Final = frozenset(stem(month) for month in words.MONTHS.values() if month != "march")
_UNITS: Final = {stem(name): unit for name, unit in words.UNITS.items()} | {unit: unit for unit in words.UNITS.values()}
_PREFIXED: Final = {"$": "$", "€": "€", "£": "£"}


class Amount(NamedTuple):
    """A number with its unit and the tokens on both sides."""

    value: str
    unit: str
    before: str
    after: str


def _value(token: Token) -> float | None:
    if token.kind == "number":
        try:
            return float(token.key)
        except ValueError:
            return None
    low = token.text.lower()
    if low in words.NUMBER_WORDS:
        return float(words.NUMBER_WORDS[low])
    return float(words.ORDINALS[low]) if low in words.ORDINALS else None


def _text(value: float) -> str:
    return f"{value:.10g}"


@lru_cache(maxsize=1024)
def amounts(reading: Reading) -> tuple[Amount, ...]:
    """Numbers of a text in its order; number words as digits, "twenty five" and "2 million" put together."""
    tokens = reading.tokens
    found: list[Amount] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        value = _value(token)
        last = place
        if value is None:
            if token.kind == "number" or token.key in _MONTHS:
                found.append(Amount(token.key, "", _low(tokens, place - 1), _low(tokens, place + 1)))
            place += 1
            continue
        if value >= 20 and value % 10 == 0 and token.kind == "word":
            step = last + (2 if _low(tokens, last + 1) == "-" else 1)
            unit_digit = _value(tokens[step]) if step < len(tokens) and tokens[step].kind == "word" else None
            if unit_digit is not None and unit_digit < 10:
                value, last = value + unit_digit, step
        while _low(tokens, last + 1).rstrip("s") in words.SCALES:
            value *= words.SCALES[_low(tokens, last + 1).rstrip("s")]
            last += 1
        after = tokens[last + 1] if last + 1 < len(tokens) else None
        before = _low(tokens, place - 1)
        unit = _UNITS.get(after.key, _UNITS.get(after.text.lower(), "")) if after is not None else ""
        found.append(Amount(_text(value), unit or _PREFIXED.get(before, ""), before, _low(tokens, last + 1)))
        place = last + 1
    return tuple(found)


def _low(tokens: tuple[Token, ...], place: int) -> str:
    return tokens[place].text.lower() if 0 <= place < len(tokens) else ""


def _trivial(amount: Amount) -> bool:
    """A one that reads as an article: "1 week" is "a week"."""
    return (
        amount.value == "1"
        and amount.after.isalpha()
        and amount.before not in {"version", "step", "part", "chapter", "type", "level"}
    )


def check(one: Reading, other: Reading) -> str | None:
    """A reason when the numbers differ, or None."""
    mine = [amount for amount in amounts(one) if not _trivial(amount)]
    yours = [amount for amount in amounts(other) if not _trivial(amount)]
    if Counter(amount.value for amount in mine) != Counter(amount.value for amount in yours):
        return "numbers"
    units = Counter((amount.value, amount.unit) for amount in mine if amount.unit)
    theirs = Counter((amount.value, amount.unit) for amount in yours if amount.unit)
    if units != theirs and {value for value, _ in units} & {value for value, _ in theirs}:
        return "units"
    if [a.value for a in mine] != [b.value for b in yours] and (_arithmetic(one) or _moved(mine, yours)):
        return "numbers changed places"
    if _arithmetic(one) != _arithmetic(other):
        return "arithmetic"
    return None


def _arithmetic(reading: Reading) -> tuple[str, ...]:
    """Operators that stand between numbers or single letters."""
    tokens = reading.tokens
    return tuple(
        token.text
        for place, token in enumerate(tokens[1:-1], 1)
        if token.text in _OPERATORS and _operand(tokens[place - 1]) and _operand(tokens[place + 1])
    )


def _operand(token: Token) -> bool:
    return token.kind == "number" or (len(token.text) == 1 and token.text.isalpha())


def _moved(mine: list[Amount], yours: list[Amount]) -> bool:
    """Whether some number stands among other words than before: "from 5 to 10" and "from 10 to 5"."""
    spare = list(yours)
    for amount in mine:
        choices = [other for other in spare if other.value == amount.value]
        best = next(
            (
                other
                for other in choices
                if (other.before == amount.before and amount.before) or (other.after == amount.after and amount.after)
            ),
            None,
        )
        if best is None:
            return True
        spare.remove(best)
    return False
