"""One line for each request's decisions, on stderr: for people, or as JSON. Neither prompts nor keys are in it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TextIO

import msgspec

from mrblue_cli.gateway.answers import Record
from mrblue_cli.gateway.model import NANO, CallError

_UNFINISHED = "ASGI callable returned without completing response."
"""What uvicorn says when an answer is left without its end, which is how a connection is broken off."""
_LONGEST = 120
"""Characters of a client's name for a model that a line shows."""
_encode = msgspec.json.Encoder().encode


class DecisionLog:
    """Writes each record as a line."""

    def __init__(self, stream: TextIO, *, as_json: bool, wall: Callable[[], float]) -> None:
        """`wall` gives Unix seconds."""
        self._stream = stream
        self._as_json = as_json
        self._wall = wall

    def finished(self, record: Record) -> None:
        """One request is over."""
        self._write(_encode(table_of(record)).decode() if self._as_json else text_of(record))

    def say(self, text: str, *, level: str = "info") -> None:
        """Something else worth a line: a reload, an alert, a lost Redis."""
        self._write(_encode({"level": level, "message": text}).decode() if self._as_json else f"{level}: {text}")

    def take_over(self, name: str, level: int = logging.INFO) -> None:
        """Write what the standard logger of this name is told, from `level` up, as lines of ours: no tracebacks."""
        logger = logging.getLogger(name)
        logger.handlers = [_Lines(self)]
        logger.setLevel(level)

    def _write(self, line: str) -> None:
        when = _second(int(self._wall()))
        try:
            if self._as_json:
                self._stream.write(f'{{"time":"{when}",{line[1:]}\n')
            else:
                self._stream.write(f"{when} {one_line(line)}\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # a full disk or a closed pipe must not take the gateway down


@lru_cache(maxsize=2)
def _second(moment: int) -> str:
    """A Unix time in words; many lines share their second."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Lines(logging.Handler):
    """Standard log records as lines of ours."""

    def __init__(self, log: DecisionLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        about = record.exc_info[1] if record.exc_info else None
        if isinstance(about, CallError) or record.msg == _UNFINISHED:
            return  # an answer that was broken off on purpose; the line of its request says so
        said = record.getMessage() if about is None else f"{record.getMessage().strip()} [{place_of(about)}]"
        self._log.say(said, level=record.levelname.lower())


def place_of(error: BaseException) -> str:
    """An error's kind and the place it was raised at; never its text or its frames, which may hold anything."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = "" if last is None else f" at {last.tb_frame.f_globals.get('__name__', '?')}:{last.tb_lineno}"
    return f"{type(error).__name__}{where}"


def text_of(record: Record) -> str:
    """The line for people: who, what, cache, route, outcome, time, tokens, money, and each failed try."""
    parts = [
        record.request_id,
        record.key_id or "-",
        f"{record.surface}{'/stream' if record.stream else ''}",
        _word(record.asked),
        f"cache={record.cache}({record.cache_reason})",
        f"-> {record.provider}/{record.model}" if record.provider else "-> nobody",
        str(record.status),
        f"{record.seconds * 1000:.0f}ms",
    ]
    if record.first_token is not None:
        parts.append(f"first={record.first_token * 1000:.0f}ms")
    if record.input_tokens or record.output_tokens:
        parts.append(f"tokens={record.input_tokens}+{record.output_tokens}")
    if record.cost_nano is not None:
        parts.append(f"${record.cost_nano / NANO:.6f}")
    if record.saved_nano:
        parts.append(f"saved=${record.saved_nano / NANO:.6f}")
    if record.throttled:
        parts.append("throttled")
    parts += [
        f"tried={note.provider}/{note.model}:{note.outcome}:{note.seconds * 1000:.0f}ms"
        for note in record.attempts
        if note.outcome != "ok"
    ]
    if record.fault is not None:
        parts.append(f"fault={record.fault.kind}: {record.fault.message}")
    return " ".join(parts)


def _word(name: str) -> str:
    """What a client calls its model: one word, and no longer than a name may be."""
    shown = "".join(c if c.isprintable() and c != " " else "?" for c in name[:_LONGEST])
    return f"{shown}…" if len(name) > _LONGEST else shown or "-"


def table_of(record: Record) -> dict[str, Any]:
    """The same for machines."""
    return {
        "request_id": record.request_id,
        "key": record.key_id,
        "surface": record.surface.value,
        "stream": record.stream,
        "asked": _word(record.asked),
        "cache": record.cache,
        "cache_reason": record.cache_reason,
        "similarity": record.similarity,
        "provider": record.provider or None,
        "model": record.model or None,
        "status": record.status,
        "ms": round(record.seconds * 1000, 2),
        "first_token_ms": None if record.first_token is None else round(record.first_token * 1000, 2),
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cost_usd": None if record.cost_nano is None else record.cost_nano / NANO,
        "saved_usd": record.saved_nano / NANO,
        "throttled": record.throttled,
        "attempts": [
            {
                "provider": note.provider,
                "model": note.model,
                "outcome": note.outcome,
                "ms": round(note.seconds * 1000, 2),
                "detail": note.fault.message if note.fault is not None else None,
            }
            for note in record.attempts
        ],
        "fault": None if record.fault is None else {"kind": record.fault.kind.value, "message": record.fault.message},
    }


def one_line(text: str) -> str:
    """Without line breaks and control characters, which could forge a line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)
