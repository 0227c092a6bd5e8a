"""Greetings, thanks and goodbyes: what people say to somebody who listens, in English and Spanish."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from mrblue_cli.core.texts import tell

MAX_WORDS = 7
"""Whoever says more means something else."""


def _introduction() -> str:
    return tell(
        "I'm Blue. Tell me an error, or paste it, and I look for the fix. "
        "Try: address already in use on port three thousand."
    )


# Without accents: recognisers and hurried people leave them out.
_ANSWERS: tuple[tuple[tuple[str, ...], Callable[[], str]], ...] = (
    (
        (
            "what can you do", "who are you", "what are you", "help me",
            "que puedes hacer", "que sabes hacer", "quien eres", "que eres", "ayudame", "me puedes ayudar",
        ),
        _introduction,
    ),
    (
        (
            "thank you", "thanks", "great", "perfect", "that helped", "it works",
            "gracias", "genial", "perfecto", "estupendo", "ya funciona", "eso ayudo", "me ayudo",
        ),
        lambda: tell("Glad it helped."),
    ),
    (
        (
            "hello", "hi", "hey", "good morning", "good evening",
            "hola", "buenas", "buenos dias", "buenas tardes", "buenas noches",
        ),
        lambda: tell("Hello. Which error shall we look at?"),
    ),
    (
        (
            "bye", "goodbye", "see you", "that's all",
            "adios", "hasta luego", "hasta pronto", "nos vemos", "chao", "eso es todo",
        ),
        lambda: tell("See you."),
    ),
)  # fmt: skip


def small_talk(text: str) -> str | None:
    """The answer to a few polite words, in the language in use; None when it is none of them."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    said = f" {' '.join(''.join(c if c.isalnum() or c == chr(39) else ' ' for c in plain).split())} "
    if len(said.split()) > MAX_WORDS:
        return None
    return next((answer() for phrases, answer in _ANSWERS if any(f" {one} " in said for one in phrases)), None)
