"""Several processes behind one listening socket: started, told what to do, replaced when they die.

The supervisor serves nothing and opens no state. It alone hears the terminal's signals, and passes on what they mean
over a socket pair, so that a signal sent to the whole process group (a terminal, a service manager) counts once. A
worker whose end of the pair closes knows that the supervisor is gone, and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from mrblue_cli.app.gateway import Reread, Terminal, run_loop
from mrblue_cli.app.gateway_orders import Failed, Lines, News, Order, Ready, Reload, Stop, line_of
from mrblue_cli.app.gateway_serving import DRAIN, FAREWELL, Serving, report_refusal, report_reload
from mrblue_cli.core.errors import ComponentError, ConfigError, MrBlueError
from mrblue_cli.gateway.gateway import Gateway, folder_error, reloadable
from mrblue_cli.gateway.options import GatewayOptions
from mrblue_cli.gateway.server.board import Board
from mrblue_cli.gateway.server.log import DecisionLog

_SHORT_LIFE = 10.0
"""Seconds; a worker that lived longer is replaced at once, others after a pause that doubles."""
_PAUSES = (0.5, 30.0)
"""Seconds: the first pause and the longest."""
_PATIENCE = 5.0
"""Seconds beyond the graceful end after which a worker that hangs is killed."""


class _Worker:
    """One child process, as the supervisor sees it."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.line = line
        self.lines = Lines()
        self.began = time.monotonic()
        self.ready = False
        self.failed: Failed | None = None

    def tell(self, order: Order) -> None:
        """A worker that does not listen any more is about to be found dead."""
        with contextlib.suppress(OSError):
            self.line.sendall(line_of(order))

    def hear(self) -> bool:
        """Take what it said; False at the end of the line."""
        try:
            data = self.line.recv(65_536)
        except OSError:
            return False
        for news in self.lines.feed(data):
            if isinstance(news, Ready):
                self.ready = True
            elif isinstance(news, Failed):
                self.failed = news
        return bool(data)


