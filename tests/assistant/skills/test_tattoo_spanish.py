"""Keywords are English for the service and Spanish for the ear."""

from __future__ import annotations

import pytest

from mrblue_cli.assistant.skills.tattoo import keywords_of, noted_words
from mrblue_cli.assistant.skills.tattoo_spanish import _SIDES, _WORDS, keyword_said
from mrblue_cli.assistant.skills.tattoo_words import COLOURS, PALETTES, SIDES, STYLES, TECHNIQUES, ZONES

SAME_WORD = {"tribal", "chicano", "anime", "trash polka", "ornamental"}


@pytest.mark.parametrize("table", [STYLES, TECHNIQUES, ZONES, PALETTES, COLOURS])
def test_each_keyword_has_its_spanish_word(table):
    assert set(table) - set(_WORDS) - SAME_WORD == set()
    assert set(SIDES) == set(_SIDES)


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("watercolor", "acuarela"),
        ("black and grey, red", "negro y gris, rojo"),
        ("left forearm", "antebrazo izquierdo"),
        ("right calf", "pantorrilla derecha"),
        ("left ribs", "costillas izquierdas"),
        ("inner upper arm", "bíceps interior"),
        ("somewhere else", "somewhere else"),
        ("left somewhere", "left somewhere"),
    ],
)
def test_it_is_said_in_spanish(keyword, said):
    assert keyword_said(keyword) == said


def test_in_english_it_stays():
    assert keyword_said("left forearm, watercolor") == "left forearm, watercolor"


@pytest.mark.usefixtures("spanish")
def test_the_subject_is_the_persons_own_word():
    keywords = keywords_of("quiero un lobo en acuarela en el antebrazo izquierdo")
    assert keywords == {"subject": "lobo", "style": "watercolor", "body_zone": "left forearm"}
    assert set(noted_words(keywords).split(", ")) == {"lobo", "acuarela", "antebrazo izquierdo"}
    assert noted_words({"subject": "face"}) == "face"
