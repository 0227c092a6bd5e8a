""" "Mm-hm", "okay", "claro": what listeners say to show that they listen. It is no wish to speak."""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 3
"""More than this is a sentence, whatever it is made of (vocode streaming_conversation.py)."""

# Humming and breath, as recognisers spell them: mm, mhm, hmm, uh, ah, oh, eh, uhhuh, aha, aja.
MAX_WORDS = 3
"""More than this is a sentence, whatever it is made of (vocode streaming_conversation.py)."""

_HUM = re.compile(r"m+|h+m+|m+h+m*|u+[hm]+|a+h+|o+h+|e+[hm]*|u+h+u+h+|m+h+u+h+|a+h+a+h*|a+j+a+|hu+h+|ha+|hm+h+m+")
"""Humming and breath, as recognisers spell them: mm, mhm, hmm, uh, ah, oh, eh, uhhuh, aha, aja."""
_LISTED_WORDS = """
    yeah yes yep yup yah ya ok okay okey kay right sure fine good great nice cool alright true exactly indeed really
    thanks wow gotcha understood perfect
    si vale claro bueno bien ya entiendo entendido exacto perfecto cierto gracias dale genial correcto sip
"""
_LISTED_PHRASES = """
    i see | got it | go on | all right | of course | uh huh | mm hm | mm hmm | thank you | makes sense | oh i see |
    that makes sense | very good | i know | sounds good | i understand |
    ya veo | por supuesto | de acuerdo | muy bien | esta bien | lo entiendo | ah ya | eso es | te sigo
"""
_WORDS = frozenset(_LISTED_WORDS.split())
_PHRASES = frozenset(tuple(phrase.split()) for phrase in _LISTED_PHRASES.split("|"))
_SOUNDS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")
"""How recognisers write what was not said: [cough], (laughs), *sneezes*."""


def words_of(text: str) -> tuple[str, ...]:
    """The words, in lower case and without marks or accents; hyphens join, sounds in brackets are no words."""
    plain = unicodedata.normalize("NFKD", _SOUNDS.sub(" ", text).casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"[-'\u2019\u2010\u2011]", "", plain)
    return tuple(re.findall(r"\w+", plain))


def interrupts(text: str) -> bool:
    """True for words that a person says to be answered: a question, "stop", "no", anything but an acknowledgement."""
    words = words_of(text)
    if not words:
        return False
    if "?" in text and not all(_HUM.fullmatch(word) for word in words):
        return True
    return len(words) > MAX_WORDS or not _all_known(words)


def _all_known(words: tuple[str, ...]) -> bool:
    """The words are a row of single acknowledgements and fixed phrases."""
    if not words:
        return True
    if (words[0] in _WORDS or _HUM.fullmatch(words[0])) and _all_known(words[1:]):
        return True
    return any(words[:size] in _PHRASES and _all_known(words[size:]) for size in (2, 3) if size <= len(words))
