"""The history of a talk: what is kept of this one, and what an earlier one begins with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mrblue_cli.core.clock import Clock
from mrblue_cli.core.errors import UsageError
from mrblue_cli.core.texts import tell
from mrblue_cli.settings.places import place
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.dialogue import Said, Who
from mrblue_cli.voice.disk_thread import DiskThread, Keeper
from mrblue_cli.voice.history import HISTORY_FILE, LAST, HistoryStore, new_id, nothing_kept
from mrblue_cli.voice.history_keeper import HistoryKeeper, Trouble
from mrblue_cli.voice.history_model import Conversation, Line

if TYPE_CHECKING:
    from mrblue_cli.settings.load import Configuration
    from mrblue_cli.voice.ports import AudioTap
    from mrblue_cli.voice.recording import Recorder

Emit = Callable[[ev.TalkEvent], None]
DAY_SECONDS = 86_400.0
SHOWN_AGAIN = 200
"""Lines of an earlier sitting that are shown and told to the server; the file keeps them all."""
_WHO = {"user": Who.USER, "assistant": Who.ASSISTANT, "tool": Who.TOOL}


def history_file() -> Path:
    """Where conversations are kept."""
    return place("data") / HISTORY_FILE


def recording_file(conversation_id: str) -> Path:
    """Where the sound of a conversation is kept, if it is."""
    return place("data") / "recordings" / f"{conversation_id}.wav"


def existing_history() -> HistoryStore | None:
    """The history, None when nothing was ever kept: looking must not make a file. Raises `HistoryError`."""
    path = history_file()
    return HistoryStore(path) if path.exists() else None


@dataclass(frozen=True, slots=True)
class Resumed:
    """A conversation that goes on."""

    conversation: Conversation
    lines: tuple[Line, ...]

    @property
    def past(self) -> tuple[Said, ...]:
        """What was said, for the session. Ids are ours: those of an earlier connection are void."""
        return tuple(
            Said(f"past_{number}", _WHO[line.who], line.text, line.cut)
            for number, line in enumerate(self.lines, 1)
            if line.who in _WHO
        )


def resumed(name: str = LAST) -> Resumed:
    """The conversation with this id (or the beginning of it). Raises `NothingFound`, `UsageError`, `HistoryError`."""
    store = existing_history()
    if store is None:
        raise nothing_kept(name)
    with contextlib.closing(store):
        conversation = store.find(name)
        return Resumed(conversation, tuple(store.lines(conversation.id)[-SHOWN_AGAIN:]))


def past(resume_id: str) -> tuple[Said, ...]:
    """What was said in an earlier conversation, oldest first. Raises as `resumed` does."""
    return resumed(resume_id).past


def forget(store: HistoryStore, conversations: list[Conversation]) -> int:
    """Delete conversations with their recordings; returns how many there were. Raises `HistoryError`, `UsageError`."""
    count = store.delete([one.id for one in conversations])
    for one in conversations:
        _remove(recording_file(one.id))
    return count


def forget_sound() -> None:
    """Remove every recording, also those whose conversation is not known any more. Raises `UsageError`."""
    for path in place("data").joinpath("recordings").glob("*.wav"):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        what = tell("{path}: cannot be removed: {words}", path=path, words=error.strerror or error)
        raise UsageError(what, hint=tell("remove it yourself")) from None


class TalkHistory:
    """Keeps one talk, or nothing. Hangs in the event stream; what goes wrong is told there, once."""

    def __init__(
        self, emit: Emit, *, keeper: HistoryKeeper | None, recorder: Recorder | None = None,
        resumed: Resumed | None = None,
    ) -> None:  # fmt: skip
        self._emit = emit
        self._keeper = keeper
        self._recorder = recorder
        self._resumed = resumed
        keepers: list[Keeper] = [part for part in (keeper, recorder) if part is not None]
        self._thread = DiskThread(keepers) if keepers else None

    @property
    def id(self) -> str:
        """The conversation's id; empty: nothing is kept."""
        return self._keeper.conversation_id if self._keeper is not None else ""

    @property
    def tap(self) -> AudioTap | None:
        """Where the session sends its sound, None: nowhere."""
        return self._recorder

    @property
    def past(self) -> tuple[Said, ...]:
        """What an earlier sitting said."""
        return self._resumed.past if self._resumed is not None else ()

    def begin(self) -> None:
        """Show what an earlier sitting said, say what is kept, and begin to keep it."""
        for said in self.past:
            if said.who is Who.USER:
                self._emit(ev.UserTranscript(said.item_id, said.text, final=True, earlier=True))
            elif said.who is Who.ASSISTANT:
                heard_ms = 0 if said.cut else None
                self._emit(ev.AssistantTranscript(said.item_id, said.text, True, heard_ms, earlier=True))
        if self._keeper is None:
            self._emit(ev.Advice(tell("private: nothing of this conversation is kept")))
        if self._recorder is not None:
            self._emit(ev.Advice(tell("this conversation is recorded: {path}", path=self._recorder.path)))
        if self._thread is not None:
            self._thread.start()

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event."""
        if self._keeper is None:
            return
        if not isinstance(event, ev.Ended):
            self._tell_troubles()
        self._keeper.see(event)
        if self._recorder is not None and isinstance(event, ev.SessionStarted):
            self._recorder.start()

    def close(self) -> None:
        """Write the rest."""
        if self._thread is not None:
            self._thread.close()

    def _tell_troubles(self) -> None:
        for part in (self._keeper, self._recorder):
            while part is not None and part.troubles:
                trouble: Trouble = part.troubles.popleft()
                self._emit(ev.Failure("history", trouble.what, fatal=False, hint=trouble.hint))


def open_history(
    configuration: Configuration, emit: Emit, *, clock: Clock, resume: str | None = None,
    wall: Callable[[], float] = time.time,
) -> TalkHistory:  # fmt: skip
    """The history of a talk that is about to begin. `resume`: the id of the conversation that goes on.

    Nothing is opened here but what is resumed; the file is opened on a thread of its own when the talk begins.
    Raises `NothingFound`, `UsageError`, `HistoryError`.
    """
    section = configuration.settings.history
    earlier = resumed(resume) if resume is not None else None
    if section.record and not section.keep:
        raise UsageError(
            tell("a private conversation cannot be recorded"), hint=tell("leave out --record, or --private")
        )
    if not section.keep:
        return TalkHistory(emit, keeper=None, resumed=earlier)
    now = round(wall(), 3)
    talk = configuration.settings.talk
    begun = earlier.conversation if earlier is not None else Conversation(id=new_id(), started=now, updated=now)
    conversation = msgspec.structs.replace(begun, profile=_lasting(talk.profile), language=talk.language or "en")
    recorder = _recorder(conversation.id, clock) if section.record else None
    keeper = HistoryKeeper(
        conversation, resumed=earlier is not None, recorded=recorder is not None, clock=clock, wall=wall,
        open_store=lambda: HistoryStore(history_file()),
        tidy=lambda store: _prune(store, section.keep_days, now, conversation.id),
    )  # fmt: skip
    return TalkHistory(emit, keeper=keeper, recorder=recorder, resumed=earlier)


def _lasting(profile: str) -> str:
    """A profile's name as it is; a file by its whole path, so that the talk can be resumed from another folder."""
    is_file = profile.endswith(".toml") or "/" in profile or "\\" in profile
    return str(Path(profile).expanduser().resolve()) if is_file else profile


def _recorder(conversation_id: str, clock: Clock) -> Recorder:
    from mrblue_cli.voice.recording import Recorder

    return Recorder(recording_file(conversation_id), clock)


def _prune(store: HistoryStore, keep_days: int, now: float, spared: str) -> None:
    if keep_days > 0:
        old = [one for one in store.older_than(now - keep_days * DAY_SECONDS) if one.id != spared]
        if old:
            forget(store, old)
