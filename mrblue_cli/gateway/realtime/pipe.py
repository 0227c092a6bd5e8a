"""Frames on their way to a client that may be slow: bounded by bytes, since a frame may be a word or ten megabytes."""

from __future__ import annotations

import asyncio
from collections import deque


class Pipe:
    """One writer, one reader. A frame larger than the bound passes when nothing else waits."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: deque[str] = deque()
        self._size = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, frame: str) -> None:
        """Wait for room, then queue it; frames put into a closed pipe are dropped."""
        while not self._room.is_set():
            await self._room.wait()
        if self._closed:
            return
        self._frames.append(frame)
        self._size += len(frame)
        self._filled.set()
        if self._size >= self._max_bytes:
            self._room.clear()

    async def get(self) -> str | None:
        """The next frame; None once the pipe is closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        frame = self._frames.popleft()
        self._size -= len(frame)
        if self._size < self._max_bytes:
            self._room.set()
        return frame

    def close(self) -> None:
        """No more frames; what waits may still be read. Safe to call again."""
        self._closed = True
        self._filled.set()
        self._room.set()
