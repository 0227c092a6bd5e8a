"""Follows a talk's event stream and keeps its words: gathers on the talk's side, writes on the disk's.

Final lines are written at the next flush (0.2 s). Words under way are written at every third, marked as cut, and
replaced by the final line: after a `kill -9` all but the last second is there.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from mrblue_cli.assistant.redact import redact
from mrblue_cli.core.clock import Clock
from mrblue_cli.core.texts import tell
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.history import HistoryStore
from mrblue_cli.voice.history_model import Conversation, Line, Speaker, storable, title_of
from mrblue_cli.voice.history_schema import HistoryError

PARTIAL_FLUSHES = 3
MAX_WAITING = 2_000
"""Lines that may wait for a disk that does not answer."""
_PATIENCE = 5
"""Flushes that may find the file held by another program, two seconds each."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing more is kept: to be told once."""

    what: str
    hint: str = ""


class HistoryKeeper:
    """Keeps one sitting of one conversation. `see` belongs to the talk's thread, `flush` to the disk's.

    `wall` is the time in seconds since 1970. `open_store` is called at the first flush, on the disk's thread;
    `tidy` once after it, with the store (to forget what is too old). `recorded`: its sound is kept as well.
    """

    def __init__(
        self, conversation: Conversation, *, resumed: bool, open_store: Callable[[], HistoryStore], clock: Clock,
        wall: Callable[[], float], tidy: Callable[[HistoryStore], None] | None = None, recorded: bool = False,
    ) -> None:  # fmt: skip
        self._state = msgspec.structs.replace(conversation, ended=None, recorded=conversation.recorded or recorded)
        self._resumed = resumed
        self._open_store = open_store
        self._tidy = tidy
        self._clock = clock
        self._began, self._began_wall = clock.now(), wall()
        self._base_turns, self._base_cost = conversation.turns, conversation.cost_usd
        self._cost: float | None = None
        self._spent: float | None = None
        self._numbers: dict[str, tuple[int, int]] = {}
        self._said: set[int] = set()
        """Lines that were final once: only a final one replaces them."""
        self._lock = threading.Lock()
        self._finals: dict[int, Line] = {}
        self._partials: dict[int, Line] = {}
        self._changed = False
        self._over = False
        self.troubles: deque[Trouble] = deque()
        """What the person should be told; the talk's thread takes it from here."""
        # The disk's side.
        self._store: HistoryStore | None = None
        self._sitting: int | None = None
        self._title = conversation.title
        self._flushes = 0
        self._partials_at = -PARTIAL_FLUSHES
        self._refusals = 0

    @property
    def conversation_id(self) -> str:
        """The conversation that is kept."""
        return self._state.id

    # The talk's side --------------------------------------------------------------------------------------------

    def see(self, event: ev.TalkEvent) -> None:
        """Take in one event; never waits for the disk."""
        match event:
            case ev.UserTranscript() if not event.earlier:
                self._say(event.item_id, "user", event.text, final=event.final)
            case ev.AssistantTranscript() if not event.earlier:
                self._say(event.item_id, "assistant", event.text, final=event.final, cut=event.heard_ms is not None)
            case ev.ToolRan() if event.status is not ev.ToolStatus.RUNNING:
                text = f"{event.name}({event.arguments}) -> {event.output}"
                self._say(event.call_id, "tool", text, final=True)
            case ev.RungChanged():
                self._note(event.reason)
            case ev.Failure():
                self._note(event.message)
            case ev.SessionStarted():
                self._change(engine=event.engine, model=event.model)
            case ev.TurnMeasured():
                if event.cost_usd is not None:
                    self._cost = (self._cost or 0.0) + event.cost_usd
                self._change(turns=self._state.turns + 1)
            case ev.Spent():
                self._spent = event.total_usd
                self._change()
            case ev.Ended():
                self._change(ended=self._wall)
            case _:
                pass

    @property
    def _wall(self) -> float:
        """Follows the clock that never jumps, from the time of day at which the sitting began."""
        return round(self._began_wall + self._clock.now() - self._began, 3)

    def _note(self, text: str) -> None:
        self._say(f"note_{len(self._numbers) + 1}", "note", text, final=True)

    def _say(self, item_id: str, who: Speaker, text: str, *, final: bool, cut: bool = False) -> None:
        if self._over:
            return
        now_ms = int((self._clock.now() - self._began) * 1000)
        seq, at_ms = self._numbers.setdefault(item_id, (len(self._numbers) + 1, now_ms))
        line = Line(
            sitting=0, seq=seq, item_id=item_id, who=who, text=text, cut=cut or not final, at_ms=at_ms,
            at=round(self._began_wall + at_ms / 1000, 3),
        )  # fmt: skip
        if not final:
            if seq not in self._said:
                with self._lock:
                    self._partials[seq] = line
            return
        self._said.add(seq)
        with self._lock:
            self._finals[seq] = line
            self._partials.pop(seq, None)
        self._change()

    def _change(self, **changes: object) -> None:
        cost = self._spent if self._spent is not None else self._cost
        total = self._base_cost if cost is None else round((self._base_cost or 0.0) + cost, 9)
        with self._lock:
            self._state = msgspec.structs.replace(self._state, updated=self._wall, cost_usd=total, **changes)
            self._changed = True

    # The disk's side --------------------------------------------------------------------------------------------

    def flush(self, *, last: bool) -> None:
        """Write what waits. What cannot be written is told once, and the talk goes on without a history."""
        try:
            if not self._over:
                self._write(last=last)
        except HistoryError as error:
            self._refusals += 1
            if not error.busy or self._refusals >= _PATIENCE or last:
                self._give_up(error.what, error.hint)
        except Exception as error:  # noqa: BLE001 - the thread's last line of defence: the person must learn of it
            self._give_up(tell("the history stopped on a defect: {error}", error=repr(error)), "")
        finally:
            if last and self._store is not None:
                store, self._store = self._store, None
                store.close()

    def _write(self, *, last: bool) -> None:
        if self._store is None:
            self._store = self._open_store()
            if self._tidy is not None:
                self._tidy(self._store)
        self._flushes += 1
        with self._lock:
            if len(self._finals) > MAX_WAITING:
                self._finals = dict(list(self._finals.items())[-MAX_WAITING:])
            with_partials = last or self._flushes - self._partials_at >= PARTIAL_FLUSHES
            partials = dict(self._partials) if with_partials else {}
            finals, state, changed = dict(self._finals), self._state, self._changed
        waiting = [*finals.values(), *partials.values()]
        if self._sitting is None and not waiting and not state.recorded:
            return  # a talk in which nothing was said leaves no trace
        if not waiting and not changed:
            return
        if self._sitting is None and not self._begin(self._store, state):
            self._deleted()
            return
        lines = [self._clean(line, partial=line.seq in partials) for line in waiting]
        words = (line.text for line in lines if line.who == "user" and line.seq in finals)
        self._title = self._title or title_of(next(words, ""))
        told = msgspec.structs.replace(state, title=self._title)
        if not self._store.put(told, sorted(lines, key=lambda line: line.seq)):
            self._deleted()
            return
        self._refusals = 0
        if partials:
            self._partials_at = self._flushes
        self._written(finals, partials, state)

    def _written(self, finals: dict[int, Line], partials: dict[int, Line], state: Conversation) -> None:
        """Forget what is on the disk, unless it changed while it was being written."""
        with self._lock:
            for waiting, done in ((self._finals, finals), (self._partials, partials)):
                for seq, line in done.items():
                    if waiting.get(seq) is line:
                        del waiting[seq]
            self._changed = self._changed and self._state is not state

    def _begin(self, store: HistoryStore, state: Conversation) -> bool:
        if self._resumed:
            self._sitting = store.resume(state.id, state.updated)
            return self._sitting is not None
        store.begin(state)
        self._sitting = 1
        return True

    def _clean(self, line: Line, *, partial: bool) -> Line:
        text = redact(storable(_whole_words(line.text) if partial else line.text))
        return msgspec.structs.replace(line, sitting=self._sitting or 1, text=text)

    def _deleted(self) -> None:
        self._give_up(tell("this conversation was deleted from the history: nothing more of it is kept"), "")

    def _give_up(self, what: str, hint: str) -> None:
        self._over = True
        self.troubles.append(Trouble(what, hint))
        with self._lock:
            self._finals.clear()
            self._partials.clear()


def _whole_words(text: str) -> str:
    """Words under way without the last one, where that may become a key: its beginning does not look like one yet."""
    head, _, tail = text.rpartition(" ")
    return head.rstrip() if any(letter.isdigit() or letter in "_-" for letter in tail) else text
