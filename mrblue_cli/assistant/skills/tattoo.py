"""The keywords of a tattoo from what was said, without a model: subject, style, technique, colours, place, artists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from mrblue_cli.assistant.brain import CallTool, Exchange, Question
from mrblue_cli.assistant.skills.base import arguments_of, call, plain
from mrblue_cli.assistant.skills.tattoo_spanish import keyword_said
from mrblue_cli.assistant.skills.tattoo_words import (
    COLOURS,
    LEAD_IN,
    PALETTES,
    PREVIEW,
    SIDES,
    STYLES,
    TECHNIQUES,
    ZONES,
)
from mrblue_cli.core.texts import tell

EXTRACT = "extract_keywords"
_ARTIST = re.compile(
    r"\b(?:in the style of|style of|inspired by|influenced by|like the work of|by the artist|al estilo de|"
    r"inspirado en|inspirada en|como los de|de la artista|del artista)\s+"
    r"(?P<names>[^\W\d_][\w.'’-]*(?:\s+(?:(?:and|y|or|o)\s+)?[A-ZÁÉÍÓÚÑ][\w.'’-]*){0,6})"
)
_THEME = re.compile(
    r"\b(?:(?P<a>[^\W\d_]+)[- ]themed?|themed? (?:of|is|around)\s+(?P<b>[^\W\d_]+)"
    r"|(?:de )?(?:tema|tem[aá]tica)(?: de| es)?\s+(?P<c>[^\W\d_]+))\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^\W*(?:thanks?|thank you|great|perfect|nice|cool|bye|gracias|genial|perfecto|adi[oó]s)\b", re.IGNORECASE
)
_ROSE = re.compile(r"\b(?:una|unas|la|las)\s+rosas?\b", re.IGNORECASE)
"""In Spanish a flower and a colour."""
_HELLO = re.compile(r"^\W*(?:hello|hi|hey|hola|buenas|good (?:morning|evening))[\s.!,]*$", re.IGNORECASE)
_MAX_SUBJECT_WORDS = 24


class TattooSkill:
    """Gathers keywords over the talk; asks for the subject while it is missing."""

    tools = frozenset({EXTRACT})

    def try_answer(self, question: Question) -> str | CallTool | None:
        """A question, a call with everything that was said so far, or None."""
        text = question.text.strip()
        known, earlier = _before(question.history)
        if _HELLO.match(text):
            return tell("Hello. What should your tattoo show?")
        if _SMALL_TALK.match(text) and len(text.split()) <= 5:
            return tell("With pleasure. Tell me when you would like to change something.")
        said = keywords_of(text)
        vague = text.endswith("?") and not (said.keys() - {"subject"}) and "tat" not in plain(text)
        if vague or (known and not said):
            return None
        merged = _merged([known, *(keywords_of(one) for one in earlier), said])
        if not merged.get("subject"):
            noted = noted_words(merged)
            if noted:
                return tell("Noted: {noted}. And what should the tattoo show?", noted=noted)
            return tell("What should the tattoo show?")
        return call(EXTRACT, **merged)

    def otherwise(self) -> str | None:
        """What this can do."""
        return tell("Tell me what the tattoo should show, and if you like the style, the colours and the place.")


def keywords_of(text: str) -> dict[str, Any]:
    """What one utterance says, by the names of the tool's parameters; what was not said is not there."""
    found: dict[str, Any] = {}
    rest = text
    artists = [name for match in _ARTIST.finditer(rest) for name in _names(match["names"])]
    rest = _ARTIST.sub(" ", rest)
    theme = _THEME.search(rest)
    if theme:
        found["theme"] = next(word for word in theme.groups() if word).lower()
        rest = _THEME.sub(" ", rest)
    preview = any(plain(phrase) in plain(text) for phrase in PREVIEW)
    for phrase in sorted(PREVIEW, key=len, reverse=True) if preview else ():
        rest = re.sub(rf"\b{re.escape(phrase)}\b", " ", rest, flags=re.IGNORECASE)
    zones, rest = _taken(rest, "zone")
    palettes, rest = _taken(rest, "palette")
    techniques, rest = _taken(rest, "technique")
    styles, rest = _taken(rest, "style")
    colours, without_colours = _taken(rest, "colour")
    subject = _subject(rest)
    bare = _subject(without_colours)
    if colours and not bare and _ROSE.search(text):
        subject = _subject(_taken(_ROSE.sub(" ", rest), "colour")[1]) or subject
    elif colours and (not bare or _is_palette(rest)):
        subject = bare
        palettes = [*palettes, *colours]
    lists = {"style": styles, "technique": techniques, "body_zone": zones, "color_palette": palettes}
    for key, values in lists.items():
        if values:
            found[key] = ", ".join(dict.fromkeys(values))
    if artists:
        found["artist_refs"] = list(dict.fromkeys(artists))
    if preview:
        found["preview"] = True
    if subject:
        found["subject"] = subject
    return found


def noted_words(keywords: Mapping[str, Any]) -> str:
    """Keywords as a short list for the ear, in the language in use."""
    values = [
        ", ".join(value) if isinstance(value, list) else str(value) if key == "subject" else keyword_said(str(value))
        for key, value in keywords.items()
        if key != "preview" and value
    ]
    return ", ".join(values)


