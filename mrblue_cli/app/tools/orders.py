"""The restaurant's tools: change the order, read it back, look into the menu, send it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from mrblue_cli.app.tools.order_desk import OrderDesk
from mrblue_cli.app.tools.post import POST_SECONDS, Poster
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.permissions import Right
from mrblue_cli.assistant.skills.orders.ask import answer_about
from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.skills.orders.order import MAX_QUANTITY, Act, Change
from mrblue_cli.assistant.skills.orders.parse import Parsed, parse
from mrblue_cli.assistant.tools import Answer, Tool
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell
from mrblue_cli.settings.places import place

_Words = Annotated[str, msgspec.Meta(max_length=200)]


class OrderedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is ordered."""

    item: Annotated[str, msgspec.Meta(description="The dish or drink, by its name on the menu.", max_length=200)]
    size: Annotated[_Words, msgspec.Meta(description="Only if the person said one.")] = ""
    modifiers: Annotated[
        tuple[_Words, ...],
        msgspec.Meta(description='For example "without olives", "extra cheese", "thin crust".', max_length=20),
    ] = ()
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)] = 1
    notes: Annotated[_Words, msgspec.Meta(description="A wish to the kitchen that is no modifier.")] = ""


class UpdateParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `update_order` takes: items, or the person's own words."""

    items: Annotated[tuple[OrderedItem, ...], msgspec.Meta(max_length=50)] = ()
    mode: Annotated[
        Literal["add", "replace", "remove"],
        msgspec.Meta(description="add to the order, replace the whole order by these items, or remove these items."),
    ] = "add"
    said: Annotated[
        str,
        msgspec.Meta(
            description="Instead of items: the person's words as they are, when you are not sure how to split them.",
            max_length=4000,
        ),
    ] = ""


class ReadMenuParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `read_menu` takes."""

    about: Annotated[
        str, msgspec.Meta(description="A dish, a kind of dish, or the person's question as it is.", max_length=1000)
    ] = ""


class NoParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to say."""


def order_tools(around: Surroundings) -> dict[str, Tool]:
    """The four tools, around one order."""
    if around.menu is None:
        raise ConfigError(
            tell("the profile {name} has tools for orders and no menu", name=around.profile.name),
            hint=tell("name one in its [context], or with --context FILE"),
        )
    menu, language, settings = around.menu, around.profile.language, around.settings.tools
    poster = None
    if settings.order_url:
        poster = Poster(settings.order_url, "[tools] order_url", allow_http=settings.allow_http)
    desk = OrderDesk(menu, language, around.floor, poster, place("data") / "orders.jsonl")

    async def update(given: UpdateParameters) -> Answer:
        parsed = await asyncio.to_thread(understood, given, menu, language)
        return desk.change(parsed.changes, parsed.unknown)

    async def read(_given: NoParameters) -> Answer:
        return desk.read()

    async def look(given: ReadMenuParameters) -> Answer:
        say = answer_about(menu, given.about, language)
        return Answer({"menu": menu.told(language)}, say)

    async def send(_given: NoParameters) -> Answer:
        return await desk.send()

    tools = (
        Tool("update_order", _UPDATE, UpdateParameters, update),
        Tool("read_order", _READ, NoParameters, read),
        Tool("read_menu", "What the menu says about a dish, a kind of dish, or prices.", ReadMenuParameters, look),
        Tool("send_order", _SEND, NoParameters, send, right=Right.TOOLS, seconds=POST_SECONDS),
    )
    return {tool.name: tool for tool in tools}


_UPDATE = (
    "Add to, replace or remove from the order whenever the person asks for it. Names are checked against the menu; say "
    "what the answer says, above all its questions."
)
_READ = "Read the whole order back to the person. Call it when they are done, and again after every change."
_SEND = "Send the order. Only after read_order, and only when the person has agreed to what they heard."


def understood(given: UpdateParameters, menu: Menu, language: str) -> Parsed:
    """What a model asks for, in the menu's own terms: its names are checked as a person's would be."""
    if given.said and not given.items:
        return parse(given.said, menu, language)
    changes: list[Change] = [Change(Act.CLEAR)] if given.mode == "replace" else []
    unknown: list[str] = []
    for item in given.items:
        found = parse(item.item, menu, language)
        named = next((change for change in found.changes if change.item or change.category), None)
        if named is None:
            unknown.append(item.item)
            continue
        details = parse(f"{item.size}, {', '.join(item.modifiers)}", menu, language)
        size = next((change.size for change in details.changes if change.size), named.size)
        removing = given.mode == "remove"
        changes.append(
            replace(
                named,
                act=Act.REMOVE if removing else Act.ADD,
                size=size,
                quantity=None if removing and item.quantity == 1 else item.quantity,
                added=_all(named.added, *(change.added for change in details.changes)),
                more=_all(named.more, *(change.more for change in details.changes)),
                left_out=_all(named.left_out, *(change.left_out for change in details.changes)),
                notes=item.notes.strip(),
            )
        )
        unknown += found.unknown
        unknown += details.unknown
        if item.size and not size and not details.unknown:
            unknown.append(item.size)
    return Parsed(tuple(changes), tuple(dict.fromkeys(unknown)))


def _all(*parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))
