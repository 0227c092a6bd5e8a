"""The words of ordering in English and Spanish: numbers, corrections, removals, and what carries no meaning here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ES_SMALL = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete "
    "veintiocho veintinueve"
)
_ES_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"


@dataclass(frozen=True, slots=True)
class Language:
    """What a language says for each thing; phrases are plain: lower case, no accents, single blanks."""

    numbers: dict[str, int]
    tens: frozenset[str]
    """Number words that another may follow: twenty five, treinta y dos."""
    joint: str
    """Between the two, or empty."""
    correct: tuple[str, ...]
    """What follows takes the place of what was said, whatever it was."""
    maybe_correct: tuple[str, ...]
    """What follows takes the place of what was just said, or is something more."""
    remove: tuple[str, ...]
    instead: tuple[str, ...]
    swap: tuple[str, ...]
    """What follows gives way to what comes after it: change the coke to a water."""
    clear: tuple[str, ...]
    add: tuple[str, ...]
    with_: tuple[str, ...]
    without: tuple[str, ...]
    more: tuple[str, ...]
    """Before an ingredient: more of it."""
    and_: tuple[str, ...]
    every: tuple[str, ...]
    everything: tuple[str, ...]
    """After a word of removal: the whole order."""
    last: tuple[str, ...]
    done: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    read: tuple[str, ...]
    send: tuple[str, ...]
    ask: tuple[str, ...]
    """A question about the menu begins with one of these."""
    filler: frozenset[str]
    """Single words that say nothing about the order."""
    wanting: frozenset[str]
    """Those of them that ask for something: what follows is no longer taken away."""
    definite: frozenset[str]
    """Those that point at what is known: the margherita."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


