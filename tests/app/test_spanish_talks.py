"""Whole talks in Spanish, by text and in virtual time: each profile with no model, no key and no sound."""

from __future__ import annotations

import pytest

from mrblue_cli.voice import events as ev
from tests.app.test_profile_talks import Held, orders

pytestmark = pytest.mark.usefixtures("spanish")


def held(*texts, **more):
    return Held(*texts, language="es", **more)


def test_an_error_is_told_and_answered_in_spanish():
    talk = held("dirección ya en uso puerto 3000", "por qué", "gracias")
    found, why, bye = talk.answers
    assert found.startswith("Lo tengo: port already in use.")
    assert "Primero, " in found
    assert why.startswith("Las causas más comunes:")
    assert bye == "Me alegro de que haya servido."
    hits = [event.hit.entry.id for event in talk.events if isinstance(event, ev.KbHit)]
    assert hits[0] == "node/port-in-use"


def test_what_nobody_knows_is_said_so():
    (answer,) = held("cuéntame un cuento").answers
    assert answer.startswith("A eso no puedo responder sin conexión. Lo mío son los errores.")


def test_an_order_from_the_first_word_to_the_kitchen():
    talk = held(
        "dos margaritas grandes, una sin aceitunas, y tres colas pequeñas",
        "no, eso es todo",
        "sí, por favor",
        profile="restaurant",
    )
    first, read, sent = talk.answers
    assert first.startswith("Por ahora: ")
    assert first.endswith("¿Algo más?")
    assert read.startswith("Entonces: ")
    assert read.endswith("¿Es correcto?")
    assert sent.startswith("Pedido enviado: ")
    assert talk.tools == [("update_order", "done"), ("read_order", "done"), ("send_order", "done")]
    assert orders()[0]["language"] == "es"


def test_a_tattoo_is_noted_in_spanish():
    talk = held("hola", "un lobo", "en acuarela, en el antebrazo izquierdo", profile="tattoo")
    hello, first, whole = talk.answers
    assert hello == "Hola. ¿Qué debe mostrar tu tatuaje?"
    assert first.startswith("He anotado: lobo.")
    for word in ("lobo", "acuarela", "antebrazo izquierdo"):
        assert word in whole
    assert talk.tools == [("extract_keywords", "done")] * 2