class Supervisor:
    """The parent of the workers."""

    def __init__(
        self, options: GatewayOptions, reread: Reread | None, listener: socket.socket, ready: Callable[[], None]
    ) -> None:
        self._options = options
        self._reread = reread
        self._listener = listener
        self._ready = ready
        self._log = DecisionLog(sys.stderr, as_json=options.log_format == "json", wall=time.time)
        self._terminal = Terminal()
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._signals: list[int] = []
        self._stopped_by = 0
        self._kill_at = float("inf")
        self._serving = False
        self._start_at: list[float] = []
        """When workers that died are to be replaced."""
        self._pause = 0.0

    def run(self) -> int:
        """Serve until told to stop. Returns the exit code; raises `MrBlueError` when a worker cannot start."""
        if not hasattr(os, "fork"):
            raise ComponentError("several workers need a system with fork", hint="leave --workers at 1 on this system")
        # Refused here, a configuration or a folder that cannot work is told once, not by each worker.
        Gateway(self._options)
        self._clear_board()
        with self._hearing_signals():
            try:
                for _ in range(self._options.workers):
                    self._fork()
                while self._workers or self._start_at:
                    self._turn()
            finally:
                self._end_all()
        return 130 if self._stopped_by == signal.SIGINT else 0

    def _end_all(self) -> None:
        """Leave nobody behind when the start fails."""
        for worker in self._workers.values():
            worker.tell(Stop(now=True))
        until = time.monotonic() + FAREWELL + _PATIENCE
        while self._workers:
            for pid in list(self._workers):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self._workers[pid]
                elif time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def _clear_board(self) -> None:
        folder = self._options.state_folder / "workers"
        try:
            Board.clear(folder)
        except OSError as error:
            raise folder_error(folder.parent, error) from None

    @contextlib.contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        """Signals wake the selector; handlers only take notes."""
        waking, woken = socket.socketpair()
        waking.setblocking(False)
        woken.setblocking(False)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, self._note_signal) for number in numbers}
        wakeup = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ, None)
        self._wakers = (waking, woken)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            waking.close()
            woken.close()

    def _note_signal(self, number: int, frame: object) -> None:  # noqa: ARG002 - the signature is signal's
        if number != signal.SIGCHLD:
            self._signals.append(number)

    def _turn(self) -> None:
        """Wait for something to happen, and deal with it."""
        now = time.monotonic()
        due = min([self._kill_at, *self._start_at], default=float("inf"))
        for key, _ in self._selector.select(None if due == float("inf") else max(due - now, 0.0)):
            worker: _Worker | None = key.data
            if worker is None:
                with contextlib.suppress(BlockingIOError):
                    self._wakers[1].recv(4096)
            elif not worker.hear():
                self._selector.unregister(worker.line)
        while self._signals:
            self._obey(self._signals.pop(0))
        self._bury()
        if not self._serving and not self._stopped_by and len(self._workers) == self._options.workers:
            self._serving = all(worker.ready for worker in self._workers.values())
            if self._serving:
                self._ready()
        now = time.monotonic()
        if now >= self._kill_at:
            self._kill_at = float("inf")
            for pid in self._workers:
                os.kill(pid, signal.SIGKILL)
        for at in [at for at in self._start_at if at <= now]:
            self._start_at.remove(at)
            self._fork()

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP and not self._terminal.gone():
            self._reload()
            return
        self._start_at.clear()
        again = bool(self._stopped_by)
        self._stopped_by = self._stopped_by or number
        self._kill_at = time.monotonic() + (FAREWELL if again else DRAIN + FAREWELL) + _PATIENCE
        self._listener.close()  # as long as one process has it open, clients would queue up before nobody
        for worker in self._workers.values():
            worker.tell(Stop(now=again))

    def _reload(self) -> None:
        """Read once, for all workers: they never differ, and one line tells of it."""
        if self._reread is None:
            self._log.say("reload: there is no configuration file to read again", level="warning")
            return
        try:
            wanted, notes = self._reread()
            Gateway(wanted)
        except MrBlueError as error:
            report_refusal(self._log.say, error)
            return
        for note in notes:
            self._log.say(note, level="warning")
        running, self._options = self._options, reloadable(self._options, wanted)
        for worker in self._workers.values():
            worker.tell(Reload(self._options))
        report_reload(self._log.say, running, wanted)

    def _bury(self) -> None:
        """Find workers that ended, and plan who takes their places."""
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if not pid:
                continue
            while worker.hear():  # its last words
                pass
            del self._workers[pid]
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(worker.line)
            worker.line.close()
            if self._stopped_by:
                continue
            how = _how(os.waitstatus_to_exitcode(status))
            if not self._serving:
                if worker.failed is not None:
                    raise worker.failed.error()
                raise ConfigError(f"a worker {how} before it could serve", hint="the lines above say why")
            lived = time.monotonic() - worker.began
            first, longest = _PAUSES
            self._pause = 0.0 if lived >= _SHORT_LIFE else min(max(self._pause * 2, first), longest)
            why = f" ({worker.failed.what})" if worker.failed is not None else ""
            when = f"in {self._pause:g} s" if self._pause else "now"
            self._log.say(f"worker {pid} {how}{why}: another takes its place {when}", level="warning")
            self._start_at.append(time.monotonic() + self._pause)

    def _fork(self) -> None:
        ours, its = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be_worker(ours, its)
        its.close()
        ours.settimeout(1.0)  # one that hangs must not hold up the others' orders
        worker = self._workers[pid] = _Worker(pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _be_worker(self, ours: socket.socket, its: socket.socket) -> NoReturn:
        """The child's whole life; never returns."""
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # the supervisor hears them, and says what they mean
            # Open here, the supervisor's ends would keep the other workers from noticing its death.
            for other in (ours, *self._wakers, *(worker.line for worker in self._workers.values())):
                other.close()
            self._selector.close()
            run_loop(_serve(self._options, self._listener, its))
            code = 0
        except MrBlueError as error:
            its.sendall(line_of(Failed.of(error)))
            code = 3
        except Exception as error:  # noqa: BLE001 - told to the supervisor, which outlives it
            its.sendall(line_of(Failed("InternalError", f"internal error: {error!r}", "please report it")))
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(code)


async def _serve(options: GatewayOptions, listener: socket.socket, line: socket.socket) -> None:
    """A worker: serve, and do what the supervisor says."""
    serving = Serving(options, listener)
    loop = asyncio.get_running_loop()
    lines = Lines()
    jobs: set[asyncio.Task[None]] = set()
    line.setblocking(False)

    async def reload(wanted: GatewayOptions) -> None:
        try:
            await serving.apply(lambda: wanted)
        except MrBlueError as error:
            report_refusal(serving.gateway.log.say, error)

    def hear() -> None:
        try:
            data = line.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        orders: list[Order | News] = lines.feed(data)
        for order in orders:
            if isinstance(order, Reload):
                job = loop.create_task(reload(order.options))
                jobs.add(job)
                job.add_done_callback(jobs.discard)
            elif isinstance(order, Stop):
                (serving.hurry if order.now else serving.stop)()
        if not data:  # the supervisor is gone
            loop.remove_reader(line)
            serving.stop()

    # Sent to this worker by whoever wants it replaced, or to all of them beside the supervisor's own word.
    loop.add_signal_handler(signal.SIGTERM, serving.stop)
    loop.add_reader(line, hear)
    await serving.run(lambda: line.sendall(line_of(Ready())))


def _how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with code {code}" if code else "ended"
    return f"was killed by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"was killed by {-code}"
