"""An order is sent as it was heard and agreed to, once, and is not lost."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.app.tools.floor import Floor
from mrblue_cli.app.tools.order_desk import OrderDesk, append_line
from mrblue_cli.app.tools.orders import OrderedItem, UpdateParameters, understood
from mrblue_cli.app.tools.post import Poster
from mrblue_cli.assistant.skills.orders.parse import parse
from mrblue_cli.core.errors import ComponentError, ConnectError, UsageError
from mrblue_cli.voice import events as ev
from tests.app.tools.stand_in import OK, StandIn
from tests.assistant.skills.orders.menus import TRATTORIA


async def no_wait(_seconds):
    return None


class Table:
    """A desk, and a person who speaks to it."""

    def __init__(self, tmp_path, url="", language="en"):
        self.floor = Floor()
        poster = Poster(url, "order_url", sleep=no_wait, try_seconds=1.0) if url else None
        self.file = tmp_path / "deep" / "orders.jsonl"
        self.desk = OrderDesk(TRATTORIA, language, self.floor, poster, self.file)
        self.language = language
        self._count = 0

    def says(self, text):
        self._count += 1
        self.floor.see(ev.UserTranscript(str(self._count), text, True))

    def orders(self, text):
        self.says(text)
        parsed = parse(text, TRATTORIA, self.language)
        return self.desk.change(parsed.changes, parsed.unknown).say

    @property
    def written(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    async def refused(self):
        with pytest.raises(UsageError) as caught:
            await self.desk.send()
        return caught.value.what


async def test_what_was_read_back_and_agreed_to_is_written(tmp_path):
    table = Table(tmp_path)
    assert table.orders("two large margheritas, one without olives") == (
        "So far: one large margherita; and one large margherita without olives. Anything else?"
    )
    table.says("that's all")
    assert table.desk.read().say.endswith("It comes to 24 dollars. Is that right?")
    table.says("yes")
    answer = await table.desk.send()
    assert answer.say.startswith("Your order is placed: one large margherita")
    (order,) = table.written
    assert order["total"] == "24.00"
    assert [line["modifiers"] for line in order["lines"]] == [[], ["-olives"]]
    assert order["order_id"] == answer.facts["order_id"]
    assert table.desk.lines == ()


async def test_nothing_is_sent_that_was_not_read_back_or_agreed_to(tmp_path):
    table = Table(tmp_path)
    assert await table.refused() == "Nothing is ordered yet."
    table.orders("a coke")
    assert await table.refused() == "Which size for the coke: small, medium or large?"
    with pytest.raises(UsageError):
        table.desk.read()
    table.orders("large")
    assert "not been read back" in await table.refused()
    table.desk.read()
    assert "has not answered" in await table.refused()
    table.says("no, small")
    assert await table.refused() == "the person did not agree"
    table.orders("make it small")
    table.says("yes")
    assert "not been read back" in await table.refused()
    table.desk.read()
    assert "has not answered" in await table.refused()
    table.says("yes")
    await table.desk.send()
    assert len(table.written) == 1
    assert await table.refused() == "Nothing is ordered yet."


async def test_a_retry_after_trouble_never_orders_twice(tmp_path):
    async with StandIn((500, {}, {}), (500, {}, {}), OK) as kitchen:
        table = Table(tmp_path, kitchen.url)
        table.orders("a tiramisu")
        table.desk.read()
        table.says("yes")
        answer = await table.desk.send()
    assert answer.facts["tries"] == 3
    assert len(kitchen.done) == 1
    assert not table.file.exists()


async def test_an_order_that_did_not_arrive_stays_and_keeps_its_key(tmp_path):
    async with StandIn((500, {}, {})) as kitchen:
        table = Table(tmp_path, kitchen.url)
        table.orders("a tiramisu")
        table.desk.read()
        table.says("yes")
        for _ in range(2):
            with pytest.raises(ConnectError):
                await table.desk.send()
    assert len(kitchen.asked) == 6
    assert len(kitchen.done) == 1
    assert len(table.desk.lines) == 1


async def test_another_order_has_another_key(tmp_path):
    async with StandIn() as kitchen:
        table = Table(tmp_path, kitchen.url)
        for _ in range(2):
            table.orders("a tiramisu")
            table.desk.read()
            table.says("yes")
            await table.desk.send()
    assert len(kitchen.done) == 2


def test_what_is_not_understood_is_asked_and_never_guessed(tmp_path):
    table = Table(tmp_path)
    assert table.orders("two hawaiians") == "I do not find hawaiians on the menu."
    assert table.orders("two pizzas") == (
        "So far: two pizzas. Which pizza would you like: margherita, pepperoni pizza or vegetable pizza?"
    )
    assert table.orders("pepperoni") == (
        "So far: two pepperoni pizzas. Which size for the pepperoni pizzas: small, medium or large?"
    )
    assert table.orders("large") == "So far: two large pepperoni pizzas. Anything else?"
    assert table.orders("mumble") == "I do not find mumble on the menu."
    assert table.orders("please") == "I did not understand what to order. Could you name it as it stands on the menu?"
    assert table.orders("cancel everything") == "The order is empty now."


def test_in_spanish(tmp_path):
    table = Table(tmp_path, language="es")
    said = table.orders("dos margaritas grandes sin aceitunas y un agua")
    assert "dos pizzas margarita tamaño grande sin aceitunas; y un agua" in said


def item(name, **more):
    return OrderedItem(item=name, **more)


@pytest.mark.parametrize(
    ("given", "changes", "unknown"),
    [
        (
            UpdateParameters(items=(item("Margherita", size="large", quantity=2),)),
            [("add", "margherita", "large", 2)],
            (),
        ),
        (UpdateParameters(items=(item("margarita pizza", size="L"),)), [("add", "margherita", "", 1)], ("l",)),
        (UpdateParameters(items=(item("marguerita"),)), [("add", "margherita", "", 1)], ()),
        (UpdateParameters(items=(item("large coke"),)), [("add", "coke", "large", 1)], ()),
        (UpdateParameters(items=(item("sushi"),)), [], ("sushi",)),
        (UpdateParameters(items=(item("coke"),), mode="remove"), [("remove", "coke", "", None)], ()),
        (UpdateParameters(items=(item("coke", quantity=2),), mode="remove"), [("remove", "coke", "", 2)], ()),
        (
            UpdateParameters(items=(item("coke"),), mode="replace"),
            [("clear", "", "", None), ("add", "coke", "", 1)],
            (),
        ),
        (UpdateParameters(said="two large cokes"), [("add", "coke", "large", 2)], ()),
    ],
)
def test_a_models_arguments_are_checked_against_the_menu(given, changes, unknown):
    parsed = understood(given, TRATTORIA, "en")
    assert [(str(one.act), one.item, one.size, one.quantity) for one in parsed.changes] == changes
    assert [words.lower() for words in parsed.unknown] == list(unknown)


def test_a_models_modifiers_are_understood_in_words():
    given = UpdateParameters(
        items=(item("margherita", size="large", modifiers=("no olives", "extra cheese", "gluten free"), notes=" hot "),)
    )
    parsed = understood(given, TRATTORIA, "en")
    (change,) = parsed.changes
    assert (change.left_out, change.added, change.more, change.notes) == (("olives",), ("cheese",), ("cheese",), "hot")
    assert parsed.unknown == ("gluten free",)


def test_a_line_that_a_crash_cut_off_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "orders.jsonl"
    path.write_text('{"order_id": "1"}\n{"order_')
    append_line(path, {"order_id": "2"})
    assert path.read_text().splitlines() == ['{"order_id": "1"}', '{"order_', '{"order_id": "2"}']


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ComponentError) as caught:
        append_line(tmp_path / "file" / "orders.jsonl", {})
    assert "cannot be written" in caught.value.what
    assert "order_url" in caught.value.hint
