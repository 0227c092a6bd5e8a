"""Small words by duty: which carry no content, which negate, quantify, ask, give directions. Base forms, own lists."""

from __future__ import annotations

from typing import Final


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION: Final = _set(
    """
    a an the this that these those some any such i me my mine myself you your yours yourself he him his himself she
    her hers herself it its itself we us our ours ourselves they them their theirs themselves one ones who whom
    whose which what when where why how be am is are was were been being do does did doing done have has had having
    will would shall should can could may might must to of in on at by for with from into onto upon about as than
    then and or but nor so if because since while though although whether until till unless after before during
    through over under above below between among against within without toward towards off out up down again there
    here not no yes just also too very really quite please s t d ll re ve m let lets ok okay hi hello hey dear
    thanks thank well even still ever already yet both either neither each every all more most less least much many
    few other another own same only per via etc rather however moreover furthermore therefore thus hence instead
    else that's along across around behind beside besides near despite except like ago away back throughout
    """
)
"""Closed-class words. Left out when content is compared; guards look at those that matter."""

FILLER: Final = _set(
    """
    help want need like know tell wonder please question ask say think believe advise kindly sir madam guy folk
    basically actually simply exactly possible able way show explain understand
    """
)
"""Content words that often come with the politeness around a question, not with its matter."""

NEGATORS: Final = _set(
    """
    not no never none nobody nothing nowhere neither nor without cannot hardly barely scarcely seldom
    """
)
SOFT_NEGATORS: Final = _set(
    """
    fail failed failing failure unable impossible decline declined reject rejected refuse refused deny denied lack
    missing miss lost broken stop stopped stuck block blocked wrong waiting wait still pending delay unavailable
    prevent avoid unsupported absent except exclude omit ignore disable disabled forget unknown error problem issue
    trouble less few little rarely remove
    """
)
"""May stand for a negation on the other side ("fails" for "does not work")."""

NEGATIVE_PREFIXES: Final = ("un", "in", "im", "ir", "il", "non", "dis", "mis", "de", "a", "anti", "non-", "ab")

PREPOSITIONS: Final = _set(
    """
    to from in on at by for with without of into onto out off over under above below before after between among
    against within toward towards up down until till since during through via behind beside near as than about
    around across inside outside
    """
)
OPENERS: Final = _set(
    """
    in on at after before during since when while if as because although though for with by until once from under
    upon
    """
)
"""Words that begin a phrase which may stand first or last in a sentence without a change of meaning."""

JOINERS: Final = _set("and or nor , & / plus")

UNIVERSAL: Final = _set("all every each always entire whole everything everyone everybody everywhere both")
EXISTENTIAL: Final = _set("some sometimes somebody someone something somewhere")
NONE: Final = _set("none never nobody nothing nowhere neither")
EXCLUSIVE: Final = _set("only solely exclusively merely alone")
EXCEPTION: Final = _set("except unless excluding apart besides otherwise")
MOST: Final = _set("most mostly usually generally typically majority")
FEW: Final = _set("few little rarely seldom hardly barely scarcely")
SEQUENCE: Final = _set("first last next previous latest oldest newest earliest final second third initial")
AGAIN: Final = _set("again another second")

ASPECTS: Final = _set("yet still already again ever anymore longer once twice before later soon now currently")
"""Words that place an event in time against what was expected."""

MODALS: Final = {
    "can": "able",
    "could": "able",
    "able": "able",
    "may": "may",
    "might": "may",
    "will": "will",
    "would": "would",
    "shall": "will",
    "should": "ought",
    "must": "must",
    "ought": "ought",
    "need": "must",
    "have": "",
    "has": "",
    "had": "",
}
PAST: Final = _set("did was were had been ago yesterday")

YES_NO: Final = _set(
    """
    do does did is are am was were will would can could should shall may might have has had must
    """
)

NUMBER_WORDS: Final = {
    "zero": 0,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "dozen": 12,
    "twice": 2,
    "double": 2,
    "thrice": 3,
    "triple": 3,
}
SCALES: Final = {
    "hundred": 100,
    "thousand": 1000,
    "k": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
ORDINALS: Final = {
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "twentieth": 20,
    "thirtieth": 30,
    "hundredth": 100,
}
MONTHS: Final = {
    "jan": "january",
    "feb": "february",
    "mar": "march",
    "apr": "april",
    "jun": "june",
    "jul": "july",
    "aug": "august",
    "sep": "september",
    "sept": "september",
    "oct": "october",
    "nov": "november",
    "dec": "december",
}
UNITS: Final = {
    "kilometer": "km",
    "kilometre": "km",
    "meter": "m",
    "metre": "m",
    "centimeter": "cm",
    "millimeter": "mm",
    "mile": "mi",
    "foot": "ft",
    "feet": "ft",
    "inch": "in",
    "kilogram": "kg",
    "gram": "g",
    "pound": "lb",
    "ounce": "oz",
    "byte": "b",
    "kilobyte": "kb",
    "megabyte": "mb",
    "gigabyte": "gb",
    "terabyte": "tb",
    "second": "s",
    "sec": "s",
    "minute": "min",
    "hour": "h",
    "hr": "h",
    "millisecond": "ms",
    "percent": "%",
    "dollar": "$",
    "usd": "$",
    "euro": "€",
    "eur": "€",
    "gbp": "£",
    "celsius": "c",
    "fahrenheit": "f",
    "liter": "l",
    "litre": "l",
    "milliliter": "ml",
}

CONTRACTIONS: Final = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "cant": "can not",
    "wont": "will not",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "isnt": "is not",
    "arent": "are not",
    "wasnt": "was not",
    "werent": "were not",
    "hasnt": "has not",
    "havent": "have not",
    "hadnt": "had not",
    "couldnt": "could not",
    "wouldnt": "would not",
    "shouldnt": "should not",
    "mustnt": "must not",
    "neednt": "need not",
    "im": "i am",
    "ive": "i have",
    "whats": "what is",
    "hows": "how is",
    "wheres": "where is",
    "whos": "who is",
    "thats": "that is",
    "theres": "there is",
    "let's": "let us",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "got to",
    "u": "you",
    "ur": "your",
    "pls": "please",
    "plz": "please",
    "w/o": "without",
    "w/": "with",
    "vs": "versus",
    "e-mail": "email",
    "wi-fi": "wifi",
}

LANGUAGES: Final = {
    "en": _set(
        """
    the is are and of to how what do does can i my in for with not it that you this was on at be why when where
    """
    ),
    "de": _set(
        """
    der die das und ist nicht ich wie ein eine mit auf für zu kann mein den dem wir sie von was wo warum habe
    """
    ),
    "fr": _set(
        """
    le la les et est pas je comment un une avec sur pour que mon dans des du vous nous ne pourquoi où ce qui
    """
    ),
    "es": _set(
        """
    el la los las y es no cómo como un una con para que mi en de del por qué puedo se mis dónde cuándo yo
    """
    ),
    "pt": _set(
        """
    o a os as e é não como um uma com para que meu em de do da por posso se onde quando eu minha você
    """
    ),
    "it": _set(
        """
    il lo la gli e è non come un una con per che mio in di del della posso si dove quando perché sono ho
    """
    ),
    "nl": _set(
        """
    de het een en is niet ik hoe met op voor te kan mijn wat waar waarom van dat wij zijn heb wordt
    """
    ),
}
