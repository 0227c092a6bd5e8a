"""A text as the guards see it: tokens with their kind, place and key. Pure; remembers what it read last."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from mrblue_cli.gateway.cache.guards import words
from mrblue_cli.gateway.cache.guards.stems import stem

Kind = Literal["word", "number", "code", "mark"]
LONGEST: Final = 8_000
"""Characters that are read; longer texts only meet their like (see `judge`)."""

_PLAIN: Final = str.maketrans(
    {"’": "'", "‘": "'", "`": "`", "“": '"', "”": '"', "–": "-", "—": " - ", "\u2212": "-", "×": "*", "\0": " "}
)
_TOKEN: Final = re.compile(
    r"""(?P<url>https?://[^\s<>"')]+|www\.[^\s<>"')]+|[\w.+-]+@[\w-]+\.[\w.]+)
    |(?P<path>(?<![\w)])(?:[A-Za-z]:\\|\.{0,2}/|~/)[\w.\-/\\@]*\w|\b\w+(?:/[\w.-]+){2,})
    |(?P<code>(?<![\w)])--?[A-Za-z][\w-]*|\$[A-Za-z_]\w*|@\w[\w/.-]*|\#\d+|0x[0-9A-Fa-f]+
        |\b[A-Za-z_]\w*(?:(?:::|->|\.)[A-Za-z_]\w*)+(?:\(\))?|\b\w*_\w+(?:\(\))?|\b[A-Za-z]\w*\(\)|\b[a-z]+[A-Z]\w*|\b[A-Z][a-z]+(?:[A-Z][a-z0-9]+)+\b
        |\b[A-Za-z]+\d[\w.]*|\b[cC]\+\+|\b[cCfF]\#|\b\d+(?:\.\d+){2,}[\w.-]*|\b\d+[A-Za-z]*[A-Z]+\d\w*)
    |(?P<number>\d+(?:[.,:]\d+)*)
    |(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
    |(?P<mark>[%$€£,;:.!?()"`+*/=<>^&|-]|\S)""",
    re.VERBOSE,
)
_VERSION: Final = re.compile(r"^[vV](?=\d)")
_ORDINARY: Final = re.compile(r"^[^\W\d_]?[^\W\d_A-Z]*(?:['-][^\W\d_A-Z]+)*[,.;:!?]*$")
_SHORT: Final = 2_000
_FLAG: Final = re.compile(r"^--?[A-Za-z]")
_SPACE: Final = re.compile(r"\s+")
_ABBREVIATIONS: Final = re.compile(r"\b(?:e\.\s?g\.|i\.\s?e\.)\s*,?\s*", re.IGNORECASE)
_POSSESSIVE: Final = re.compile(r"\s*'\s*s\b")
_DATASET_QUOTES: Final = re.compile(r"``|''")


class Token(NamedTuple):
    """One token. `key` is what is compared: a stem, a plain number, or the identifier itself."""

    text: str
    key: str
    kind: Kind
    place: int
    name: bool
    """Written like a name: a capital inside a sentence, or all capitals."""
    content: bool
    """Says what it is about, as opposed to grammar."""
    strict: bool
    """Inside quotes or backticks: has to be met literally."""


class Reading:
    """A text, read. Compared by identity, so that it is cheap as a key."""

    __slots__ = ("content", "keys", "layout", "long", "lower", "plain", "question", "spelled", "tokens")

    def __init__(self, text: str, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.content = tuple(token for token in tokens if token.content)
        self.keys = frozenset(token.key for token in tokens)
        self.lower = tuple(token.text.lower() for token in tokens)
        """All tokens, lower case, contractions written out."""
        self.plain = fold(text)
        """For comparing wholes."""
        spelled = [(token.text if token.strict else token.text.lower(), token.content) for token in tokens]
        while spelled and spelled[-1][0] in {".", "!", "?"}:
            spelled.pop()
        self.spelled = tuple(spelled)
        """For comparing wholes whose contractions are written out; what is quoted or code keeps its letters."""
        self.question = text.rstrip().endswith("?")
        self.long = len(text) > LONGEST
        lines = [line for line in text.splitlines() if line.strip()]
        self.layout = tuple(len(line) - len(line.lstrip()) for line in lines) if len(lines) > 1 else ()
        """Indents of the lines of a text that has several: code means what its layout says."""


_IS: Final = re.compile(r"\b(what|where|who|how|when|why|it|that|there|here|he|she)'s\b", re.IGNORECASE)
_RE: Final = re.compile(r"'(re|ve|ll|m|d)\b", re.IGNORECASE)
_SHORT_FORMS: Final = {"re": "are", "ve": "have", "ll": "will", "m": "am", "d": "would"}


def _expand(text: str) -> str:
    """Contractions written out, the genitive s gone."""
    parts = []
    for part in text.split(" "):
        low = part.lower()
        core = low.strip('.,;:!?()"')
        if core in words.CONTRACTIONS:
            parts.append(part.lower().replace(core, words.CONTRACTIONS[core]))
        elif core.endswith("n't"):
            at = low.rfind("n't")
            parts.append(f"{part[:at]} not{part[at + 3 :]}")
        else:
            parts.append(part)
    if parts and parts[0].strip(",").lower() in {"no", "yes", "nope", "yep"} and parts[0].endswith(","):
        parts = parts[1:]
    text = _IS.sub(r"\1 is", " ".join(parts))
    return _POSSESSIVE.sub(" ", _RE.sub(lambda found: f" {_SHORT_FORMS[found.group(1).lower()]}", text))


def fold(text: str) -> str:
    """One form for texts that differ only in spacing, closing marks, typographic quotes and a capital here or there.

    Lines stay lines, and what looks like code or an abbreviation keeps its letters.
    """
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).strip()
    if "\n" in text:
        return "\n".join(line.rstrip() for line in text.splitlines())
    return " ".join(part.lower() if _ORDINARY.match(part) else part for part in text.rstrip(" .!?").split())


def read(text: str) -> Reading:
    """Tokens of a text. Any string will do, also an empty one. Short texts are remembered."""
    return _remembered(text) if len(text) <= _SHORT else _read(text)


def _read(text: str) -> Reading:
    source = _DATASET_QUOTES.sub('"', unicodedata.normalize("NFKC", text[:LONGEST]).translate(_PLAIN))
    source = _ABBREVIATIONS.sub("for example ", source)
    source = _expand(_SPACE.sub(" ", source).strip())
    shouting = source.isupper() or _title(source)
    found: list[Token] = []
    quote = ""
    opening = True
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or "mark"
        raw = match.group()
        if kind == "mark":
            if raw in {'"', "`"}:
                quote = "" if quote == raw else (raw if not quote and source.find(raw, match.end()) > 0 else quote)
            found.append(Token(raw, raw, "mark", len(found), name=False, content=False, strict=False))
            opening = raw in ".!?:" or (opening and raw in '"`(-')
            continue
        found.append(_token(raw, kind, len(found), opening=opening, shouting=shouting, quoted=bool(quote)))
        opening = False
    return Reading(text, tuple(found))


_remembered = lru_cache(maxsize=1024)(_read)


def _title(text: str) -> bool:
    """Whether nearly every word has a capital, so that capitals tell nothing."""
    long = [word for word in text.split() if len(word) > 3 and word[0].isalpha()]
    return len(long) > 4 and sum(word[0].isupper() for word in long) / len(long) > 0.9


def _token(raw: str, kind: str, place: int, *, opening: bool, shouting: bool, quoted: bool) -> Token:
    """One token that is not a mark."""
    if kind == "number":
        return Token(
            raw,
            raw.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", raw) else raw,
            "number",
            place,
            name=False,
            content=True,
            strict=False,
        )
    if kind in {"url", "path", "code"}:
        key = _VERSION.sub("", raw.removesuffix("()"))
        if kind == "code" and not _FLAG.match(key):
            key = key.lower() if key[:1].isalpha() and key.isalnum() else key
        return Token(raw, key, "code", place, name=True, content=True, strict=True)
    low = raw.lower()
    low = words.MONTHS.get(low, low)
    name = not shouting and (
        (raw[0].isupper() and not opening and low not in words.FUNCTION) or (len(raw) > 1 and raw.isupper())
    )
    function = low in words.FUNCTION and not (len(raw) > 1 and raw.isupper() and not shouting and low in {"it", "us"})
    return Token(
        raw, low if function else stem(low), "word", place,
        name=name and not function, content=not function, strict=quoted and not function,
    )  # fmt: skip
