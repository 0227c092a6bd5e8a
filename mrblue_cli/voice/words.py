"""States and ways of taking turns, as words for people; the codes of programs stay what they are."""

from __future__ import annotations

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.events import State, TurnMode


def state_word(state: State) -> str:
    """What is going on."""
    match state:
        case State.CONNECTING:
            return tell("connecting")
        case State.LISTENING:
            return tell("listening")
        case State.HEARING:
            return tell("hearing you")
        case State.THINKING:
            return tell("thinking")
        case State.SPEAKING:
            return tell("speaking")
        case State.MUTED:
            return tell("muted")
        case State.RECONNECTING:
            return tell("reconnecting")


def mode_word(mode: TurnMode) -> str:
    """The way of taking turns."""
    match mode:
        case TurnMode.HANDS_FREE:
            return tell("hands-free")
        case TurnMode.LOCAL_VAD:
            return tell("local-vad")
        case TurnMode.PUSH_TO_TALK:
            return tell("push-to-talk")
