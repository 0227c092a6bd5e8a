"""An order: lines, and how what was said changes them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from mrblue_cli.assistant.skills.orders.menu import Item, Menu

MAX_QUANTITY = 99
MAX_LINES = 100


class Act(StrEnum):
    """What a change does."""

    ADD = "add"
    ADJUST = "adjust"
    """The line that was spoken of last, or some of it: "one of them without olives"."""
    CORRECT = "correct"
    """Takes the place of what was said before: "make that four"."""
    REMOVE = "remove"
    REPLACED = "replaced"
    """What gives way to the line before: "instead of the coke"."""
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was said about the order. Ids are the menu's; empty or None: not said."""

    act: Act
    item: str = ""
    category: str = ""
    size: str = ""
    quantity: int | None = None
    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Of what is added: more than there is in it anyway."""
    strong: bool = False
    """A correction that can mean nothing but the line before: "no wait, a pepperoni"."""
    every: bool = False
    """"Both", "all of them"."""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one thing. An item or size that is still to be asked for is empty."""

    item: str
    size: str = ""
    quantity: int = 1
    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    category: str = ""
    notes: str = ""

    @property
    def same(self) -> tuple[object, ...]:
        """Lines that agree in this are one line."""
        return (self.item, self.size, frozenset(self.added), frozenset(self.left_out), self.category, self.notes)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that could not be made."""

    why: str
    """`not_there`, `no_such_size`, `not_possible`, `too_many`, `nothing_to_change`."""
    item: str = ""
    detail: str = ""
    """A size or modifier id."""


@dataclass(frozen=True, slots=True)
class Applied:
    """An order after changes, and what could not be done."""

    lines: tuple[Line, ...]
    refusals: tuple[Refusal, ...] = ()
    last: int | None = None
    """The line spoken of last, which "make that two" means."""


def open_line(menu: Menu, lines: Sequence[Line]) -> int | None:
    """The first line of which something must be asked: which item, or which size."""
    for place, line in enumerate(lines):
        if not line.item or (not line.size and menu.find_item(line.item).asks_size):
            return place
    return None


def price_of(menu: Menu, line: Line) -> Decimal:
    """What a line costs; what is still open counts nothing."""
    if not line.item:
        return Decimal(0)
    item = menu.find_item(line.item)
    each = item.sizes.get(line.size, Decimal(0)) if item.sizes else item.price
    each += sum((menu.find_modifier(name).price for name in line.added), Decimal(0))
    return each * line.quantity


def total_of(menu: Menu, lines: Sequence[Line]) -> Decimal:
    """What all of it costs."""
    return sum((price_of(menu, line) for line in lines), Decimal(0))


class Ordering:
    """Applies changes one after the other."""

    def __init__(self, menu: Menu, lines: Sequence[Line], last: int | None) -> None:
        self._menu = menu
        self._lines: list[Line] = list(lines)
        self._last = last if last is not None and last < len(self._lines) else None
        self._fresh: set[int] = set()
        """Lines that this utterance added."""
        self._refusals: list[Refusal] = []

    def apply(self, changes: Sequence[Change]) -> Applied:
        """All of them, in order."""
        for change in changes:
            self._one(change)
        return self._tidied()

    def _one(self, change: Change) -> None:
        if change.quantity is not None and change.quantity > MAX_QUANTITY:
            self._refusals.append(Refusal("too_many", change.item))
            return
        match change.act:
            case Act.CLEAR:
                self._lines.clear()
                self._last = None
            case Act.ADD:
                self._add(change)
            case Act.ADJUST:
                self._adjust(change)
            case Act.CORRECT:
                self._correct(change)
            case Act.REMOVE:
                self._remove(change)
            case Act.REPLACED:
                self._replaced(change)

    def _add(self, change: Change) -> None:
        waiting = open_line(self._menu, self._lines)
        if waiting is not None and self._answers(self._lines[waiting], change):
            self._lines[waiting] = self._with(self._lines[waiting], change)
            self._last = waiting
            return
        line = self._with(Line(item="", category=change.category, notes=change.notes), change)
        if len(self._lines) >= MAX_LINES:
            self._refusals.append(Refusal("too_many", change.item))
            return
        self._lines.append(line)
        self._last = len(self._lines) - 1
        self._fresh.add(self._last)

    def _answers(self, line: Line, change: Change) -> bool:
        """Whether this names what a line still lacks: which pizza, of what size."""
        if change.item and not line.item:
            return self._menu.find_item(change.item).category == line.category
        same = bool(change.item) and change.item == line.item
        return same and bool(change.size) and not line.size and change.quantity in {None, line.quantity}

    def _adjust(self, change: Change) -> None:
        """Words without an item: they mean the line that lacks them, else the one spoken of last."""
        waiting = open_line(self._menu, self._lines)
        if (
            change.size
            and not change.quantity
            and not change.every
            and waiting is not None
            and self._lines[waiting].item
        ):
            # "Large": of all that wait for a size, the first was asked about.
            self._lines[waiting] = self._with(self._lines[waiting], change)
            self._last = waiting
            return
        if change.item or change.category:
            named = self._find(change) if change.item else self._of_category(change.category)
            if named is None:
                self._add(change)
            else:
                self._last = named
                self._split(named, change)
            return
        place = waiting if self._last is None else self._last
        if place is None:
            self._refusals.append(Refusal("nothing_to_change"))
            return
        if change.every:
            for one in self._meant_by_every(place):
                self._lines[one] = self._with(self._lines[one], replace(change, quantity=None))
        if not change.every:
            self._split(place, change)

    def _meant_by_every(self, place: int) -> list[int]:
        """Both, all of them: several of one line, else what was just ordered of the same kind."""
        line = self._lines[place]
        category = self._kind_of(line)
        alike = [
            one
            for one, other in enumerate(self._lines)
            if (other.item == line.item and line.item)
            or (line.quantity == 1 and one in self._fresh and category and self._kind_of(other) == category)
        ]
        return alike or [place]

    def _kind_of(self, line: Line) -> str:
        return self._menu.find_item(line.item).category if line.item else line.category

    def _split(self, place: int, change: Change) -> None:
        """Change a line, or only as many of it as were named."""
        line = self._lines[place]
        some = change.quantity
        if some is None or change.every or some >= line.quantity:
            self._lines[place] = self._with(line, replace(change, quantity=None))
            return
        self._lines[place] = replace(line, quantity=line.quantity - some)
        self._lines.insert(place + 1, self._with(replace(line, quantity=some), change))
        self._last = place
        self._fresh = {one + 1 if one > place else one for one in self._fresh} | {place + 1}

    def _correct(self, change: Change) -> None:
        if not change.item and not change.category:
            if self._last is None:
                self._refusals.append(Refusal("nothing_to_change"))
            else:
                self._lines[self._last] = self._with(self._lines[self._last], change)
            return
        place = self._find(change)
        if place is None and change.category and not change.item:
            place = self._of_category(change.category)
        if place is not None:
            self._lines[place] = self._with(self._lines[place], change)
            self._last = place
        elif self._last is not None and (change.strong or self._last in self._fresh):
            before = self._lines[self._last]
            quantity = change.quantity or before.quantity
            fitting = before.size in (self._menu.find_item(change.item).sizes if change.item else {})
            size = change.size or (before.size if fitting else "")
            fresh = Line(item="", category=change.category, notes=change.notes)
            self._lines[self._last] = self._with(fresh, replace(change, quantity=quantity, size=size))
        else:
            self._add(change)

    def _remove(self, change: Change) -> None:
        named = bool(change.item or change.category)
        place = self._find(change) if change.item else None
        if place is None and change.category:
            place = self._of_category(change.category)
        if place is None and not named:
            place = self._last if self._last is not None else (len(self._lines) - 1 if self._lines else None)
        if place is None:
            self._refusals.append(Refusal("not_there", change.item))
            return
        if change.left_out or change.added:
            # "Take the olives off": what is taken away is an ingredient, not the line.
            without = replace(change, act=Act.ADJUST, added=(), left_out=(*change.left_out, *change.added))
            self._split(place, without)
            return
        line = self._lines[place]
        if change.quantity is None or change.every or change.quantity >= line.quantity:
            del self._lines[place]
            self._fresh = {one - 1 if one > place else one for one in self._fresh if one != place}
            self._last = len(self._lines) - 1 if self._lines else None
        else:
            self._lines[place] = replace(line, quantity=line.quantity - change.quantity)
            self._last = place

    def _replaced(self, change: Change) -> None:
        """ "… instead of the coke": the line before takes its number, and it goes."""
        place = self._find(change)
        if place is None and change.category:
            place = self._of_category(change.category)
        if place is None or place == self._last:
            self._refusals.append(Refusal("not_there", change.item))
            return
        gone = self._lines[place]
        if self._last is not None and change.quantity is None:
            here = self._lines[self._last]
            sizes = self._menu.find_item(here.item).sizes if here.item else {}
            size = here.size or (gone.size if gone.size in sizes else "")
            quantity = gone.quantity if here.quantity == 1 else here.quantity
            self._lines[self._last] = replace(here, quantity=quantity, size=size)
        keep = self._lines[self._last] if self._last is not None else None
        self._remove(replace(change, act=Act.REMOVE))
        if keep is not None and keep in self._lines:
            self._last = self._lines.index(keep)

    def _find(self, change: Change) -> int | None:
        """The newest line of an item, of the size if one was named and is there."""
        places = [place for place, line in enumerate(self._lines) if change.item and line.item == change.item]
        exact = [place for place in places if change.size and self._lines[place].size == change.size]
        found = exact or places
        return found[-1] if found else None

    def _of_category(self, category: str) -> int | None:
        places = [place for place, line in enumerate(self._lines) if self._kind_of(line) == category]
        return places[-1] if places else None

    def _with(self, line: Line, change: Change) -> Line:
        """The line with what was said; what its item cannot have is refused."""
        item = self._menu.find_item(change.item or line.item) if change.item or line.item else None
        if item is None:
            quantity = self._bounded(change.quantity or line.quantity)
            category = change.category or line.category
            # Which item it will be is not known yet: whatever was wished for is kept.
            added = _merged(line.added, change.added, change.left_out)
            without = _merged(line.left_out, change.left_out, change.added)
            size = change.size or line.size
            return replace(line, quantity=quantity, category=category, size=size, added=added, left_out=without)
        size = self._size(item, change.size or line.size)
        changed = replace(
            line,
            item=item.id,
            category="",
            size=size,
            quantity=self._bounded(change.quantity or line.quantity),
            notes=change.notes or line.notes,
        )
        return self._modified(changed, item, change)

    def _size(self, item: Item, wanted: str) -> str:
        if wanted and wanted not in item.sizes:
            if item.sizes:
                self._refusals.append(Refusal("no_such_size", item.id, wanted))
            wanted = ""
        only = next(iter(item.sizes), "") if len(item.sizes) == 1 else ""
        return wanted or item.default_size or only

    def _modified(self, line: Line, item: Item, change: Change) -> Line:
        possible = {*item.modifiers, *item.contains}
        # What is in it anyway and is merely named needs no adding.
        fresh = (name for name in change.added if name not in item.contains or name in change.more)
        wished = (*line.added, *fresh)
        added = tuple(dict.fromkeys(name for name in wished if name in item.modifiers and name not in change.left_out))
        left_out = tuple(
            dict.fromkeys(
                name
                for name in (*line.left_out, *change.left_out)
                if name in item.contains and name not in change.added
            )
        )
        for name in change.added:
            if name not in possible:
                self._refusals.append(Refusal("not_possible", item.id, name))
        for name in change.added:
            # Of a group the newest stays.
            group = self._menu.find_modifier(name).group
            if group:
                added = tuple(one for one in added if one == name or self._menu.find_modifier(one).group != group)
        return replace(line, added=added, left_out=left_out)

    def _bounded(self, quantity: int) -> int:
        if quantity > MAX_QUANTITY:
            self._refusals.append(Refusal("too_many"))
        return max(1, min(MAX_QUANTITY, quantity))

    def _tidied(self) -> Applied:
        """Equal lines are one line; the place of the last stays known."""
        merged: list[Line] = []
        where: dict[tuple[object, ...], int] = {}
        last: int | None = None
        for place, line in enumerate(self._lines):
            known = where.get(line.same)
            if known is None or not line.item:
                where[line.same] = len(merged)
                merged.append(line)
                known = len(merged) - 1
            else:
                quantity = min(MAX_QUANTITY, merged[known].quantity + line.quantity)
                merged[known] = replace(merged[known], quantity=quantity)
            if place == self._last:
                last = known
        return Applied(tuple(merged), tuple(dict.fromkeys(self._refusals)), last)


def _merged(old: tuple[str, ...], fresh: tuple[str, ...], gone: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (*old, *fresh) if name not in gone))


def change_order(menu: Menu, lines: Sequence[Line], changes: Sequence[Change], last: int | None = None) -> Applied:
    """An order after changes. `last`: the line spoken of last, where that is known."""
    return Ordering(menu, lines, last).apply(changes)
