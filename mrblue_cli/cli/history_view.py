"""How conversations look in the terminal. Texts come from anywhere: nothing in them that a terminal would obey."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from mrblue_cli.core.texts import tell
from mrblue_cli.voice.history_export import about, clock_time, moment, name_of
from mrblue_cli.voice.history_model import Conversation, Line, Snippet

_SNIPPET = 72


def list_lines(conversations: Sequence[Conversation], zone: tzinfo | None = None) -> list[str]:
    """One line each: id, when, how long, turns, cost, first words."""
    rows = [
        (
            one.id,
            moment(one.started, zone),
            _duration(one),
            str(one.turns),
            "" if one.cost_usd is None else f"${one.cost_usd:.2f}",
            harmless(one.title) or tell("(nothing said)"),
        )
        for one in conversations
    ]
    titles = (tell("id"), tell("began"), tell("lasted"), tell("turns"), tell("cost"), tell("first words"))
    table = [titles, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(titles) - 1)]
    right = {2, 3, 4}
    return [
        "  ".join(
            [
                *(
                    cell.rjust(width) if column in right else cell.ljust(width)
                    for column, (cell, width) in enumerate(zip(row, widths, strict=False))
                ),
                row[-1],
            ]
        )
        for row in table
    ]


def show_lines(conversation: Conversation, lines: Sequence[Line], zone: tzinfo | None = None) -> list[str]:
    """The whole conversation to read."""
    out = [f"{conversation.id} · {moment(conversation.started, zone)} · {harmless(about(conversation))}"]
    sitting = 1
    width = max((len(name_of(line.who)) for line in lines), default=0) + 2
    for line in lines:
        if line.sitting != sitting:
            sitting = line.sitting
            out += ["", tell("— resumed {when} —", when=moment(line.at, zone))]
        if line.who == "user":
            out.append("")
        first, *rest = harmless(line.text, keep_lines=True).split("\n")
        words = [first, *rest]
        words[-1] += " —" if line.cut else ""
        out.append(f"{clock_time(line.at, zone)}  {name_of(line.who).ljust(width)}{words[0]}")
        out += [" " * (10 + width) + part for part in words[1:]]
    return out


def snippet_lines(snippets: Sequence[Snippet], text: str, zone: tzinfo | None = None) -> list[str]:
    """What a search found: the conversation, then the place in each line where the words stand."""
    out: list[str] = []
    last = ""
    for found in snippets:
        one = found.conversation
        if one.id != last:
            last = one.id
            out += ["", f"{one.id}  {moment(one.started, zone)}  {harmless(one.title)}"]
        out.append(f"  {name_of(found.line.who)}: {excerpt(harmless(found.line.text), text.split())}")
    return out[1:]


def excerpt(text: str, words: Sequence[str], width: int = _SNIPPET) -> str:
    """At most `width` characters of a text, around the first of the words that stands in it."""
    if len(text) <= width:
        return text
    low = text.lower()
    places = [place for place in (low.find(word.lower()) for word in words) if place >= 0]
    start = max(0, min(min(places, default=0) - width // 3, len(text) - width))
    return f"{'…' if start else ''}{text[start : start + width].strip()}{'…' if start + width < len(text) else ''}"


def harmless(text: str, *, keep_lines: bool = False) -> str:
    """The text without control characters."""
    if keep_lines:
        return "\n".join(harmless(part) for part in text.split("\n"))
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _duration(one: Conversation) -> str:
    seconds = max(0.0, (one.ended or one.updated) - one.started)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} d"
