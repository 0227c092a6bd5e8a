"""Two hundred spoken orders with what they mean, and rules that hold for any words at all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.skills.orders.order import (
    MAX_QUANTITY,
    Act,
    Change,
    Line,
    change_order,
    open_line,
    price_of,
    total_of,
)
from mrblue_cli.assistant.skills.orders.parse import parse
from mrblue_cli.assistant.skills.orders.tags import Kind, stem, tag
from mrblue_cli.assistant.skills.orders.words import LANGUAGES
from tests.assistant.skills.orders.menus import TRATTORIA

DATA = Path(__file__).parent.parent.parent.parent / "data" / "orders"
PHRASES = [
    (code, *(part.strip() for part in line.split("=>")))
    for code in ("en", "es")
    for line in (DATA / f"{code}.txt").read_text().splitlines()
]


def written(lines, unknown=(), refusals=()):
    """An order in the notation of the data files."""
    parts = []
    for line in lines:
        size = [line.size] if line.size else []
        added, left_out = (f"+{one}" for one in line.added), (f"-{one}" for one in line.left_out)
        parts.append(" ".join([str(line.quantity), *size, line.item or f"?{line.category}", *added, *left_out]))
    text = "; ".join(parts)
    text += "".join(f" | unknown {words}" for words in unknown)
    return (text + "".join(f" | {one.why} {one.item} {one.detail}".rstrip() for one in refusals)).strip()


def ordered(text, code="en", before=()):
    parsed = parse(text, TRATTORIA, code)
    applied = change_order(TRATTORIA, before, parsed.changes, len(before) - 1 if before else None)
    return written(applied.lines, parsed.unknown, applied.refusals)


def test_there_are_about_a_hundred_phrases_in_each_language():
    assert all(sum(code == one for one, *_ in PHRASES) >= 80 for code in LANGUAGES)


@pytest.mark.parametrize(("code", "said", "meant"), PHRASES)
def test_phrase(code, said, meant):
    assert ordered(said, code) == meant


TWO_COKES = (Line("margherita", "large"), Line("coke", "small", 2))


@pytest.mark.parametrize(
    ("code", "said", "meant"),
    [
        ("en", "make that three", "1 large margherita; 3 small coke"),
        ("en", "actually, three cokes", "1 large margherita; 3 small coke"),
        ("en", "no, three cokes", "1 large margherita; 3 small coke"),
        ("en", "the cokes large please", "1 large margherita; 2 large coke"),
        ("en", "make the cokes large", "1 large margherita; 2 large coke"),
        ("en", "one of them without ice", "1 large margherita; 1 small coke; 1 small coke -ice"),
        ("en", "and a coffee", "1 large margherita; 2 small coke; 1 coffee"),
        ("en", "another small coke", "1 large margherita; 3 small coke"),
        ("en", "cancel the cokes", "1 large margherita"),
        ("en", "cancel one coke", "1 large margherita; 1 small coke"),
        ("en", "I don't want the margherita any more", "2 small coke"),
        ("en", "the margherita without olives please", "1 large margherita -olives; 2 small coke"),
        ("en", "add mushrooms to the margherita", "1 large margherita +mushrooms; 2 small coke"),
        ("en", "change the cokes to lemonades", "1 large margherita; 2 small lemonade"),
        ("en", "a pepperoni instead of the margherita", "2 small coke; 1 large pepperoni"),
        ("en", "cancel everything", ""),
        ("en", "cancel the tiramisu", "1 large margherita; 2 small coke | not_there tiramisu"),
        ("es", "mejor tres", "1 large margherita; 3 small coke"),
        ("es", "no, tres colas", "1 large margherita; 3 small coke"),
        ("es", "una sin hielo", "1 large margherita; 1 small coke; 1 small coke -ice"),
        ("es", "quita las colas", "1 large margherita"),
        ("es", "quita una cola", "1 large margherita; 1 small coke"),
        ("es", "la margarita sin aceitunas", "1 large margherita -olives; 2 small coke"),
        ("es", "cambia las colas por limonadas", "1 large margherita; 2 small lemonade"),
        ("es", "y un café", "1 large margherita; 2 small coke; 1 coffee"),
        ("es", "cancela todo el pedido", ""),
    ],
)
def test_what_is_said_about_an_order_that_stands(code, said, meant):
    assert ordered(said, code, TWO_COKES) == meant


def test_an_answer_to_a_question_finds_the_line_that_waits():
    waiting = (Line("margherita", "", 2), Line("coke"))
    assert ordered("large", before=waiting) == "2 large margherita; 1 coke"
    assert ordered("the pepperoni", before=(Line("", "large", 2, category="pizza"),)) == "2 large pepperoni"
    assert ordered("a large pepperoni", before=(Line("", category="pizza"),)) == "1 large pepperoni"
    assert ordered("grandes", "es", waiting) == "2 large margherita; 1 coke"
    # What was wished for before the item was known is kept where the item can have it.
    kept = (Line("", "large", 2, left_out=("onion",), category="pizza"),)
    assert ordered("vegetable", before=kept) == "2 large vegetable -onion"


def test_a_size_that_an_item_does_not_come_in_is_refused_and_left_open():
    menu_item = change_order(TRATTORIA, (), [Change(Act.ADD, "tiramisu", size="large", quantity=1)])
    assert written(menu_item.lines) == "1 tiramisu"
    assert open_line(TRATTORIA, menu_item.lines) is None
    assert open_line(TRATTORIA, (Line("water"), Line("coke"))) == 1


def test_prices_add_up():
    line = Line("margherita", "large", 2, added=("mushrooms", "thick-crust"))
    assert price_of(TRATTORIA, line) == Decimal("29.00")
    assert total_of(TRATTORIA, (line, Line("water", "", 3), Line("", category="pizza"))) == Decimal("33.50")


def test_numbers_are_bounded_and_lines_too():
    applied = change_order(TRATTORIA, (), [Change(Act.ADD, "water", quantity=MAX_QUANTITY + 1)])
    assert (applied.lines, applied.refusals[0].why) == ((), "too_many")
    sizes = ["small", "medium", "large"]
    many = [Change(Act.ADD, "coke", size=sizes[n % 3], quantity=1, notes=f"note {n}") for n in range(120)]
    applied = change_order(TRATTORIA, (), many)
    assert len(applied.lines) == 100
    assert {refusal.why for refusal in applied.refusals} == {"too_many"}


@pytest.mark.parametrize(
    ("one", "many"),
    [("coke", "cokes"), ("pizza", "pizzas"), ("fry", "fries"), ("limon", "limones"), ("salad", "salads")],
)
def test_plurals_compare_equal(one, many):
    assert stem(one) == stem(many)


def test_tags_say_what_words_are():
    kinds = [str(one.kind) for one in tag("two large margheritas, no wait, without onions", TRATTORIA, "en")]
    assert kinds == ["number", "size", "item", "break", "correct", "break", "without", "modifier"]
    (only,) = tag("twenty five", TRATTORIA, "en")
    assert (only.kind, only.value) == (Kind.NUMBER, "25")


def test_a_misheard_name_is_taken_only_when_it_can_mean_nothing_else():
    assert ordered("a large peperonni pizza") == "1 large pepperoni"
    assert "unknown" in ordered("a large papaya")
    assert "unknown" in ordered("a large cake")  # not a coke


VOCABULARY = st.sampled_from(
    sorted(
        {word for item in TRATTORIA.item for name in item.spoken("en") for word in name.split()}
        | {word for item in TRATTORIA.item for name in item.spoken("es") for word in name.split()}
        | set(LANGUAGES["en"].numbers)
        | set(LANGUAGES["es"].numbers)
        | {
            "with",
            "without",
            "no",
            "and",
            "make",
            "that",
            "cancel",
            "the",
            "large",
            "small",
            "olives",
            ",",
            ".",
            "wait",
        }
        | {"both", "one", "instead", "of", "sin", "con", "y", "mejor", "quita", "las", "dos", "cambia", "por", "extra"}
    )
)
UTTERANCES = st.lists(VOCABULARY, max_size=24).map(" ".join) | st.text(max_size=120)


@given(st.lists(UTTERANCES, max_size=4), st.sampled_from(["en", "es", "xx"]))
def test_whatever_is_said_the_order_stays_in_order(said, code):
    lines, last = (), None
    for text in said:
        parsed = parse(text, TRATTORIA, code)
        applied = change_order(TRATTORIA, lines, parsed.changes, last)
        lines, last = applied.lines, applied.last
        assert all(1 <= line.quantity <= MAX_QUANTITY for line in lines)
        assert last is None or 0 <= last < len(lines)
        for line in lines:
            if line.item:
                item = TRATTORIA.find_item(line.item)
                assert not line.size or line.size in item.sizes
                assert set(line.added) <= set(item.modifiers)
                assert set(line.left_out) <= set(item.contains)
                assert not set(line.added) & set(line.left_out)
                groups = [group for name in line.added if (group := TRATTORIA.find_modifier(name).group)]
                assert len(groups) == len(set(groups))
        assert len({line.same for line in lines if line.item}) == sum(bool(line.item) for line in lines)
        assert total_of(TRATTORIA, lines) >= 0


@given(UTTERANCES)
def test_the_same_words_mean_the_same_twice(text):
    assert parse(text, TRATTORIA, "en") == parse(text, TRATTORIA, "en")


@given(
    st.integers(1, MAX_QUANTITY),
    st.sampled_from(["small", "medium", "large"]),
    st.sampled_from(["margherita", "coke", "lemonade", "diet-coke"]),
)
def test_a_plain_order_is_understood_whatever_the_number(quantity, size, item):
    name = TRATTORIA.find_item(item).called("en", quantity)
    assert ordered(f"{quantity} {size} {name} please") == f"{quantity} {size} {item}"
    spanish = TRATTORIA.find_item(item).called("es", quantity)
    size_word = TRATTORIA.size_name(size, "es")
    assert ordered(f"{quantity} {spanish} {size_word} por favor", "es") == f"{quantity} {size} {item}"
