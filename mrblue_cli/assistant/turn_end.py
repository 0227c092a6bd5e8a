"""Does what was said so far sound complete? Rules over words, English and Spanish; no model, well under a millisecond.

Each rule adds to a score; the sum decides. What speaks for "go on" (a hesitation, a word that needs another one, an
opening without its content) weighs more than what speaks for an end, since cutting a person off costs more than half a
second. Recognisers end everything with a full stop, so that one says little; a comma or dots at the end say much.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Completeness(StrEnum):
    """How an utterance stands."""

    COMPLETE = "complete"
    UNSURE = "unsure"
    INCOMPLETE = "incomplete"


_COMPLETE_AT, _INCOMPLETE_AT = 2.0, -2.0


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    words: tuple[str, ...]
    """In lower case, without accents and marks."""

    @property
    def last(self) -> str:
        """The last word, empty where there is none."""
        return self.words[-1] if self.words else ""

    def ends_in(self, phrases: frozenset[tuple[str, ...]]) -> bool:
        """The last words are one of these phrases."""
        return any(self.words[-size:] in phrases for size in range(1, 6) if size <= len(self.words))


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _phrases(listed: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in listed.split("|"))


_HESITATION = re.compile(r"u+h*m+|u+h+|e+h*m+|e+r+m*|h+m+|m{2,}|e+h+|este+|pues|osea")
_ANSWERS = _words("""
    yes no yeah yep nope yup sure okay ok thanks correct exactly right stop cancel continue again next repeat help quit
    hello hi goodbye bye please never always both neither done
    si no claro vale gracias correcto exacto para basta cancela continua otra siguiente repite ayuda hola adios nunca
    siempre ambos listo
""")
_CLOSINGS = _phrases("""
    thank you | thanks | please | that is all | thats all | thats it | that is it | never mind | go ahead | go on |
    do it | help me | can you help | what now | what should i do | what do i do | how do i fix it | how do i fix this |
    how can i fix it | how can i fix this | gracias | por favor | eso es todo | nada mas | ya esta | ayudame |
    como lo arreglo | que hago | adelante | no importa
""")
_ASKS = _words("""
    what why how when where who which whose can could would should is are was were do does did will has have am may
    que por como cuando donde quien cual cuanto cuantos puedo puede puedes hay es esta estan
""")
_NEEDS_MORE = _words("""
    a an the my your his her its our their this these those some any every each another
    and or but because so if when while since although unless until whether than that as then
    of to in on at from with for by about into through between against without after before under over during like via
    be been being has have had do does did will would can could should must may might
    says said shows gives gets got getting its im ive youre theyre were thats theres lets whats very really just also
    i we he she not called named using trying wants want need needs try
    el la los las un una unos unas mi tu su mis tus sus este esta estos estas ese esa
    y e o u pero porque que si cuando mientras aunque como pues entonces
    de del al a en con por para sin sobre entre hasta desde hacia contra segun tras durante ante
    ha han he hay fue soy ser estar tiene tengo dice sale muy tambien mas
    me te se lo le les nos no quiero necesito llamado llamada usando
""")
_MAY_END = _words("it this that in on over up there off out do does did can could be have more so si no mas")
"""Of those above, what can end a question or a clause: "what is this", "turn it on"."""
_COPULAS = _words("is are was were am es son era eran esta estan estaba")
_INDIRECT = _words("what where who how which why que donde quien como cual")
_ENDINGS = _words("""
    expired locked rejected denied found failed refused missing blocked crashed broken stopped killed closed exceeded
    reached unreachable unavailable invalid undefined unknown installed running use again anymore instead yet
    caducado caducada rechazado rechazada bloqueado bloqueada denegado denegada encontrado encontrada roto rota detenido
    detenida cerrado cerrada lleno llena instalado instalada agotado agotada disponible uso
""")
"""Participles and the like: where they stand last, a report is usually over."""
_OPENINGS = _phrases("""
    my error is | the error is | the error says | it says | the message is | the problem is | the thing is | i get |
    says that | me that | tells me | about that |
    i am getting | im getting | i got | it says that | i have | i am trying to | im trying to | i want to | how do i |
    how can i | what is the | let me see | let me think | the port is | i mean | you know | sort of | kind of |
    such as | for example | i think | it is | there is | can you | could you | do you know |
    mi error es | el error es | el error dice | dice | dice que | el problema es | me sale | me da | estoy intentando |
    quiero | como puedo | a ver | por ejemplo | es decir | o sea | creo que | sabes | puedes | tengo | me aparece
