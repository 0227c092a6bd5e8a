"""An order in words, to be read aloud: numbers as words, sizes, what is added and left out, the total. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mrblue_cli.assistant.skills.orders.menu import Item, Menu, plural
from mrblue_cli.assistant.skills.orders.order import Line, Refusal, open_line, total_of
from mrblue_cli.assistant.skills.orders.tags import words_of
from mrblue_cli.core.texts import tell

_NUMBERS = {
    "en": words_of("no one two three four five six seven eight nine ten eleven twelve"),
    "es": words_of("ninguna uno dos tres cuatro cinco seis siete ocho nueve diez once doce"),
}
_AND = {"en": "and", "es": "y"}
_WITH, _WITHOUT = {"en": "with", "es": "con"}, {"en": "without", "es": "sin"}
_MORE = {"en": "extra", "es": "extra de"}
_MASCULINE = {"agua", "cafe", "café", "te", "té", "tiramisu", "tiramisú"}


def number(count: int, language: str, name: str = "") -> str:
    """A small number as a word; Spanish `un` or `una` by the first word of the name."""
    words = _NUMBERS.get(language, _NUMBERS["en"])
    if count == 1:
        if language != "es":
            return words[1]
        first = name.split(" ", maxsplit=1)[0].casefold()
        return "una" if first.endswith(("a", "ción", "dad")) and first not in _MASCULINE else "un"
    return words[count] if 0 <= count < len(words) else str(count)


def line_in_words(menu: Menu, line: Line, language: str) -> str:
    """One line: `two large margheritas without olives, with extra cheese`."""
    name = _name(menu, line, language)
    size = menu.size_name(line.size, language) if line.size and _sizes_matter(menu, line) else ""
    count = number(line.quantity, language, name)
    parts = [count, size, name] if language != "es" else [count, name, f"tamaño {size}" if size else ""]
    words = " ".join(part for part in parts if part)
    without = _listed([menu.find_modifier(one).called(language) for one in line.left_out], language)
    added = _listed([_added(menu, line, one, language) for one in line.added], language)
    tail = [f"{_WITHOUT.get(language, 'without')} {without}"] if without else []
    tail += [f"{_WITH.get(language, 'with')} {added}"] if added else []
    tail += [f"({line.notes})"] if line.notes else []
    return f"{words} {', '.join(tail)}".strip()


def lines_in_words(menu: Menu, lines: Sequence[Line], language: str) -> str:
    """All lines as one list."""
    told = [line_in_words(menu, line, language) for line in lines]
    if any(line.added or line.left_out or line.notes for line in lines) and len(told) > 1:
        return f"{'; '.join(told[:-1])}; {_AND.get(language, 'and')} {told[-1]}"
    return _listed(told, language)


def total_in_words(menu: Menu, lines: Sequence[Line], language: str) -> str:
    """What it comes to."""
    return menu.money(total_of(menu, lines), language)


def question_in_words(menu: Menu, lines: Sequence[Line], language: str) -> str:
    """What must still be asked, about the first line that lacks something; empty: nothing."""
    place = open_line(menu, lines)
    if place is None:
        return ""
    line = lines[place]
    if not line.item:
        choices = menu.of_category(line.category) if line.category else menu.item
        names = _listed([item.called(language) for item in choices[:6]], language, either=True)
        kind = next((one.called(language) for one in menu.category if one.id == line.category), "")
        return tell("Which {kind} would you like: {names}?", kind=kind, names=names)
    item = menu.find_item(line.item)
    sizes = _listed([menu.size_name(size, language) for size in item.sizes], language, either=True)
    return tell("Which size for the {item}: {sizes}?", item=item.called(language, line.quantity), sizes=sizes)


def refusal_in_words(menu: Menu, refusal: Refusal, language: str) -> str:
    """Why something could not be done."""
    item = menu.find_item(refusal.item) if refusal.item else None
    name = item.called(language) if item is not None else ""
    match refusal.why:
        case "no_such_size" if item is not None:
            sizes = _listed([menu.size_name(size, language) for size in item.sizes], language, either=True)
            wanted = menu.size_name(refusal.detail, language)
            return tell("{item} does not come in {size}, only in {sizes}.", item=name, size=wanted, sizes=sizes)
        case "not_possible" if item is not None:
            wanted = menu.find_modifier(refusal.detail).called(language)
            return tell("I can't do that with {item}: {wanted}.", item=name, wanted=wanted)
        case "not_there" if item is not None:
            return tell("There is no {item} in your order.", item=name)
        case "too_many":
            return tell("That is more than I can take in one order.")
        case _:
            return tell("I am not sure what to change.")


def item_in_words(menu: Menu, item: Item, language: str) -> str:
    """A dish with its prices, as an answer to a question about it."""
    prices = _listed(
        [f"{menu.size_name(size, language)} {menu.money(price, language)}" for size, price in item.sizes.items()],
        language,
    )
    told = f"{item.called(language)}: {prices or menu.money(item.price, language)}"
    inside = _listed([menu.find_modifier(one).called(language) for one in item.contains], language)
    return f"{told}; {_WITH.get(language, 'with')} {inside}" if inside else told


def _sizes_matter(menu: Menu, line: Line) -> bool:
    return not line.item or len(menu.find_item(line.item).sizes) > 1


def _name(menu: Menu, line: Line, language: str) -> str:
    if line.item:
        return menu.find_item(line.item).called(language, line.quantity)
    kind = next((one for one in menu.category if one.id == line.category), None)
    if kind is not None:
        return kind.called(language, line.quantity)
    return tell("something") if line.quantity == 1 else plural(tell("thing"), language)


def _added(menu: Menu, line: Line, modifier: str, language: str) -> str:
    name = menu.find_modifier(modifier).called(language)
    inside = line.item and modifier in menu.find_item(line.item).contains
    return f"{_MORE.get(language, 'extra')} {name}" if inside else name


def _listed(words: Sequence[str], language: str, *, either: bool = False) -> str:
    """`a, b and c`, or `a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    last = _or(language, words[-1]) if either else _and(language, words[-1])
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


@lru_cache(maxsize=256)
def _and(language: str, following: str) -> str:
    if language == "es":
        return "e" if following.casefold().startswith(("i", "hi")) else "y"
    return "and"


@lru_cache(maxsize=256)
def _or(language: str, following: str) -> str:
    if language == "es":
        return "u" if following.casefold().startswith(("o", "ho")) else "o"
    return "or"
