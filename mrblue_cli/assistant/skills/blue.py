"""Troubleshooting without a model: when to look at the last failed command, when to look for a dance partner.

The errors themselves are the knowledge base's business, which is asked after the skills.
"""

from __future__ import annotations

import re

from mrblue_cli.assistant.brain import CallTool, Question
from mrblue_cli.assistant.skills.base import call, offers
from mrblue_cli.core.texts import tell

LAST_FAILED, FIND_PARTNERS = "last_failed_command", "find_dance_partners"

_FAILED = re.compile(
    r"""
    \b(?:what|which|why|show|read|tell|explain|fix|look\sat|check|see|help)\b.{0,40}
        \b(?:last|latest|previous|that|my)\b.{0,12}\b(?:error|command|failure|failed|fail)\b
    | \b(?:my|the)\s(?:last|latest|previous)\s(?:error|failure|(?:failed\s)?command)\b
    | \bwhat\s(?:just\s)?(?:went\swrong|failed|happened|broke)\b(?!.*\bwith\b)
    | \bwhy\sdid\s(?:it|that|this)\s(?:just\s)?(?:fail|break|crash)\b
    | \b(?:cu[aá]l|qu[eé]|lee|mu[eé]strame|dime|explica|arregla|mira)\b.{0,40}
        \b(?:[uú]ltimo|anterior|mi)\b.{0,16}\b(?:error|comando|fallo)\b
    | \bmi\s[uú]ltimo\s(?:error|comando|fallo)\b
    | \bqu[eé]\s(?:ha\s)?(?:fallado|fall[oó]|pas[oó]|sali[oó]\smal|ha\spasado)\b(?!.*\bcon\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_STOPS = "on|in|please|tonight|to|at|with|por|en|para|con|esta"
_NAME = rf"(?P<NAME>[^\W\d_][\w'’-]*(?:\s+(?!(?:{_STOPS})\b)[^\W\d_][\w'’-]*)?)"
_WANTED = r"\b(?:find|get|look\sfor|search|suggest|recommend|need|want)\b.{0,24}"
_BUSCA = r"\b(?:busca|encuentra|b[uú]scame|recomienda|quiero|necesito)\b.{0,24}"
_PARTNER = tuple(
    re.compile(pattern + _NAME, re.IGNORECASE)
    for pattern in (
        rf"{_WANTED}\b(?:partners?|someone\sto\sdance(?:\swith)?|dancers?)\b.{{0,12}}?\bfor\s+",
        r"\bshould\s(?=\S+(?:\s\S+)?\sdance\swith)",
        r"\bwhom?\b.{0,16}\b(?:dance|match(?:es)?|fits?)\b\s(?:best\s)?(?:with\s)?",
        rf"{_BUSCA}\b(?:parejas?|alguien\spara\sbailar|bailar[ií]n(?:es|a)?)\b.{{0,16}}?\b(?:para|con)\s+",
        r"\bcon\squi[eé]n\s(?:puede|debe|deber[ií]a)\sbailar\s",
    )
)
_MYSELF = frozenset({"me", "myself", "mi", "mí", "us"})


class BlueSkill:
    """Calls the tools of the troubleshooting profile."""

    tools = frozenset({LAST_FAILED, FIND_PARTNERS})

    def try_answer(self, question: Question) -> str | CallTool | None:
        """A call, or None."""
        text = question.text.strip()
        if len(text) > 200:
            return None  # an error text, not a request
        found = next((found for pattern in _PARTNER if (found := pattern.search(text))), None)
        if found and offers(question, FIND_PARTNERS):
            name = found["NAME"].removesuffix(" dance")
            if name.casefold() in _MYSELF:
                return tell("For whom shall I look? Say the name as it stands in the list of dancers.")
            return call(FIND_PARTNERS, name=name)
        if _FAILED.search(text) and offers(question, LAST_FAILED):
            return call(LAST_FAILED)
        return None

    def otherwise(self) -> str | None:
        """The usual line fits."""
        return None
