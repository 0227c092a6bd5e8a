"""`mrblue history`: the conversations that were kept."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrblue_cli.cli.language import speak
from mrblue_cli.core.errors import InputFileError, NothingFound, UsageError
from mrblue_cli.core.texts import tell

if TYPE_CHECKING:
    from mrblue_cli.voice.history import HistoryStore
    from mrblue_cli.voice.history_model import Conversation, Line

app = typer.Typer(
    help="Conversations that were kept: list, show, search, export, delete.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _speak(context: typer.Context) -> None:
    """Conversations that were kept: list, show, search, export, delete."""
    speak(context)


class Format(enum.StrEnum):
    """What an export is."""

    MD = "md"
    JSON = "json"
    WAV = "wav"


class Side(enum.StrEnum):
    """Whose sound."""

    PERSON = "person"
    ASSISTANT = "assistant"


Id = Annotated[str, typer.Argument(metavar="ID", help="An id, the beginning of one, or `last`.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_conversations(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """The conversations, the one talked in last first."""
    from mrblue_cli.cli.history_view import list_lines

    with _opened() as store:
        found = store.conversations(limit) if store is not None else []
    if as_json:
        _print_json({"conversations": found})
    elif found:
        _print(list_lines(found))
    else:
        _print([tell("No conversation is kept yet. Begin one with: mrblue talk")])


@app.command()
def show(conversation: Id, as_json: AsJson = False) -> None:
    """One conversation, word for word."""
    from mrblue_cli.cli.history_view import show_lines
    from mrblue_cli.voice.history_export import to_json

    found, lines = _found(conversation)
    if as_json:
        sys.stdout.write(to_json(found, lines))
    else:
        _print(show_lines(found, lines))


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="All of them must stand in a line, or begin a word of it.")],
    limit: Annotated[int, typer.Option(help="How many lines at most.", min=1)] = 20,
    as_json: AsJson = False,
) -> int:
    """Lines in which these words were said; exit code 1 when there are none."""
    from mrblue_cli.cli.history_view import snippet_lines

    text = " ".join(words)
    with _opened() as store:
        found = store.search(text, limit) if store is not None else []
    if as_json:
        _print_json({"found": found})
        return 0 if found else 1
    if not found:
        raise NothingFound(tell("nobody said '{text}'", text=text), hint=tell("see all with: mrblue history list"))
    _print(snippet_lines(found, text))
    return 0


@app.command()
def export(
    conversation: Id,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.MD,
    output: Annotated[Path | None, typer.Option(help="Write to this file.", metavar="FILE")] = None,
    side: Annotated[Side | None, typer.Option(help="With wav: only this side, as mono.")] = None,
) -> None:
    """One conversation as Markdown, as JSON, or its recorded sound."""
    if side is not None and form is not Format.WAV:
        raise UsageError(tell("--side belongs to --format wav"), hint=tell("leave it out"))
    from mrblue_cli.app.talk_history import recording_file
    from mrblue_cli.voice.history_export import recorded_sound, to_json, to_markdown

    found, lines = _found(conversation)
    if form is Format.WAV:
        if output is None and sys.stdout.isatty():
            raise UsageError(tell("sound is nothing for a terminal"), hint=tell("give --output FILE, or a pipe"))
        pieces: Iterable[bytes] = recorded_sound(recording_file(found.id), None if side is None else side.value)
    else:
        text = to_json(found, lines) if form is Format.JSON else to_markdown(found, lines)
        pieces = [text.encode("utf-8", "replace")]
    _write(pieces, output)


@app.command("import")
def import_conversation(
    files: Annotated[list[Path], typer.Argument(help="Files that `export --format json` wrote.")],
) -> None:
    """Put back conversations that were exported as JSON; one with the same id is replaced."""
    from mrblue_cli.app.talk_history import history_file
    from mrblue_cli.voice.history import HistoryStore
    from mrblue_cli.voice.history_export import from_json

    exports = []
    for path in files:
        try:
            exports.append(from_json(path.read_bytes(), str(path)))
        except OSError as error:
            what = tell("{path}: cannot be read: {words}", path=path, words=error.strerror or error)
            raise InputFileError(what, hint=tell("check the name and path")) from None
    with contextlib.closing(HistoryStore(history_file())) as store:
        for one in exports:
            store.restore(one.conversation, one.lines)
    _print([one.conversation.id for one in exports])


@app.command()
def delete(
    conversation: Annotated[str | None, typer.Argument(metavar="[ID]", help="An id, or the beginning of one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every conversation.")] = False,
    before: Annotated[
        str | None, typer.Option(help="Those in which nothing was said since this day.", metavar="YYYY-MM-DD")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget conversations, with their recordings. Their words leave the file, too."""
    if (conversation is not None) + everything + (before is not None) != 1:
        raise UsageError(tell("say what to delete: an ID, --all, or --before DATE"), hint=tell("one of the three"))
    from mrblue_cli.app.talk_history import forget, forget_sound
    from mrblue_cli.voice.history import nothing_kept

    moment = _midnight(before) if before is not None else None
    count = 0
    with _opened() as store:
        if store is None and conversation is not None:
            raise nothing_kept(conversation)
        if store is not None:
            if conversation is not None:
                found = [store.find(conversation)]
            else:
                found = store.conversations() if moment is None else store.older_than(moment)
            if found and not yes:
                _ask(len(found), found[0].id)
            count = forget(store, found)
    if everything:
        forget_sound()
    _print([tell("1 conversation deleted") if count == 1 else tell("{count} conversations deleted", count=count)])


@contextlib.contextmanager
def _opened() -> Iterator[HistoryStore | None]:
    """The history; None when nothing was ever kept."""
    from mrblue_cli.app.talk_history import existing_history

    store = existing_history()
    if store is None:
        yield None
        return
    with contextlib.closing(store):
        yield store


def _found(name: str) -> tuple[Conversation, list[Line]]:
    from mrblue_cli.voice.history import nothing_kept

    with _opened() as store:
        if store is None:
            raise nothing_kept(name)
        found = store.find(name)
        return found, store.lines(found.id)


def _midnight(day: str) -> float:
    try:
        return datetime.strptime(day, "%Y-%m-%d").astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(tell("'{day}' is no day", day=day), hint=tell("write it as 2026-11-21")) from None


def _ask(count: int, first: str) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(tell("nothing was deleted: nobody is there to ask"), hint=tell("add --yes"))
    what = first if count == 1 else tell("{count} conversations", count=count)
    sys.stderr.write(tell("Delete {what} for good? [y/N] ", what=what))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes", "s", "sí", "si"}:
        raise UsageError(tell("nothing was deleted"))


def _write(pieces: Iterable[bytes], output: Path | None) -> None:
    if output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    stream = iter(pieces)
    first = next(stream, b"")  # what is missing is said before a file is made
    try:
        with output.open("wb") as file:
            file.write(first)
            for piece in stream:
                file.write(piece)
    except OSError as error:
        what = tell("{path}: cannot be written: {words}", path=output, words=error.strerror or error)
        raise InputFileError(what, hint=tell("choose a place where you may write")) from None


def _print_json(document: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")


def _print(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
