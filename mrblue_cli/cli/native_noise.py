"""Keeps what sound libraries print by themselves off the terminal.

ALSA and PortAudio write complaints to file descriptor 2 whenever a device goes, in the middle of a drawn screen, from
threads of their own. What Python writes to stderr still arrives.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """For as long as the block lasts, only Python's own stderr reaches the terminal. Does nothing without one."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    sys.stderr.flush()
    names = [name for name in ("stderr", "__stderr__") if _is_native(getattr(sys, name))]
    before = {name: getattr(sys, name) for name in names}
    own = os.fdopen(os.dup(kept), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    for name in names:
        setattr(sys, name, own)
    try:
        yield
    finally:
        own.flush()
        for name, stream in before.items():
            setattr(sys, name, stream)
        os.dup2(kept, 2)
        os.close(kept)
        own.close()


def _is_native(stream: object) -> bool:
    """Whether this stream writes to file descriptor 2; under a test it may be something else."""
    try:
        return stream.fileno() == 2  # type: ignore[attr-defined,no-any-return]
    except (AttributeError, OSError, ValueError):
        return False
