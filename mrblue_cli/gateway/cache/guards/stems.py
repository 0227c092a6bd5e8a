"""Word forms brought together: a light stemmer for English with the commonest irregular forms."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_FORMS: Final = """
buy bought; send sent; get got gotten; go went gone; pay paid; make made; take took taken; lose lost; break broke
broken; write wrote written; know knew known; see saw seen; give gave given; come came; become became; begin began
begun; run ran; drive drove driven; speak spoke spoken; choose chose chosen; hold held; keep kept; leave left; tell
told; say said; think thought; teach taught; catch caught; bring brought; fight fought; seek sought; sell sold;
build built; spend spent; lend lent; feel felt; meet met; sit sat; stand stood; understand understood; win won; fall
fell fallen; grow grew grown; throw threw thrown; draw drew drawn; fly flew flown; eat ate eaten; drink drank drunk;
sing sang sung; swim swam swum; wear wore worn; steal stole stolen; forget forgot forgotten; rise rose risen; shoot
shot; sleep slept; lead led; hear heard; mean meant; deal dealt; withdraw withdrew withdrawn; hide hid hidden; bite
bit bitten; show shown; do did done; be is are was were been am being; have has had; man men; woman women; child
children; foot feet; tooth teeth; mouse mice; life lives; wife wives; knife knives; leaf leaves; half halves; index
indices indexes; matrix matrices; vertex vertices; analysis analyses; criterion criteria; far farther; die died
dying; lie lied lying; tie tied tying; type typed typing; use used using; freeze froze frozen; shake shook shaken;
wake woke woken; overdraw overdrew overdrawn; put putting; cut cutting
"""
"""A base form and the forms that belong to no other word; semicolons stand between words."""
_IRREGULAR: Final = {form: forms[0] for line in _FORMS.split(";") if (forms := line.split()) for form in forms[1:]} | {
    "found": "find",
    "colour": "color",
    "favourite": "favorite",
    "centre": "center",
    "theatre": "theater",
    "programme": "program",
    "cheque": "check",
    "licence": "license",
    "grey": "gray",
    "catalogue": "catalog",
    "dialogue": "dialog",
}
_VOWELS: Final = frozenset("aeiouy")


def _bare(word: str) -> str:
    """Without the ending of a verb form; doubled consonants and a silent e come off too."""
    for ending in ("ing", "ed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if len(rest) >= 3 and not _VOWELS.isdisjoint(rest):
                return rest[:-1] if len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
    return word


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The key under which forms of one word meet; lower case in, lower case out. Not a dictionary form."""
    word = _IRREGULAR.get(word, word)
    if len(word) <= 3 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    word = _IRREGULAR.get(word, word)
    word = _bare(word)
    for ending, least, put in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: -len(ending)] + put
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    if word.endswith("y") and len(word) > 3:
        word = word[:-1] + "i"
    return word


_ENDINGS: Final = (
    ("isation", 3, "iz"),
    ("ization", 3, "iz"),
    ("ification", 3, "ifi"),
    ("ication", 4, "i"),
    ("ation", 4, ""),
    ("ition", 4, ""),
    ("ction", 3, "ct"),
    ("sion", 4, "s"),
    ("tion", 4, "t"),
    ("ment", 4, ""),
    ("ness", 4, ""),
    ("ising", 3, "iz"),
    ("ise", 3, "iz"),
    ("is", 4, "iz"),
    ("ize", 3, "iz"),
    ("our", 3, "or"),
    ("ically", 4, "ic"),
    ("ally", 4, "al"),
    ("ily", 3, "y"),
    ("ly", 4, ""),
    ("ate", 4, ""),
    ("at", 5, ""),
    ("ant", 6, ""),
)
