"""States and modes in words; what programs read stays English."""

from __future__ import annotations

import pytest

from mrblue_cli.voice.events import State, TurnMode
from mrblue_cli.voice.words import mode_word, state_word


def test_in_english_the_words_are_the_codes():
    assert [state_word(state) for state in State] == [str(state) for state in State]
    assert [mode_word(mode) for mode in TurnMode] == [str(mode) for mode in TurnMode]


@pytest.mark.usefixtures("spanish")
def test_in_spanish_each_has_its_own():
    words = [state_word(state) for state in State] + [mode_word(mode) for mode in TurnMode]
    assert len(set(words)) == len(words)
    assert not set(words) & {str(code) for code in (*State, *TurnMode)}
    assert state_word(State.HEARING) == "te oigo"
    assert mode_word(TurnMode.HANDS_FREE) == "manos libres"
