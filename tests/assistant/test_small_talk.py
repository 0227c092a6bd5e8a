"""A few polite words are answered in the language in use; more than a few mean something else."""

from __future__ import annotations

import pytest

from mrblue_cli.assistant.brain import Exchange, KnowledgeBrain, Question, not_heard_line, offline_line
from mrblue_cli.assistant.small_talk import small_talk
from mrblue_cli.knowledge.base import load_base

BRAIN = KnowledgeBrain(load_base(), platform="linux")
SPANISH = {
    "hola": "Hola. ¿Qué error miramos?",
    "¡Buenos días!": "Hola. ¿Qué error miramos?",
    "muchas gracias": "Me alegro de que haya servido.",
    "genial, ya funciona": "Me alegro de que haya servido.",
    "Adiós": "Hasta luego.",
    "eso es todo": "Hasta luego.",
}


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("said", SPANISH)
def test_spanish_is_answered_in_spanish(said):
    assert small_talk(said) == SPANISH[said]


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("said", ["¿Quién eres?", "qué puedes hacer", "Ayúdame", "who are you"])
def test_blue_introduces_itself(said):
    assert small_talk(said).startswith("Soy Blue.")


@pytest.mark.parametrize("said", ["hello", "hola", "Hey!"])
def test_an_english_talk_answers_in_english(said):
    assert small_talk(said) == "Hello. Which error shall we look at?"


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("said", ["no funciona", "holanda", "gracias a esto el servidor de pruebas no arranca nunca"])
def test_what_is_no_small_talk(said):
    assert small_talk(said) is None


def ask(*said):
    """The last of these, after the others and their answers."""
    history = []
    for text in said:
        answer = BRAIN.try_answer(Question(text, tuple(history)))
        history += [Exchange("user", text), Exchange("assistant", answer or "")]
    return answer


@pytest.mark.usefixtures("spanish")
def test_follow_ups_in_spanish():
    first = ask("dirección ya en uso puerto 3000")
    assert first.startswith("Lo tengo: port already in use. ")
    assert ask("dirección ya en uso puerto 3000", "por qué").startswith("Las causas más comunes:")
    assert ask("dirección ya en uso puerto 3000", "no funciona").startswith("Otra forma. ")
    assert ask("dirección ya en uso puerto 3000", "otra vez") == first
    rest = ["otra forma"] * 9
    assert ask("dirección ya en uso puerto 3000", *rest).startswith("Es todo lo que sé de esto.")


@pytest.mark.usefixtures("spanish")
def test_the_honest_lines():
    assert offline_line().startswith("A eso no puedo responder sin conexión.")
    assert not_heard_line() == "Perdona, no te he entendido. ¿Puedes repetirlo?"
    assert ask("   ") == not_heard_line()
    assert ask("tengo un tiempo de espera agotado").startswith("Eso parece «timed out».")
