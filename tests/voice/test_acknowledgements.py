"""Which words are no wish to speak, in English and Spanish, as recognisers spell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.voice.acknowledgements import interrupts, words_of


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "...", "Mm-hm.", "mm-hmm", "Mhm", "mhmm", "Hmm.", "hm", "Mmm", "Uh-huh.", "uh huh", "Yeah.",
        "Yeah, yeah.", "Okay.", "OK", "okay, right", "Right.", "All right.", "I see.", "Oh, I see.", "Got it.",
        "yes yes yes", "Uh", "um", "Ah!", "Oh.", "Hm?", "Thank you.", "Makes sense.", "okay, got it", "Sí.",
        "sí, sí", "Vale.", "Claro.", "claro, claro", "Ajá.", "Ya veo.", "De acuerdo", "Bueno, vale",
        "por supuesto", "Entiendo.", "[coughing]", "(laughs)", "*sneezes*", "♪♪", "[cough] Mm-hm",
    ],
)  # fmt: skip
def test_no_wish_to_speak(text):
    assert not interrupts(text)


@pytest.mark.parametrize(
    "text",
    [
        "Stop.", "stop it", "Wait!", "No.", "no no", "Hold on", "Okay?", "Right?", "But", "okay but why",
        "what", "Why?", "yes I did", "yeah that is what I did", "okay okay okay okay", "Para.", "Espera",
        "¿Por qué?", "no, eso no", "sí, pero", "port 3000", "again", "help", "next", "blue", "I", "you",
        "what about Docker", "not that one", "un momento", "repite",
    ],
)  # fmt: skip
def test_a_wish_to_speak(text):
    assert interrupts(text)


@given(st.text(max_size=80))
def test_any_text_is_judged_and_case_and_marks_do_not_matter(text):
    assert interrupts(text) in {True, False}
    plain = text.replace("?", "")
    assert interrupts(plain) is interrupts(f"  {plain} . ")
    assert all(word for word in words_of(text))


@given(st.lists(st.sampled_from(["yeah", "okay", "vale", "mhm", "right"]), min_size=1, max_size=8))
def test_up_to_three_of_them(words):
    assert interrupts(", ".join(words)) is (len(words) > 3)
