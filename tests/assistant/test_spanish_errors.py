"""Errors said in Spanish are found in a knowledge base that is English; nothing else of a text changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.brain import KnowledgeBrain
from mrblue_cli.assistant.reasoning import Reasoner
from mrblue_cli.assistant.spanish_errors import _PHRASES, MAX_CHARS, in_english
from mrblue_cli.core import texts
from mrblue_cli.knowledge.base import load_base

BASE = load_base()
BRAIN = KnowledgeBrain(BASE, platform="linux")
SAID = {
    "dirección ya en uso puerto 3000": "node/port-in-use",
    "el puerto 8080 ya está en uso": "node/port-in-use",
    "La direccion ya esta siendo usada, en el puerto tres mil": "node/port-in-use",
    "permiso denegado al instalar con npm": "npm/eacces-permission-denied",
    "permiso denegado en docker": "docker/socket-permission-denied",
    "no se encuentra el módulo express": "node/cannot-find-module",
    "ningún módulo llamado requests": "python/module-not-found",
    "no queda espacio en el disco": "linux/no-space-left",
    "conexión rechazada a postgres": "postgres/connection-refused",
    "comando no encontrado: npm": "npm/npm-not-found",
    "no es un repositorio de git": "git/not-a-repository",
    "conflicto de fusión en git": "git/merge-conflict",
    "la tabla usuarios no existe": "postgres/relation-does-not-exist",
    "no se pudo resolver el host github.com": "dns-network/could-not-resolve-host",
    "la base de datos está bloqueada sqlite": "sqlite/database-locked",
}


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("said", SAID)
def test_what_is_said_in_spanish_is_found(said):
    result = BRAIN.search(said)
    assert result.confident, in_english(said)
    assert result.hits[0].entry.id == SAID[said]


@pytest.mark.parametrize("said", SAID)
def test_in_an_english_talk_nothing_changes(said):
    assert in_english(said) == said


@pytest.mark.usefixtures("spanish")
def test_each_phrase_of_the_table_is_put_over_in_each_of_its_forms():
    for line in _PHRASES.strip().splitlines():
        spanish, english = (side.strip() for side in line.split("|"))
        words = [{"#": "3000", "@": "nombre"}.get(word, word).split("/") for word in spanish.split()]
        for form in range(max(map(len, words))):
            said = " ".join(word[min(form, len(word) - 1)] for word in words)
            told = in_english(said)
            assert told != said, said
            assert told == english.replace("#", "3000").replace("@", "nombre")


@pytest.mark.usefixtures("spanish")
def test_names_and_numbers_go_along():
    assert in_english("el puerto 5432 está ocupado") == "port 5432 is already in use"
    assert in_english("no se encuentra el módulo @scope/Mi-Paquete") == "cannot find module @scope/Mi-Paquete"
    assert in_english("No se pudo resolver el servidor API.Example.com") == "could not resolve host: API.Example.com"


@pytest.mark.usefixtures("spanish")
@given(st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_a_text_without_such_a_phrase_stays_as_it_is(text):
    texts.use("es")
    if not any(word in text.lower() for word in ("sin", "no ", "puerto")):
        assert in_english(text) == text


@pytest.mark.usefixtures("spanish")
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_around_a_phrase_is_survived(before, after):
    texts.use("es")
    assert "permission denied" in in_english(f"{before} . permiso denegado . {after}")


@pytest.mark.usefixtures("spanish")
def test_logs_are_left_alone():
    log = "permiso denegado\n" * (MAX_CHARS // 10)
    assert in_english(log) == log
    assert (
        in_english("npm ERR! code EACCES\nnpm ERR! syscall mkdir\n") == "npm ERR! code EACCES\nnpm ERR! syscall mkdir\n"
    )


@pytest.mark.usefixtures("spanish")
def test_thinking_follows_the_spanish_words():
    reasoned = Reasoner(BASE, platform="linux").hear("q1", "dirección ya en uso en el puerto 3000", final=True)
    assert [thought.text for thought in reasoned.thoughts][:2] == ["8 palabras oídas", "tipo: port in use"]
    assert reasoned.hits[0].entry.id == "node/port-in-use"
