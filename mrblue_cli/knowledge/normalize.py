"""From what people paste or say to comparable words. Pure and quick: runs on every partial transcript."""

from __future__ import annotations

import re

MAX_CHARS = 2_000_000
"""Longer texts keep their beginning and, since errors stand at the end of logs, more of their end."""
_HEAD = 500_000

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_TIMESTAMP = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b|\[?\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b\]?"
)
_HEX_ID = re.compile(r"\b(?:0x[0-9a-f]{4,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,})\b", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z0-9]+")
_RAW = re.compile(r"[A-Za-z0-9]+")

_UNITS = {
    "zero": 0, "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000}


def clean(text: str) -> str:
    """Remove colours, timestamps and long ids; keep lines, case and everything a pattern may look for."""
    if len(text) > MAX_CHARS:
        text = f"{text[:_HEAD]}\n{text[-(MAX_CHARS - _HEAD) :]}"
    text = _ANSI.sub("", text).replace("\r", "\n")
    return _HEX_ID.sub(" ", _TIMESTAMP.sub(" ", text))


def words(text: str) -> list[str]:
    """Lower-case words; camel case is split, spelled numbers become digits."""
    return _numbers(_WORD.findall(_CAMEL.sub(" ", text).lower()))


def terms(text: str) -> list[str]:
    """Lower-case words in order; a camel-case word is followed by its parts: `modulenotfounderror module not ...`."""
    found: list[str] = []
    for raw in _RAW.findall(text):
        low = raw.lower()
        found.append(low)
        if low != raw and not raw.isupper() and not raw.istitle():
            parts = _CAMEL.sub(" ", raw).lower().split()
            if len(parts) > 1:
                found += parts
    return found


def raw_words(lowered: str) -> list[str]:
    """Words of a text that is lower case already, camel case left whole."""
    return _WORD.findall(lowered)


def spoken_to_text(text: str) -> str:
    """The same text with spelled numbers as digits ("port three thousand" becomes "port 3000")."""
    if not _SPELLED.search(text):
        return text
    parts = re.split(r"([^A-Za-z]+)", text)
    tokens = [part for part in parts if part]
    out: list[str] = []
    index = 0
    while index < len(tokens):
        run, index = _number_run(tokens, index)
        out.append(run)
    return "".join(out)


def _number_run(tokens: list[str], index: int) -> tuple[str, int]:
    """Take one token, or a run of number words with the blanks between them."""
    spelled: list[str] = []
    end = position = index
    while position < len(tokens) and tokens[position].lower() in _NUMBER_WORDS:
        spelled.append(tokens[position].lower())
        end = position + 1
        blank = position + 1 < len(tokens) and tokens[position + 1].strip(" -") == ""
        position += 2 if blank else len(tokens)
    if spelled and not (len(spelled) == 1 and spelled[0] in {"one", "oh", "hundred", "thousand"}):
        return "".join(_numbers(spelled)), end
    return tokens[index], index + 1


_NUMBER_WORDS = {*_UNITS, *_TENS, *_SCALES}
_SPELLED = re.compile(r"\b(?:" + "|".join(sorted(_NUMBER_WORDS)) + r")\b", re.IGNORECASE)


def _numbers(tokens: list[str]) -> list[str]:
    """Join runs of number words: "three thousand" 3000, "eighty eighty" 8080, "four oh four" 404."""
    out: list[str] = []
    index = 0
    while index < len(tokens):
        run: list[str] = []
        while index < len(tokens) and tokens[index] in _NUMBER_WORDS:
            run.append(tokens[index])
            index += 1
        if run:
            out.extend(run if run in (["one"], ["oh"], ["hundred"], ["thousand"]) else [_value(run)])
        if index < len(tokens):
            out.append(tokens[index])
            index += 1
    return out


def _value(run: list[str]) -> str:
    """Digits of a run of number words: scales multiply and add, otherwise groups stand side by side."""
    if any(word in _SCALES for word in run):
        total = current = 0
        for word in run:
            if word in _SCALES:
                current = max(1, current) * _SCALES[word]
                if word == "thousand":
                    total, current = total + current, 0
            else:
                current += _UNITS.get(word, 0) + _TENS.get(word, 0)
        return str(total + current)
    groups: list[str] = []
    open_tens = False
    for word in run:
        if word in _TENS:
            groups.append(str(_TENS[word]))
            open_tens = True
        elif open_tens and 1 <= _UNITS[word] <= 9:
            groups[-1] = str(int(groups[-1]) + _UNITS[word])
            open_tens = False
        else:
            groups.append(str(_UNITS[word]))
            open_tens = False
    return "".join(groups)
