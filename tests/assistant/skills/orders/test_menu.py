"""Menus are checked before anybody orders from them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mrblue_cli.assistant.skills.orders.ask import answer_about
from mrblue_cli.assistant.skills.orders.menu import parse_menu, plural
from mrblue_cli.core.errors import ConfigError
from tests.assistant.skills.orders.menus import TRATTORIA

SMALL = '[[item]]\nid = "soup"\nname = { en = "soup" }\nprice = "4.00"\n'


def test_the_sample_is_bilingual_and_whole():
    for item in TRATTORIA.item:
        assert set(item.name) == {"en", "es"}
        assert item.sizes or item.price > 0
    for part in (*TRATTORIA.modifier, *TRATTORIA.size, *TRATTORIA.category):
        assert set(part.name) == {"en", "es"}


def test_a_small_menu_needs_little():
    menu = parse_menu(SMALL, "soup.toml")
    assert menu.find_item("soup").price == Decimal("4.00")
    assert menu.money(Decimal("4.50"), "en") == "4.50"
    assert menu.told("en") == "Menu. Use these names exactly:\n- soup; 4"


def test_names_fall_back_to_another_language_and_to_the_id():
    menu = parse_menu('[[item]]\nid = "house-wine"\nprice = "3"\n' + SMALL, "m.toml")
    assert menu.find_item("house-wine").called("es") == "house wine"
    assert menu.find_item("soup").called("es") == "soup"
    assert menu.find_item("soup").called("es", 2) == "soups"


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("[[item]\n", "m.toml: not valid TOML", "docs/profiles.md"),
        ("", "m.toml: Object missing required field `item`", "docs/profiles.md"),
        ('[[item]]\nid = "a"\nprize = "1"\n', "m.toml, line 3: there is no key 'prize'", "did you mean 'price'?"),
        ('[[item]]\nid = "a"\nprice = "lots"\n', "m.toml: Invalid decimal", "docs/profiles.md"),
        ('[[item]]\nid = "a"\nprice = "-1"\n', "m.toml: item 'a': a price is a number from 0 up", ""),
        ('[[item]]\nid = "a"\nprice = "NaN"\n', "m.toml: item 'a': a price is a number from 0 up", ""),
        ('[[item]]\nid = "a"\n[[item]]\nid = "a"\n', "m.toml: item 'a' is there twice", ""),
        ('[[item]]\nid = "a"\nsizes = { big = "1" }\n', "item 'a' names size 'big', which is not defined", ""),
        (
            '[[size]]\nid = "large"\n[[item]]\nid = "a"\nsizes = { lage = "1" }\n',
            "item 'a' names size 'lage', which is not defined; did you mean 'large'?",
            "",
        ),
        ('[[item]]\nid = "a"\nmodifiers = ["nuts"]\n', "item 'a' names modifier 'nuts', which is not defined", ""),
        ('[[item]]\nid = "a"\ncategory = "x"\n', "item 'a' names category 'x', which is not defined", ""),
        ('[[item]]\nid = "a"\n[[modifier]]\nid = "m"\nprice = "-2"\n', "modifier 'm': a price is a number", ""),
        ("item = []\n", "a menu has 1 to 2000 items", ""),
    ],
)
def test_faults_name_the_place(text, what, hint):
    with pytest.raises(ConfigError) as caught:
        parse_menu(text, "m.toml")
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "soup", "soups"), ("en", "dish", "dishes"), ("en", "cherry", "cherries"), ("en", "toy", "toys"),
        ("es", "cola", "colas"), ("es", "limón", "limónes"), ("es", "pan de ajo", "panes de ajo"),
        ("es", "anís", "anís"),
    ],
)  # fmt: skip
def test_usual_plurals(language, one, many):
    assert plural(one, language) == many


@pytest.mark.parametrize(
    ("question", "language", "answer"),
    [
        ("how much is a large margherita?", "en", "margherita: small 7.50 dollars, medium 9.50 dollars and large 12"),
        ("what drinks do you have?", "en", "coke"),
        ("what pizzas do you have", "en", "margherita: small"),
        ("do you have anything with anchovies", "en", "margherita"),
        ("what do you have?", "en", "We have margherita, pepperoni pizza, vegetable pizza"),
        ("¿cuánto cuesta la lasaña?", "es", "lasaña: 11,50 dólares"),
        ("¿qué ensaladas tienen?", "es", "ensalada César"),
    ],
)
def test_questions_are_answered_from_the_menu(question, language, answer):
    assert answer in answer_about(TRATTORIA, question, language)


def test_a_model_is_told_names_prices_and_what_may_be_changed():
    told = TRATTORIA.told("es").splitlines()
    assert told[0].startswith("Menu of Trattoria Azul")
    line = next(line for line in told if "margarita" in line)
    assert "sizes: small 7,50 dólares" in line
    assert "with queso, albahaca, aceitunas" in line
    assert "champiñones (+1,50 dólares)" in line
