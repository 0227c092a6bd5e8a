"""What may be ordered: a TOML file of items, sizes and modifiers, named in each language. Format: docs/profiles.md."""

from __future__ import annotations

import difflib
import re
import tomllib
from decimal import Decimal
from typing import Any

import msgspec

from mrblue_cli.core.errors import ConfigError

Words = dict[str, tuple[str, ...]]
"""Language code to words."""
MAX_ITEMS = 2_000
MAX_MENU_BYTES = 1024 * 1024


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    name: dict[str, str] = {}
    """As it is read aloud, one of it; a language that is missing has the first that is there, else the id."""
    plural: dict[str, str] = {}
    aliases: Words = {}
    """What people call it besides."""

    def called(self, language: str, count: int = 1) -> str:
        """Its name in a language, for so many of it."""
        spoken = language if language in self.name else next(iter(self.name), language)
        one = self.name.get(spoken) or self.id.replace("-", " ")
        return one if count == 1 else self.plural.get(spoken) or plural(one, spoken)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Everything that means it, of the language first and then of the others: people mix them."""
        order = sorted({*self.name, *self.aliases}, key=lambda code: code != language)
        said = (word for code in order for word in (self.name.get(code, ""), *self.aliases.get(code, ())))
        return tuple(dict.fromkeys(word for word in (*said, self.id.replace("-", " ")) if word))


class Size(_Part, frozen=True, kw_only=True):
    """How much of it."""


class Modifier(_Part, frozen=True, kw_only=True):
    """What may come with an item, or be left out of it."""

    price: Decimal = Decimal(0)
    """For having it added."""
    group: str = ""
    """Of one group at most one can be had."""


class Category(_Part, frozen=True, kw_only=True):
    """A kind of items, as people name it: pizza, drink."""


class Item(_Part, frozen=True, kw_only=True):
    """One thing on the menu."""

    category: str = ""
    price: Decimal = Decimal(0)
    """Where there are no sizes."""
    sizes: dict[str, Decimal] = {}
    """Size id to price."""
    default_size: str = ""
    """Taken when nobody says one; empty: it is asked for."""
    modifiers: tuple[str, ...] = ()
    """What may be added."""
    contains: tuple[str, ...] = ()
    """What is in it anyway, and may be left out."""
    description: dict[str, str] = {}

    @property
    def asks_size(self) -> bool:
        """Whether its size must be said."""
        return len(self.sizes) > 1 and not self.default_size


class Menu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be ordered, as it stands in the file."""

    title: str = ""
    currency: dict[str, str] = {}
    """How an amount is said: {en = "dollars", es = "dólares"}."""
    size: tuple[Size, ...] = ()
    category: tuple[Category, ...] = ()
    modifier: tuple[Modifier, ...] = ()
    item: tuple[Item, ...]

    def find_item(self, item_id: str) -> Item:
        """An item that is there."""
        return next(item for item in self.item if item.id == item_id)

    def find_modifier(self, modifier_id: str) -> Modifier:
        """A modifier that is there."""
        return next(modifier for modifier in self.modifier if modifier.id == modifier_id)

    def size_name(self, size_id: str, language: str) -> str:
        """How a size is read aloud."""
        return next((size.called(language) for size in self.size if size.id == size_id), size_id)

    def of_category(self, category_id: str) -> tuple[Item, ...]:
        """The items of a kind."""
        return tuple(item for item in self.item if item.category == category_id)

    def money(self, amount: Decimal, language: str) -> str:
        """An amount as it is said: `11`, `11.50`, with the currency's word."""
        number = f"{amount:.2f}".removesuffix(".00")
        if language == "es":
            number = number.replace(".", ",")
        word = self.currency.get(language) or next(iter(self.currency.values()), "")
        return f"{number} {word}".strip()

    def words(self, language: str) -> tuple[str, ...]:
        """Names that a recogniser should expect, the most telling first."""
        parts = (*self.item, *self.modifier)
        return tuple(dict.fromkeys(part.called(language) for part in parts))

    def told(self, language: str) -> str:
        """The menu as a model is told of it: one line for each item, with the exact names that its tools take."""
        lines = [f"Menu{f' of {self.title}' if self.title else ''}. Use these names exactly:"]
        lines += [f"- {_told(self, item, language)}" for item in self.item]
        return "\n".join(lines)


