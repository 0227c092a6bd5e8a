"""The conversation in a thread of its own, so that a slow screen never delays sound or the socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Protocol

from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.core.texts import tell
from mrblue_cli.voice.controls import Control, Quit
from mrblue_cli.voice.events import Ended, Failure, TalkEvent

Emit = Callable[[TalkEvent], None]


class RunningTalk(Protocol):
    """What the runner needs of a session."""

    async def run(self) -> None:
        """Hold the conversation; returns after `Ended` was emitted."""
        ...

    def control(self, control: Control) -> None:
        """Act on what the person did; call it from the session's own loop."""
        ...


BuildTalk = Callable[[Emit], Awaitable[RunningTalk]]
"""Builds the session inside its loop; may start the engine, so it may fail with any `MrBlueError`."""


class TalkRunner:
    """Runs one session; its events reach `on_event` from the runner's thread.

    Controls sent before the session exists are kept and delivered in order; those sent after it ended are dropped.
    """

    def __init__(self, build: BuildTalk) -> None:
        self._build = build
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._talk: RunningTalk | None = None
        self._building: asyncio.Future[RunningTalk] | None = None
        self._early: list[Control] = []
        self._ended = False
        self.crash: BaseException | None = None
        """The defect that stopped the session, for `--debug`; None otherwise."""

    def start(self, on_event: Emit) -> None:
        """Begin in the background; returns at once. Call it once."""
        self._thread = threading.Thread(target=self._main, args=(on_event,), name="talk", daemon=True)
        self._thread.start()

    def send(self, control: Control) -> None:
        """Hand over what the person did; never blocks, safe from any thread."""
        with self._lock:
            if self._ended:
                return
            if self._talk is None or self._loop is None:
                self._early.append(control)
                if isinstance(control, Quit):
                    self._cancel_build()
                return
            self._loop.call_soon_threadsafe(self._talk.control, control)

    def stop(self, timeout_seconds: float = 5.0) -> bool:
        """Quit and wait for the end. False when the session did not end in time (its thread dies with the process)."""
        self.send(Quit())
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _cancel_build(self) -> None:
        if self._loop is not None and self._building is not None:
            self._loop.call_soon_threadsafe(self._building.cancel)

    def _main(self, on_event: Emit) -> None:
        try:
            asyncio.run(self._hold(on_event))
        except Exception as error:  # noqa: BLE001 - a thread's last line of defence: the view must learn of the end
            self.crash = error
            on_event(
                Failure(
                    "internal", tell("the conversation stopped on a defect: {error}", error=repr(error)), fatal=True
                )
            )
            on_event(Ended("error"))
        finally:
            with self._lock:
                self._ended = True

    async def _hold(self, on_event: Emit) -> None:
        building = asyncio.ensure_future(self._build(on_event))
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._building = building
            if any(isinstance(control, Quit) for control in self._early):
                building.cancel()
        try:
            talk = await building
        except asyncio.CancelledError:
            on_event(Ended("quit"))
            return
        except MrBlueError as error:
            on_event(Failure(error.code, error.what, fatal=True, hint=error.hint))
            on_event(Ended("error"))
            return
        with self._lock:
            self._talk = talk
            early, self._early = self._early, []
        for control in early:
            talk.control(control)
        await talk.run()