""")
_PREDICATES = _words("""
    is are was were fails failed fail refused denied found exists use used crashed crashes missing timeout works work
    working broken stopped stops expired installed running exits exited killed rejected blocked closed open opened
    happened returns raised raises throws threw says said get got have need want help fix solve install run start
    open close show explain tell give repeat search find check
    es esta falla fallo encontrado denegado rechazado existe uso usado roto funciona instalado caducado expirado cerrado
    abierto detenido ayuda arreglar instala ejecuta abre cierra muestra explica dime dame busca
""")
_ERROR = re.compile(
    r"\b(?:e(?:addr|conn|acces|noent|perm|pipe|time|mfile)\w*|\w+(?:error|exception|errno)|"
    r"not found|permission denied|in use|"
    r"connection refused|timed? ?out|out of memory|no such file|"
    r"access denied|segmentation fault|undefined|"
    r"no encontrado|permiso denegado|en uso|conexion rechazada|sin memoria|tiempo agotado)\b"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: what it looks for, and what it adds."""

    name: str
    weight: float
    holds: Callable[[_Said], bool]


def _is_question(said: _Said) -> bool:
    return bool(said.words) and said.words[0] in _ASKS and len(said.words) >= 3


def _names_error(said: _Said) -> bool:
    return bool(_ERROR.search(" ".join(said.words)))


def _needs_more(said: _Said) -> bool:
    return said.last in _NEEDS_MORE - _MAY_END


def _copula_last(said: _Said) -> bool:
    """ "My problem is", but not "tell me what a deadlock is"."""
    return said.last in _COPULAS and not set(said.words[:-2]) & _INDIRECT


RULES = (
    Rule("a single answer", 3.0, lambda said: 1 <= len(said.words) <= 3 and set(said.words) <= _ANSWERS),
    Rule("a closing", 2.5, lambda said: said.ends_in(_CLOSINGS)),
    Rule("a question mark", 2.0, lambda said: said.text.endswith("?") and not _needs_more(said)),
    Rule("asks, with enough words", 0.8, _is_question),
    Rule("a full stop or an exclamation", 0.4, lambda said: bool(re.search(r"(?<!\.)[.!]$", said.text))),
    Rule("names an error", 1.6, _names_error),
    Rule("has a verb, and enough words", 1.0, lambda said: len(said.words) >= 4 and bool({*said.words} & _PREDICATES)),
    Rule("ends as reports end", 1.0, lambda said: len(said.words) >= 3 and said.last in _ENDINGS),
    Rule("ends in a number, with enough words", 0.6, lambda said: len(said.words) >= 4 and said.last.isdigit()),
    Rule("a hesitation at the end", -6.0, lambda said: bool(_HESITATION.fullmatch(said.last))),
    Rule("dots or a dash at the end", -4.0, lambda said: bool(re.search(r"(?:\.\.+|…|[-—–])$", said.text))),
    Rule("a comma, colon or semicolon at the end", -4.0, lambda said: said.text.endswith((",", ":", ";"))),
    Rule("an opening at the end", -5.0, lambda said: said.ends_in(_OPENINGS)),
    Rule("ends in a word that needs another", -5.0, _needs_more),
    Rule("ends in is or are, and asks nothing", -5.0, _copula_last),
    Rule("ends in a word that may need another", -1.5, lambda said: said.last in _MAY_END and not _is_question(said)),
    Rule("one or two words that are no answer", -1.0, lambda said: len(said.words) < 3 and not _names_error(said)),
)


def judge(text: str) -> Completeness:
    """Judge an utterance, or a recogniser's guess of it. Silence and noise are unsure."""
    said = _said(text)
    if not said.words:
        return Completeness.UNSURE
    points = score(text)
    if points >= _COMPLETE_AT:
        return Completeness.COMPLETE
    return Completeness.INCOMPLETE if points <= _INCOMPLETE_AT else Completeness.UNSURE


def score(text: str) -> float:
    """The sum of all rules that hold: above zero speaks for an end."""
    said = _said(text)
    alone = RULES[0].holds(said) and not re.search(r"(?:[,:;-]|\.\.|…)$", said.text)
    # "No" and "so" need another word, unless they are the whole answer.
    return RULES[0].weight if alone else sum(rule.weight for rule in RULES if rule.holds(said))


def _said(text: str) -> _Said:
    text = text.strip()
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"['\u2019]", "", plain)
    return _Said(text, tuple(re.findall(r"\w+", plain)))
