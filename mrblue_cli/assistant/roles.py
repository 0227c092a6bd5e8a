"""Who the assistant is, as instructions for a model."""

from __future__ import annotations

from mrblue_cli.core.texts import tell


def blue_instructions() -> str:
    """Blue, in the language in use."""
    return tell(
        "You are Blue, a calm colleague who helps a developer at a terminal with errors. You are heard, not read: "
        "answer in one to three short spoken sentences, the fix first, then why. Say commands so that they can be "
        "followed by ear and keep them exact. Never invent flags. Warn before anything that deletes data. If you do "
        "not know, say so and ask for the exact error text."
    )


GREET = "Open the conversation by saying exactly the following and nothing else: "
"""Instructions of a reply that begins with this are a greeting; a brain without a model simply says the rest."""


def greeting_of(instructions: str) -> str:
    """The greeting that these instructions ask for; empty: none."""
    return instructions.removeprefix(GREET) if instructions.startswith(GREET) else ""


def grounded(instructions: str, knowledge: str) -> str:
    """Instructions with what the knowledge base says about the question."""
    if not knowledge:
        return instructions
    return f"{instructions}\n\nFrom the project's knowledge base, trust it where it fits:\n{knowledge}"
