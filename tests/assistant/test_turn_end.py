"""Whether an utterance sounds complete, in English and Spanish; every rule has somebody who needs it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.assistant.turn_end import RULES, Completeness, _said, judge, score

COMPLETE = [
    "Yes.", "no", "Thanks.", "Stop.", "okay, thanks", "How do I fix it?", "What is a deadlock?", "Connection refused.",
    "Module not found.", "I get address already in use on port 3000.", "The container exits with code 137.",
    "TypeError undefined is not a function", "permission denied when I push to GitHub.", "that's all, thank you",
    "Can you explain that?", "Sí.", "gracias", "¿Cómo lo arreglo?", "no se encuentra el archivo, ayúdame",
    "the database is locked", "el certificado ha caducado.", "Me sale permiso denegado al instalar.",
    "The build fails, what should I do?",
]  # fmt: skip
INCOMPLETE = [
    "My error is", "My error is...", "My error is um", "I get", "I'm getting a", "it says", "npm says that",
    "How do I", "my problem is", "Can you tell me?",
    "because", "I restarted it and", "I tried everything,", "so", "permission denied when I push to",
    "I need help with",
    "What is the difference between", "uh", "Hmm.", "The error is:", "I was running npm -", "Mi error es", "me sale",
    "estoy intentando", "no encuentro el módulo de", "pues", "el problema es que", "quiero", "este",
    "tengo un error en el",
]  # fmt: skip
UNSURE = [
    "", "...", "Python", "3000", "my build", "Tell me what a deadlock is", "docker compose", "it crashes", "turn it on",
    "el servidor", "404",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [(text, Completeness.COMPLETE) for text in COMPLETE]
    + [(text, Completeness.INCOMPLETE) for text in INCOMPLETE]
    + [(text, Completeness.UNSURE) for text in UNSURE],
)
def test_judgement(text, expected):
    assert judge(text) is expected


def test_every_rule_holds_somewhere():
    texts = [_said(text) for text in (*COMPLETE, *INCOMPLETE, *UNSURE)]
    for rule in RULES:
        assert any(rule.holds(said) for said in texts), rule.name


def test_names_are_given_once_and_weights_count():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.weight != 0 for rule in RULES)


@given(st.text(max_size=120))
def test_any_text_is_judged(text):
    assert judge(text) in Completeness
    assert judge(text) is judge(f"  {text}\n")


@given(
    st.sampled_from(COMPLETE),
    st.sampled_from([" and", " because", " um", " to the", ",", "...", " y", " porque", " eh"]),
)
def test_whatever_was_complete_is_not_once_it_goes_on(text, more):
    assert judge(text.rstrip(".?!") + more) is not Completeness.COMPLETE
    assert score(text.rstrip(".?!") + more) < score(text)
