"""From `mrblue talk` to a drawn screen and to "listening", in a real pseudo-terminal with the local engine."""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import sys
import time

from bench.report import arguments, show


def start() -> tuple[float, float]:
    """Seconds to the first frame and to the word "listening"."""
    began = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="36", MRBLUE_TALK_ENGINE="local")
        os.execv(sys.executable, [sys.executable, "-m", "mrblue_cli", "talk"])  # noqa: S606 - a pseudo-terminal needs it
    seen, drawn, listening = b"", 0.0, 0.0
    while not listening and time.monotonic() - began < 30:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            seen = seen[-4000:] + os.read(terminal, 65_536)
            if not drawn and b"Conversation" in seen:
                drawn = time.monotonic() - began
            if b"listening" in seen:
                listening = time.monotonic() - began
    os.write(terminal, b"\x11")  # ctrl+q
    for _ in range(100):
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if ready:
            try:
                os.read(terminal, 65_536)
            except OSError:
                break
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return drawn, listening


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    start()  # unpacks the model and warms the disk cache
    times = [start() for _ in range(5)]
    drawn = statistics.median(time for time, _ in times)
    listening = statistics.median(time for _, time in times)
    rows = [
        ("start to a drawn screen", f"{drawn:.2f} s", "1 s"),
        ("start to listening", f"{listening:.2f} s", "3 s"),
    ]
    show("talk start", rows, {"drawn": drawn, "listening": listening, "all": times}, options.json)


if __name__ == "__main__":
    main()
