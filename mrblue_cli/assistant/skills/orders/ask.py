"""Questions about the menu, answered from it. Pure."""

from __future__ import annotations

from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.skills.orders.say import item_in_words
from mrblue_cli.assistant.skills.orders.tags import Kind, tag
from mrblue_cli.core.texts import tell

_AT_MOST = 4
"""More dishes than this are named without their prices."""


def answer_about(menu: Menu, question: str, language: str) -> str:
    """What the menu says about the dishes, kinds or ingredients that a question names; else what there is at all."""
    tags = tag(question, menu, language)
    items = [menu.find_item(one.value) for one in tags if one.kind is Kind.ITEM]
    if not items:
        kinds = {one.value for one in tags if one.kind is Kind.CATEGORY}
        inside = {one.value for one in tags if one.kind is Kind.MODIFIER}
        items = [item for item in menu.item if item.category in kinds] or [
            item for item in menu.item if inside & {*item.contains, *item.modifiers}
        ]
    items = list({item.id: item for item in items}.values())
    if not items:
        names = ", ".join(item.called(language) for item in menu.item)
        return tell("We have {names}.", names=names)
    if len(items) <= _AT_MOST:
        return ". ".join(item_in_words(menu, item, language) for item in items) + "."
    return tell("We have {names}.", names=", ".join(item.called(language) for item in items))
