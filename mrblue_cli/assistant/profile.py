"""What a conversation is for: who answers, with which tools, in which voice and language. Data, not code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mrblue_cli.assistant.brain import ToolSpec


@dataclass(frozen=True, slots=True)
class Profile:
    """One purpose of a talk, in the language in which it is held."""

    name: str
    title: str
    """In a few words, for lists and the screen."""
    instructions: str
    """For a model: who it is and how it works."""
    greeting: str = ""
    """Said first; empty: the person begins."""
    voice: str = ""
    """Empty: the one in the settings."""
    language: str = "en"
    """Two-letter code of the language of the talk."""
    tool_names: tuple[str, ...] = ()
    """What it asks for, in the order in which it is offered."""
    tools: tuple[ToolSpec, ...] = ()
    """What may really be called: known, installed, and allowed to the person's role."""
    menu: str = ""
    """The file of the menu; empty: this profile has none."""
    files: tuple[str, ...] = ()
    """Files whose text a model is given."""
    words: tuple[str, ...] = ()
    """Names that a recogniser should expect."""
    origin: str = ""
    """The file it was read from."""

    def equipped(
        self, tools: Sequence[ToolSpec], *, knowledge: Sequence[str] = (), words: Sequence[str] = ()
    ) -> Profile:
        """The profile with its tools found and its files read: `knowledge` is text for the model."""
        instructions = "\n\n".join((self.instructions, *knowledge))
        return replace(self, tools=tuple(tools), instructions=instructions, words=(*self.words, *words))