def _told(menu: Menu, item: Item, language: str) -> str:
    sizes = ", ".join(f"{size} {menu.money(price, language)}" for size, price in item.sizes.items())
    price = f"sizes: {sizes}" if sizes else menu.money(item.price, language)
    parts = [item.called(language), price]
    if item.contains:
        parts.append("with " + ", ".join(menu.find_modifier(name).called(language) for name in item.contains))
    extras = [menu.find_modifier(name) for name in item.modifiers]
    if extras:
        told = (f"{extra.called(language)} (+{menu.money(extra.price, language)})" for extra in extras)
        parts.append("may have " + ", ".join(told))
    return "; ".join(parts)


def plural(name: str, language: str) -> str:
    """The usual plural of a name; a menu says where it is another."""
    head, blank, tail = name.partition(" ") if language == "es" else ("", "", name)
    if language == "es":
        ended = f"{head}s" if head[-1:] in "aeiouáéó" else head if head.endswith("s") else f"{head}es"
        return f"{ended}{blank}{tail}"
    if re.search(r"(s|x|z|ch|sh)$", tail):
        return f"{tail}es"
    return re.sub(r"([^aeiou])y$", r"\1ie", tail) + "s"


def parse_menu(text: str, source: str) -> Menu:
    """Read a menu; raises `ConfigError` that names the file and the place in it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}", hint="docs/profiles.md shows a menu") from None
    try:
        menu = msgspec.convert(table, Menu, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), source, text) from None
    fault = _fault(menu)
    if fault:
        raise ConfigError(f"{source}: {fault}", hint="docs/profiles.md shows a menu")
    return menu


_FIELDS = sorted({*Menu.__struct_fields__, *Item.__struct_fields__, *Modifier.__struct_fields__})


def _explained(message: str, source: str, text: str) -> ConfigError:
    found = re.search(r"unknown field `([^`]+)`", message)
    if not found:
        return ConfigError(f"{source}: {message}", hint="docs/profiles.md shows a menu")
    near = difflib.get_close_matches(found[1], _FIELDS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_FIELDS)}"
    return ConfigError(f"{source}{line_of(text, found[1])}: there is no key '{found[1]}'", hint=hint)


def line_of(text: str, key: str) -> str:
    """Where a key stands: `, line 7`; empty when it cannot be told."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*(\[+\s*)?([\w.-]+\.)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]", line):
            return f", line {number}"
    return ""


def _fault(menu: Menu) -> str | None:
    """What does not fit together, in words."""
    if not menu.item or len(menu.item) > MAX_ITEMS:
        return f"a menu has 1 to {MAX_ITEMS} items"
    families: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("item", menu.item), ("modifier", menu.modifier), ("size", menu.size), ("category", menu.category),
    )  # fmt: skip
    known: dict[str, set[str]] = {}
    for family, parts in families:
        ids = [part.id for part in parts]
        twice = next((part_id for part_id in ids if ids.count(part_id) > 1), None)
        if twice is not None:
            return f"{family} '{twice}' is there twice"
        known[family] = set(ids)
    for item in menu.item:
        for kind, names in (
            ("modifier", (*item.modifiers, *item.contains)),
            ("size", (*item.sizes, *([item.default_size] if item.default_size else []))),
            ("category", (item.category,) if item.category else ()),
        ):
            missing = next((name for name in names if name not in known[kind]), None)
            if missing is not None:
                near = difflib.get_close_matches(missing, sorted(known[kind]), n=1)
                also = f"; did you mean '{near[0]}'?" if near else ""
                return f"item '{item.id}' names {kind} '{missing}', which is not defined{also}"
        prices = (item.price, *item.sizes.values())
        if any(not price.is_finite() or price < 0 for price in prices):
            return f"item '{item.id}': a price is a number from 0 up"
    wrong = next((one.id for one in menu.modifier if not one.price.is_finite() or one.price < 0), None)
    return f"modifier '{wrong}': a price is a number from 0 up" if wrong else None