def _is_palette(text: str) -> bool:
    """Colours after "in" or "colours" are the palette: "a rose in red and gold", not "a red rose"."""
    return _palette_pattern().search(text) is not None


@lru_cache(maxsize=1)
def _palette_pattern() -> re.Pattern[str]:
    words = "|".join(sorted((re.escape(word) for spoken in COLOURS.values() for word in spoken), key=len, reverse=True))
    lead = r"in|en|colou?rs?|colores?|palette|paleta|tonos?|tones?"
    several = rf"(?:{words})(?:\W+(?:and\W+|y\W+)?(?:{words}))*"
    return re.compile(
        rf"\b(?:{lead})\W+(?:of |de |only |solo )?(?:{words})\b|\b{several}\s+(?:colou?rs?|tones?)\b", re.IGNORECASE
    )


_A = r"(?:\b(?:a|an|the|un|una)\s+)?"
_IN = r"(?:\b(?:in|with|using|and|en|con|de|y)\s+)?"
_TABLES = {
    "style": (STYLES, rf"{_IN}{_A}(?:\b(?:estilo|style)\s+)?", r"(?:[- ]+styled?\b)?"),
    "technique": (TECHNIQUES, _IN + _A, r"(?:\s+technique\b)?"),
    "zone": (ZONES, "", ""),
    "palette": (PALETTES, _IN + _A, r"(?:\s+palette\b|\s+colou?rs?\b)?"),
    "colour": (COLOURS, rf"{_IN}(?:\b(?:colou?rs?|colores?)\s+)?", ""),
}


@lru_cache(maxsize=8)
def _pattern(family: str) -> tuple[re.Pattern[str], dict[str, str]]:
    table, before, after = _TABLES[family]
    names = {plain(word): name for name, spoken in table.items() for word in spoken}
    words = sorted({word for spoken in table.values() for word in spoken}, key=len, reverse=True)
    core = "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in words)
    if family == "zone":
        sides = "|".join(re.escape(word) for spoken in SIDES.values() for word in spoken)
        before = (
            rf"(?:\b(?:on|across|over|around|for|to|en|sobre|por)\s+)?(?:\b(?:my|the|his|her|mi|el|la|los|las)\s+)?"
            rf"(?P<side>\b(?:{sides})\s+)?"
        )
        after = rf"(?P<side_after>\s+(?:{sides})\b)?"
    return re.compile(rf"{before}\b(?P<word>{core})\b{after}", re.IGNORECASE), names


@lru_cache(maxsize=1)
def _side_names() -> dict[str, str]:
    return {plain(word): name for name, spoken in SIDES.items() for word in spoken}


def _taken(text: str, family: str) -> tuple[list[str], str]:
    """The canonical words of a family that stand in a text, and the text without them."""
    pattern, names = _pattern(family)
    found: list[str] = []

    def note(match: re.Match[str]) -> str:
        name = names.get(plain(match["word"]), match["word"].lower())
        if family == "zone":
            if not _is_place(match):
                return match[0]
            side = plain(match["side"] or match["side_after"] or "")
            name = f"{_side_names()[side]} {name}" if side in _side_names() else name
        found.append(name)
        return " , "

    return found, pattern.sub(note, text)


def _is_place(match: re.Match[str]) -> bool:
    """A hand on my back: the back is the place. Only what follows "on my", or stands alone, is one."""
    lead = match[0][: match.start("word") - match.start()].casefold()
    alone = not match.string[: match.start()].strip(" ,.") or not match.string[match.end() :].strip(" ,.!")
    return bool(re.search(r"\b(?:on|across|over|around|for|to|en|sobre|por|my|mi)\b", lead)) or alone


def _subject(text: str) -> str:
    """What is left when everything else is taken away: the thing itself, without the words around it."""
    best: list[str] = []
    for piece in re.split(r"[,.;:!?¿¡]+", text):
        words = piece.split()
        while words and plain(words[0]) in _lead_in():
            words.pop(0)
        while words and plain(words[-1]) in _lead_in():
            words.pop()
        if words:
            best += words if not best else [",", *words]
    words = best[:_MAX_SUBJECT_WORDS]
    return " ".join(words).replace(" ,", ",")


@lru_cache(maxsize=1)
def _lead_in() -> frozenset[str]:
    return frozenset(plain(word) for word in LEAD_IN)


def _names(text: str) -> list[str]:
    return [name.strip(" .,") for name in re.split(r"\s+(?:and|y|or|o)\s+", text) if name.strip(" .,")]


def _before(history: tuple[Exchange, ...]) -> tuple[dict[str, Any], list[str]]:
    """The keywords of the last call, and what the person has said since."""
    since: list[str] = []
    for exchange in reversed(history):
        if exchange.role == "tool" and exchange.call is not None and exchange.call.name == EXTRACT:
            return arguments_of(exchange.call.arguments), since[::-1]
        if exchange.role == "user":
            since.append(exchange.text)
    return {}, since[::-1]


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part
    return merged
