"""What a new session is told of the talk so far, as text. Pure. Source: voice-craft section 12.

Replies count as far as they were heard. Function calls are void in another session, so what tools found is told in a
system message. The newest that fit are taken: everything told is paid for again with each turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mrblue_cli.protocol.items import ContentPart, Item
from mrblue_cli.voice.dialogue import Said, Who

MAX_TURNS = 40
MAX_CHARACTERS = 12_000
_CUT = " —"


def newest_that_fit(
    said: Sequence[Said], *, turns: int = MAX_TURNS, characters: int = MAX_CHARACTERS
) -> tuple[Said, ...]:
    """The end of the talk that is worth telling, oldest first; never more than `turns` of the person's turns."""
    chosen: list[Said] = []
    room, asked = characters, 0
    for one in reversed(said):
        room -= len(one.text)
        asked += one.who is Who.USER
        if room < 0 or asked > turns:
            break
        chosen.append(one)
    if not chosen and said and characters > 0 and turns > 0:
        chosen = [said[-1]]
    return tuple(_fitting(one, characters) for one in reversed(chosen))


def _fitting(said: Said, characters: int) -> Said:
    """A line that alone is longer than all there is room for keeps its beginning."""
    return said if len(said.text) <= characters else replace(said, text=said.text[:characters], cut=True)


def item_of(said: Said, item_id: str) -> Item:
    """One thing said, as a conversation item under a new id: old ones mean nothing in a new session."""
    match said.who:
        case Who.USER:
            return _message(item_id, "user", "input_text", said.text)
        case Who.ASSISTANT:
            return _message(item_id, "assistant", "output_text", said.text + (_CUT if said.cut else ""))
        case Who.TOOL:
            return tool_note(said.text, item_id)


def tool_note(text: str, item_id: str) -> Item:
    """What a tool found, for a session that did not ask for it."""
    return _message(item_id, "system", "input_text", f"A tool was called earlier in this conversation: {text}")


def _message(item_id: str, role: str, kind: str, text: str) -> Item:
    return Item(type="message", id=item_id, role=role, content=(ContentPart(type=kind, text=text),))
