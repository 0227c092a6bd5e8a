"""What was said, as changes to an order: items, sizes, ingredients, numbers, corrections, removals. Pure.

One pass over tags fills a draft; whatever begins something new closes it. Nothing is guessed: a name that the menu
does not know is handed back, and a size that was not said stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.skills.orders.order import MAX_QUANTITY, Act, Change
from mrblue_cli.assistant.skills.orders.tags import Kind, Tag, tag
from mrblue_cli.assistant.skills.orders.words import language_of

_LINKS = frozenset({"on", "off", "to", "from", "a", "de", "al", "del", "en"})
"""Between an ingredient and what it goes on, or comes off."""
_NOUNS = frozenset({Kind.ITEM, Kind.CATEGORY})


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an utterance asks for."""

    changes: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names that stand where an item or ingredient should, and that the menu does not know."""


@dataclass(slots=True)
class _Draft:
    """A change in the making."""

    act: Act = Act.ADD
    strong: bool = False
    swapped: bool = False
    item: str = ""
    category: str = ""
    size: str = ""
    quantity: int | None = None
    added: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    every: bool = False
    last: bool = False
    definite: bool = False
    modifiers_first: bool = False
    unknown: list[str] = field(default_factory=list)

    @property
    def named(self) -> bool:
        return bool(self.item or self.category)

    @property
    def modified(self) -> bool:
        return bool(self.added or self.left_out)

    @property
    def empty(self) -> bool:
        return not (self.named or self.modified or self.size or self.quantity is not None or self.unknown)

    def change(self, act: Act) -> Change:
        return Change(
            act=act,
            item=self.item,
            category="" if self.item else self.category,
            size=self.size,
            quantity=self.quantity,
            added=tuple(dict.fromkeys(self.added)),
            more=tuple(dict.fromkeys(self.more)),
            left_out=tuple(dict.fromkeys(self.left_out)),
            strong=self.strong,
            every=self.every,
        )


def parse(text: str, menu: Menu, language: str) -> Parsed:
    """Read an utterance."""
    return _Parser(tag(text, menu, language), menu, language).run()


class _Parser:
    def __init__(self, tags: Sequence[Tag], menu: Menu, code: str) -> None:
        self._tags = tags
        self._menu = menu
        self._language = language_of(code)
        self._size_follows = code == "es"
        """Sizes stand behind their noun, so that one between two nouns is the first one's."""
        self._draft = _Draft()
        self._changes: list[Change] = []
        self._unknown: list[str] = []
        self._loose: list[str] = []
        """Unknown words of a stretch that so far says nothing else."""
        self._stretch_meant = False
        self._without: bool | None = None
        """What was said of the ingredients that follow: with, without, or nothing yet."""
        self._more = False
        self._definite = False
        self._held: Change | None = None
        """What is to give way to the next item: "change the coke to …"."""
        self._removing = False

    def run(self) -> Parsed:
        for place, one in enumerate(self._tags):
            self._take(place, one)
            if one.kind is not Kind.FILLER:
                self._definite = False
        self._end_stretch()
        self._close()
        if self._held is not None:
            self._changes.append(replace(self._held, act=Act.REMOVE))
        return Parsed(tuple(self._changes), tuple(dict.fromkeys(self._unknown)))

    def _take(self, place: int, one: Tag) -> None:
        match one.kind:
            case Kind.NUMBER:
                self._number(place, one)
            case Kind.ITEM:
                self._item(place, one.value)
            case Kind.CATEGORY:
                self._category(one.value)
            case Kind.SIZE:
                self._size(place, one.value)
            case Kind.MODIFIER:
                self._modifier(place, one.value)
            case Kind.FILLER:
                self._filler(place, one.value)
            case Kind.UNKNOWN:
                self._unheard(place, one.value)
            case _:
                self._turn(one)

    def _turn(self, one: Tag) -> None:
        """A turn of phrase: what it says of the words around it."""
        match one.kind:
            case Kind.WITH | Kind.ADD:
                self._with(one)
            case Kind.WITHOUT:
                self._without = True
            case Kind.MORE:
                self._more = True
            case Kind.AND | Kind.BREAK:
                self._end_stretch()
            case Kind.CORRECT | Kind.MAYBE | Kind.REMOVE | Kind.INSTEAD | Kind.SWAP:
                self._begin(one.kind)
            case Kind.CLEAR:
                self._close()
                self._changes.append(Change(Act.CLEAR))
            case Kind.EVERY:
                self._every()
            case Kind.EVERYTHING:
                self._everything()
            case Kind.LAST:
                self._draft.last = True
            case _:
                pass

    # Turns of phrase --------------------------------------------------------------------------------------------

    def _begin(self, kind: Kind) -> None:
        self._end_stretch()
        self._close()
        self._removing = kind is Kind.REMOVE
        match kind:
            case Kind.REMOVE:
                self._draft.act = Act.REMOVE
            case Kind.INSTEAD:
                self._draft.act = Act.REPLACED
            case Kind.SWAP:
                self._draft.act, self._draft.swapped, self._draft.strong = Act.CORRECT, True, True
            case _:
                self._draft.act, self._draft.strong = Act.CORRECT, kind is Kind.CORRECT

    def _every(self) -> None:
        if not self._draft.empty:
            self._close()
        self._draft.every = True

    def _everything(self) -> None:
        if self._draft.act is Act.REMOVE and not self._draft.named:
            self._draft = _Draft()
            self._changes.append(Change(Act.CLEAR))

    def _with(self, one: Tag) -> None:
        self._without = False
        if one.may_be(Kind.ADD):
            self._removing = False
            if self._draft.empty and self._draft.act is Act.REMOVE:
                self._draft = _Draft()

    def _filler(self, place: int, word: str) -> None:
        after = self._tags[place + 1].kind if place + 1 < len(self._tags) else None
        if word == "no" and after is Kind.MODIFIER:
            self._without = True
        elif word == "no" and after in _NOUNS:
            self._close()
            self._draft.act = Act.REMOVE
        elif word == "no" and place == 0:
            # "No, two cokes": two of what was understood otherwise.
            self._draft.act = Act.CORRECT
        elif word == "off" and self._draft.added and not self._draft.named:
            self._draft.left_out.append(self._draft.added.pop())
        elif word == "instead" and self._draft.named:
            self._draft.act, self._draft.strong = Act.CORRECT, True
        elif word in self._language.wanting and self._draft.empty and self._draft.act is Act.REMOVE:
            self._draft, self._removing = _Draft(), False
        if word in self._language.wanting:
            self._removing = False
        self._definite = word in self._language.definite

    # What is ordered --------------------------------------------------------------------------------------------

    def _number(self, place: int, one: Tag) -> None:
        draft = self._draft
        after = self._after(place)
        pronoun = one.value == "1" and one.may_be(Kind.FILLER)
        if pronoun and not draft.named and (draft.size or draft.quantity is not None) and after not in _NOUNS:
            return  # "the large one"
        if draft.named or draft.modified or draft.size or draft.quantity is not None:
            self._close()
        self._stretch_meant = True
        number = int(one.value)
        if number:
            self._draft.quantity = min(number, MAX_QUANTITY + 1)

    def _item(self, place: int, item: str) -> None:
        draft = self._draft
        before = self._tags[place - 1].kind if place else None
        if draft.item and before is Kind.WITHOUT:
            self._close()
            self._draft.act = Act.REMOVE
        elif draft.item or (draft.category and self._menu.find_item(item).category != draft.category):
            self._close()
        draft = self._draft
        draft.modifiers_first = draft.modified and draft.quantity is None and not draft.size
        draft.definite = self._definite
        draft.item = item
        draft.unknown.clear()
        self._meant()

    def _category(self, category: str) -> None:
        draft = self._draft
        if draft.item and self._menu.find_item(draft.item).category == category:
            return
        if draft.named and draft.category != category:
            self._close()
        self._draft.definite = self._definite
        self._draft.category = category
        self._meant()

    def _size(self, place: int, size: str) -> None:
        draft = self._draft
        if draft.size or (draft.item and not self._size_follows and self._next_noun(place)):
            self._close()
        self._draft.size = size
        self._meant()

    def _modifier(self, place: int, modifier: str) -> None:
        if self._draft.named and self._leads_to_item(place):
            # "…, and extra cheese on the margherita": not of what was named last.
            without, more = self._without, self._more
            self._close()
            self._without, self._more = without, more
        draft = self._draft
        taken_away = draft.act is Act.REMOVE or (self._without is True and not self._more)
        (draft.left_out if taken_away else draft.added).append(modifier)
        if self._more and not taken_away:
            draft.more.append(modifier)
        self._more = False
        self._meant()

    def _unheard(self, place: int, word: str) -> None:
        draft = self._draft
        before = self._before(place)
        lacks_item = not draft.named and not draft.modified and (draft.quantity is not None or bool(draft.size))
        names_ingredient = before in {Kind.WITHOUT, Kind.MORE} or (before is Kind.WITH and draft.named)
        lacks_item = lacks_item or (before is Kind.CATEGORY and not draft.item)
        if lacks_item or names_ingredient or (before is Kind.UNKNOWN and draft.unknown):
            draft.unknown.append(word)
        else:
            self._loose.append(word)

    # Helpers ----------------------------------------------------------------------------------------------------

    def _after(self, place: int) -> Kind | None:
        """The next tag that says something."""
        return next((one.kind for one in self._tags[place + 1 :] if one.kind is not Kind.FILLER), None)

    def _leads_to_item(self, place: int) -> bool:
        """Whether an ingredient is followed by the thing it goes on: "olives off the margherita"."""
        links = False
        for one in self._tags[place + 1 :]:
            if one.kind in _NOUNS:
                return links
            if one.kind not in {Kind.MODIFIER, Kind.AND, Kind.MORE, Kind.WITH, Kind.WITHOUT, Kind.FILLER}:
                return False
            links = links or (one.kind is Kind.FILLER and one.value in _LINKS)
        return False

    def _before(self, place: int) -> Kind | None:
        """The tag before that says something."""
        return next((one.kind for one in self._tags[:place][::-1] if one.kind is not Kind.FILLER), None)

    def _next_noun(self, place: int) -> bool:
        return self._after(place) in _NOUNS

    def _meant(self) -> None:
        self._stretch_meant = True
        self._loose.clear()

    def _end_stretch(self) -> None:
        """At a stop or an "and": a stretch of nothing but unknown words was the name of something."""
        if self._loose and not self._stretch_meant:
            self._unknown.append(" ".join(self._loose))
        self._loose.clear()
        self._stretch_meant = False

    def _close(self) -> None:
        """The draft becomes a change, if it says enough."""
        draft, self._draft = self._draft, _Draft()
        self._without, self._more = None, False
        if self._removing:
            self._draft.act = Act.REMOVE
        if draft.unknown:
            self._unknown.append(" ".join(draft.unknown))
        change = self._named(draft) if draft.named else self._nameless(draft)
        if change is None:
            return
        if draft.swapped and draft.named and not (draft.size or draft.modified):
            self._held = replace(change, act=Act.REPLACED, strong=False)
            return
        held, self._held = self._held, None
        if held is not None and not change.item and not change.category:
            # "Change the margherita to large": it stays, and is another.
            changed = replace(change, act=Act.CORRECT, item=held.item, category=held.category, strong=True)
            self._changes.append(changed)
            return
        self._changes.append(change)
        if held is not None:
            self._changes.append(held)

    def _named(self, draft: _Draft) -> Change:
        pointed = draft.modifiers_first or (draft.definite and bool(draft.modified or draft.size))
        if draft.act is Act.ADD and pointed and draft.quantity is None:
            return draft.change(Act.ADJUST)
        return draft.change(draft.act)

    def _nameless(self, draft: _Draft) -> Change | None:
        if draft.unknown and not draft.modified:
            return None
        said = draft.modified or bool(draft.size)
        match draft.act:
            case Act.ADD if said:
                return draft.change(Act.ADJUST)
            case Act.ADD if draft.quantity is not None and self._changes:
                # "Cokes, two of them."
                before = self._changes[-1]
                if before.act is Act.ADD and before.quantity is None:
                    self._changes[-1] = replace(before, quantity=draft.quantity)
                return None
            case Act.CORRECT if said or draft.quantity is not None:
                return draft.change(Act.CORRECT)
            case Act.REMOVE if draft.modified or draft.last or draft.quantity is not None:
                return draft.change(Act.REMOVE)
            case _:
                return None
