"""An order read aloud, and short answers understood."""

from __future__ import annotations

import pytest

from mrblue_cli.assistant.skills.orders.agree import begins, means, means_no
from mrblue_cli.assistant.skills.orders.order import Line, Refusal
from mrblue_cli.assistant.skills.orders.say import (
    line_in_words,
    lines_in_words,
    number,
    question_in_words,
    refusal_in_words,
    total_in_words,
)
from tests.assistant.skills.orders.menus import TRATTORIA


@pytest.mark.parametrize(
    ("line", "english", "spanish"),
    [
        (Line("coke", "small", 2), "two small cokes", "dos colas tamaño pequeño"),
        (Line("water"), "one water", "un agua"),
        (Line("coffee"), "one coffee", "un café"),
        (Line("lasagna", "", 13), "13 lasagnas", "13 lasañas"),
        (
            Line("margherita", "large", 2, ("mushrooms", "cheese"), ("olives",)),
            "two large margheritas without olives, with mushrooms and extra cheese",
            "dos pizzas margarita tamaño grande sin aceitunas, con champiñones y extra de queso",
        ),
        (Line("", "large", 2, category="pizza"), "two large pizzas", "dos pizzas tamaño grande"),
        (Line("water", notes="no glass"), "one water (no glass)", "un agua (no glass)"),
    ],
)
def test_a_line(line, english, spanish):
    assert line_in_words(TRATTORIA, line, "en") == english
    assert line_in_words(TRATTORIA, line, "es") == spanish


def test_lists_and_totals():
    plain = (Line("water", "", 2), Line("coffee"), Line("tiramisu"))
    assert lines_in_words(TRATTORIA, plain, "en") == "two waters, one coffee and one tiramisu"
    assert lines_in_words(TRATTORIA, plain, "es") == "dos aguas, un café y un tiramisú"
    assert total_in_words(TRATTORIA, plain, "en") == "10.50 dollars"
    assert total_in_words(TRATTORIA, plain, "es") == "10,50 dólares"
    busy = (Line("margherita", "large", 1, left_out=("olives",)), Line("water"))
    assert lines_in_words(TRATTORIA, busy, "en") == "one large margherita without olives; and one water"


def test_numbers_follow_the_gender_of_what_is_counted():
    assert (number(1, "es", "cola"), number(1, "es", "agua"), number(1, "es", "café")) == ("una", "un", "un")
    assert (number(12, "en"), number(13, "en"), number(1, "fr")) == ("twelve", "13", "one")


def test_questions_name_what_there_is():
    ask = question_in_words(TRATTORIA, (Line("coke", "", 2),), "en")
    assert ask == "Which size for the cokes: small, medium or large?"
    ask = question_in_words(TRATTORIA, (Line("", category="salad"),), "en")
    assert ask == "Which salad would you like: Caesar salad or green salad?"
    assert question_in_words(TRATTORIA, (Line("water"), Line("coke", "small")), "en") == ""


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refusal("no_such_size", "coke", "large"), "coke does not come in large, only in small, medium or large."),
        (Refusal("not_possible", "water", "olives"), "I can't do that with water: olives."),
        (Refusal("not_there", "tiramisu"), "There is no tiramisu in your order."),
        (Refusal("too_many"), "That is more than I can take in one order."),
        (Refusal("nothing_to_change"), "I am not sure what to change."),
    ],
)
def test_refusals_say_why(refusal, said):
    assert refusal_in_words(TRATTORIA, refusal, "en") == said


@pytest.mark.parametrize(
    "text", ["yes", "Yes, please!", "yeah that's right", "okay", "sí", "claro que sí", "vale, gracias"]
)
def test_yes(text):
    assert means(text, "yes", "en")
    assert not means_no(text, "en")


@pytest.mark.parametrize("text", ["no", "No.", "no, the pizza was large", "nope", "wrong", "no, así no", "not yet"])
def test_no(text):
    assert means_no(text, "en")


@pytest.mark.parametrize(
    "text", ["that's all", "no, that's all thanks", "That is it", "nothing else", "eso es todo", "nada más, gracias"]
)
def test_done(text):
    assert means(text, "done", "en")
    assert not means_no(text, "en")


@pytest.mark.parametrize("text", ["", "yes a coke", "a coffee", "yes " * 13, "the yes album"])
def test_what_is_none_of_these(text):
    assert not means(text, "yes", "en")
    assert not means(text, "done", "es")


def test_questions_begin_like_questions():
    assert begins("how much is the coke", "ask", "en")
    assert begins("¿Cuánto cuesta?", "ask", "es")
    assert not begins("a coke", "ask", "en")