_ENGLISH = Language(
    numbers={word: number for number, word in enumerate(_EN_SMALL.split())}
    | {word: 10 * number for number, word in enumerate(_EN_TENS.split(), 2)}
    | {
        "a": 1,
        "an": 1,
        "another": 1,
        "single": 1,
        "hundred": 100,
        "couple": 2,
        "a couple": 2,
        "a couple of": 2,
        "couple of": 2,
    }
    | {"a dozen": 12, "dozen": 12, "half a dozen": 6, "a pair of": 2, "a single": 1},
    tens=frozenset(_EN_TENS.split()),
    joint="",
    correct=_lines("""
        make that, make it, make them, make those, change that to, change it to, change them to, change to,
        no wait, wait no, wait, hold on, i mean, i meant, i mean to say, sorry i meant, scratch that,
        correction, no sorry, sorry no, sorry make that, oh and make that, and make that, no make that,
        no make it, switch that to, switch it to, rather make it, make the, let s make that, let s make it,
        let me change that to
    """),
    maybe_correct=_lines("actually, no actually, actually no, on second thought, rather, or rather, or actually"),
    remove=_lines("""
        cancel, remove, take off, take away, take out, drop, delete, forget, forget about, skip, lose,
        leave off, get rid of, i don t want, don t want, i do not want, do not want, no longer want,
        we don t want, don t bring, hold, minus, no more
    """),
    instead=_lines("instead of, in place of, rather than, not"),
    swap=_lines("change the, change my, switch the, swap the, replace the, swap out the, exchange the"),
    clear=_lines("""
        start over, start again, start from scratch, from scratch, cancel the order, cancel everything
    """),
    add=_lines("add, also, i also want, plus, and also, as well as, i ll also have, can i also have"),
    with_=_lines("with, plus, add, including, on top"),
    without=_lines("""
        without, with no, hold the, minus, leave off the, leave out the, leave out, skip the, not any
    """),
    more=_lines("extra, more, double, with extra, additional, lots of"),
    and_=_lines("and, then, n, &, and then, and also, as well as"),
    every=_lines("""
        both, both of them, all, all of them, each, each one, every one, all three, all four, both with
    """),
    everything=_lines("everything, the order, my order, the whole order, it all, all of it, the whole thing"),
    last=_lines("last one, the last one, that one, that, it, this, this one, the last"),
    done=_lines("""
        that s all, that is all, that s it, that is it, that will be all, that ll be all, that ll be it,
        nothing else, no thats all, thats all, thats it, i m done, we re done, i am done, we are done,
        no more thanks, that s everything, that is everything, nothing more, all done, that would be all,
        that would be it, done
    """),
    yes=_lines("""
        yes, yeah, yep, yup, correct, right, that s right, that is right, sure, exactly, ok, okay, perfect,
        sounds good, looks good, go ahead, please do, that s correct, that is correct, yes please, confirmed,
        confirm, fine, all right, alright, great, send it, that works, good, absolutely, of course, indeed
    """),
    no=_lines("""
        no, nope, nah, not quite, that s wrong, that is wrong, not right, wrong, not yet, no thanks,
        no thank you
    """),
    read=_lines("""
        read it back, read that back, read back, read me the order, read my order, read the order,
        what do i have, what have i ordered, what did i order, what do we have, repeat the order,
        repeat my order, what s my order, what is my order, what s the total, what is the total, how much is it,
        how much is that, how much in total, say it again, check please, what was that again
    """),
    send=_lines("""
        send it, send the order, place the order, place it, order it, submit, put it through, send, go ahead
    """),
    ask=_lines("""
        what, which, how much, do you, have you, is there, are there, can you tell, tell me about, what s,
        how big, how many sizes, what kind, does the, is the, are the
    """),
    filler=_set("""
        i we you he she they me my our your us him her the some of for to in on at is are was be it that this
        these those them one ones please thanks thank like want wants would love will ll d d'like have get gets
        gonna going take takes having can could may might need do does let s lets let's give bring order just
        only really very oh uh um er hm hmm well so ok okay hi hello hey good evening morning afternoon there
        today tonight now then too also still again maybe think guess yes yeah right alright all yup yep wife
        husband kid kids son daughter friend brother sister guy guys here us up off out as by from m re ve don t
        try start starts first second instead no sorry each glass glasses cup cups bottle bottles slice slices piece
        pieces order orders plate plates portion portions size sized pie pies table if possible sir madam am
        anything else any
    """),
    wanting=_set("want wants like love have get give bring order take add d ll"),
    definite=frozenset({"the", "my", "that", "this"}),
)
_SPANISH = Language(
    numbers={word: number for number, word in enumerate(_ES_SMALL.split())}
    | {word: 10 * number for number, word in enumerate(_ES_TENS.split(), 3)}
    | {"un": 1, "una": 1, "otro": 1, "otra": 1, "un par": 2, "un par de": 2, "par de": 2, "una docena": 12}
    | {
        "docena": 12,
        "una docena de": 12,
        "media docena": 6,
        "media docena de": 6,
        "veintiun": 21,
        "veintiuna": 21,
        "cien": 100,
    },
    tens=frozenset(_ES_TENS.split()),
    joint="y",
    correct=_lines("""
        mejor, no mejor, no espera, espera, espera no, no espere, espere, perdon, no perdon, digo, quiero decir,
        que sean, que sea, mejor que sean, mejor que sea, cambialo por, cambiala por, cambialas por,
        cambialos por, cambia eso por, cambialo a, cambiala a, ponme mejor, corrijo, me equivoque, mejor dicho,
        hazlo, que al final sean, al final que sean, al final
    """),
    maybe_correct=_lines("en realidad, la verdad, pensandolo bien, de hecho"),
    remove=_lines("""
        cancela, cancelar, cancele, cancelame, quita, quitar, quite, quitame, quiteme, elimina, eliminar, borra,
        borrar, olvida, olvidate de, olvide, no quiero, ya no quiero, no queremos, ya no queremos, saca, anula,
        anular, anule, no me traiga, no me traigas, no pongas, retira, menos
    """),
    instead=_lines("en vez de, en lugar de, en vez del, en lugar del, y no"),
    swap=_lines("""
        cambia la, cambia el, cambia las, cambia los, cambie la, cambie el, cambiame la, cambiame el,
        sustituye la, sustituye el, reemplaza la, reemplaza el
    """),
    clear=_lines("""
        empezar de nuevo, empecemos de nuevo, desde cero, cancela todo, cancela el pedido, anula el pedido
    """),
    add=_lines("""
        tambien, ademas, agrega, agregar, anade, anadir, anademe, agregame, suma, tambien quiero, y tambien,
        mas
    """),
    with_=_lines("con, y con, ponle, pongale, anadele, agregale, que lleve"),
    without=_lines("""
        sin, y sin, sin nada de, no le pongas, no le ponga, quitale, quitele, que no lleve, nada de
    """),
    more=_lines("""
        extra, extra de, con extra de, mas, doble, doble de, con doble, con extra, mucho, mucha
    """),
    and_=_lines("y, e, y luego, y despues, y tambien, asi como, luego, despues"),
    every=_lines("""
        ambas, ambos, las dos, los dos, todas, todos, cada una, cada uno, las tres, los tres, las cuatro,
        todas ellas, todos ellos
    """),
    everything=_lines("todo, el pedido, todo el pedido, mi pedido, la orden, todo eso, la comanda"),
    last=_lines("la ultima, el ultimo, lo ultimo, eso, esa, ese, lo de antes, esta, este"),
    done=_lines("""
        eso es todo, es todo, nada mas, ya esta, eso seria todo, seria todo, con eso esta, solo eso,
        no nada mas, listo, ya, hemos terminado, he terminado, termine, terminamos, no gracias eso es todo,
        ninguna cosa mas
    """),
    yes=_lines("""
        si, claro, correcto, exacto, exactamente, vale, de acuerdo, perfecto, eso es, asi es, esta bien, bien,
        muy bien, si por favor, adelante, confirmo, confirmado, confirma, ok, okay, genial, por supuesto,
        si claro, venga, envialo, envielo
    """),
    no=_lines("""
        no, no no, para nada, esta mal, eso no, incorrecto, todavia no, aun no, no gracias, mal
    """),
    read=_lines("""
        leemelo, leelo, lea el pedido, lee el pedido, leame el pedido, leeme el pedido, repite el pedido,
        repitelo, repita el pedido, repitame el pedido, que he pedido, que tengo, que llevo, que pedi,
        cuanto es, cuanto es todo, cuanto seria, cuanto cuesta todo, cual es el total, cuanto llevo,
        cual es mi pedido, la cuenta
    """),
    send=_lines("""
        envialo, envia el pedido, manda el pedido, mandalo, envielo, mande el pedido, haz el pedido, enviar
    """),
    ask=_lines("""
        que, cual, cuales, cuanto cuesta, cuanto cuestan, cuanto vale, cuanto valen, tienen, tienes, hay,
        teneis, a cuanto, de que, hableme de, hablame de, como es, como son, lleva, llevan
    """),
    filler=_set("""
        yo me nos te le les lo la los las el de del al a para por favor gracias quiero queria quisiera
        quisieramos queremos queriamos querria ponme pongame ponnos ponganos dame deme danos denos traeme
        traigame traenos traiganos tomare tomar pedir pido pedire pues bueno eh em hola buenas buenos tardes
        noches dias y e o que se sea sean es son una unas unos mi mis su sus nuestro nuestra mujer marido hijo
        hija hijos amigo amiga hermano hermana aqui hoy ahora luego entonces asi solo solamente si vale ok bien
        creo necesito vamos voy tambien podria puede puedes seria gustaria gustan gustaria ser vaso vasos
        botella botellas taza tazas racion raciones plato platos porcion porciones trozo trozos tamano talla
        mesa senor senora digamos va van venga tu usted mas no algo
    """),
    wanting=_set("""
        quiero queria quisiera queremos querria ponme pongame ponnos ponganos dame deme danos traeme traigame
        traenos tomare
    """),
    definite=frozenset({"la", "el", "las", "los", "mi", "esa", "ese"}),
)
LANGUAGES = {"en": _ENGLISH, "es": _SPANISH}


@lru_cache(maxsize=8)
def language_of(code: str) -> Language:
    """The words of a language; of one that is not known, English."""
    return LANGUAGES.get(code, _ENGLISH)
