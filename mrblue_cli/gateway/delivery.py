"""From a run to the client: whole answers, streams that survive their provider, and bytes that only pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from mrblue_cli.gateway.answers import STOPPING, Answer, safe_header
from mrblue_cli.gateway.attempt import Attempt
from mrblue_cli.gateway.job import Job, headers_of, total_of, usd
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Piece, Reply
from mrblue_cli.gateway.routing.health import Lane
from mrblue_cli.gateway.run import Run
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.writers import Writer, writer_for

EVENT_STREAM = "text/event-stream; charset=utf-8"
_KEPT_BYTES = 2 * 1024 * 1024
"""Bytes of one answer in pieces that the cache keeps at most."""
_encode = msgspec.json.Encoder().encode


async def plain(job: Job, run: Run) -> Answer:
    """The whole answer at once."""

    async def whole(attempt: Attempt) -> tuple[Reply, bytes]:
        reply = await attempt.plain()
        # Inside the attempt: what cannot be told in the client's shape is the provider's failure, not the client's.
        return reply, _body(job, attempt, reply)

    try:
        lane, attempt, (reply, body) = await run.make(whole)
        attempt.close()
        usage = run.used(attempt)
        run.succeeded(lane, attempt, usage)
    finally:
        await job.settle(run)
    job.served_by(lane, run, usage)
    job.record.complete = True
    headers = headers_of(job.record)
    if reply.finish != "content_filter":
        await job.keep(body, reply.content_type, (), usage)
    job.close(200)
    return Answer(headers=headers, content_type=reply.content_type, body=body)


def _body(job: Job, attempt: Attempt, reply: Reply) -> bytes:
    if isinstance(reply.body, bytes):
        return reply.body
    if reply.body.get("created") == 0:  # adapters have no clock
        reply.body["created"] = int(job.wall)
    if attempt.call.surface is job.ask.surface:
        return _encode(reply.body)
    try:
        return _encode(TRANSLATORS[job.ask.surface].from_chat(reply.body, job.ask.body))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        # The shape of a provider's answer is not ours to trust.
        message = f"{attempt.target.provider} sent an answer that cannot be read."
        raise CallError(Fault(kind=FaultKind.BROKEN, message=message)) from None


async def streamed(job: Job, run: Run) -> Answer:
    """Nothing goes to the client before the first real token, so everything until then can be tried elsewhere."""
    try:
        lane, attempt, pieces = await run.make(Attempt.start)
    except BaseException:
        await job.settle(run)
        raise
    job.record.first_token = job.now - job.record.began
    job.served_by(lane, run)
    headers = headers_of(job.record)
    return Answer(headers=headers, content_type=EVENT_STREAM, frames=_Stream(job, run, lane, attempt).frames(pieces))


class _Stream:
    """One answer in pieces, perhaps from more than one provider."""

    def __init__(self, job: Job, run: Run, lane: Lane, attempt: Attempt) -> None:
        self._job = job
        self._run = run
        self._lane = lane
        self._attempt = attempt
        self._writer: Writer = writer_for(job.ask.surface, attempt.call.surface, job.ask.body)
        self._kept = _Kept(wanted=job.storable)
        self._gap = ""
        """White space at the seam that was sent already."""

    async def frames(self, pieces: list[Piece]) -> AsyncIterator[bytes]:
        """Bytes for the client. Closing the iterator early means that the client has gone."""
        record = self._job.record
        over = False
        try:
            while pieces:
                if data := self._written(pieces):
                    yield data
                try:
                    pieces = await self._attempt.more()
                except CallError as error:
                    self._run.broke(self._lane, self._attempt, error.fault)
                    over = True
                    going_on = await self._continued()
                    if going_on is None:
                        record.fault = error.fault
                        yield self._writer.fail(error.fault)
                        return
                    pieces, over = going_on, False
                except asyncio.CancelledError:
                    if not self._job.stopping:
                        raise
                    record.fault = STOPPING
                    yield self._writer.fail(STOPPING)
                    return
            end = await self._finished()
            over = True
            if end:
                yield end
        finally:
            if not over:
                self._run.left(self._lane, self._attempt)
            await self._job.settle(self._run)
            self._job.close(200 if record.complete else 499 if record.fault is None else 502)

    def _written(self, pieces: list[Piece]) -> bytes:
        if self._gap:
            pieces = [self._joined(piece) for piece in pieces]
        for piece in pieces:
            if piece.data is not None and piece.data.get("created") == 0:  # adapters have no clock
                piece.data["created"], piece.raw = int(self._job.wall), b""
        data = b"".join([self._writer.feed(piece) for piece in pieces])
        self._kept.add(data)
        return data

    async def _continued(self) -> list[Piece] | None:
        """The first pieces of whoever goes on with the answer; None when nobody can."""
        text = self._writer.text()
        # Providers refuse a prefill that ends in white space; what is cut off here is skipped when it comes again.
        prefill = text.rstrip()
        if not (self._writer.resumable and prefill) or self._attempt.finish:
            return None
        going_on = await self._run.go_on(prefill)
        if going_on is None:
            return None
        self._lane, self._attempt, pieces = going_on
        self._gap = text[len(prefill) :]
        self._writer.resume()
        self._job.served_by(self._lane, self._run)
        return pieces

    def _joined(self, piece: Piece) -> Piece:
        """Without the white space that the client has already."""
        if not piece.text or not self._gap:
            return piece
        gap, self._gap = self._gap, ""
        same = 0
        while same < min(len(gap), len(piece.text)) and gap[same] == piece.text[same]:
            same += 1
        if not same or piece.data is None:
            return piece
        rest = piece.text[same:]
        first, *others = piece.data["choices"]
        first = {**first, "delta": {**first["delta"], "content": rest}}
        return msgspec.structs.replace(piece, text=rest, raw=b"", data={**piece.data, "choices": [first, *others]})

    async def _finished(self) -> bytes:
        """Everything that follows a complete answer, and its last bytes.

        Settled before the last word, so that who reads the usage after the stream finds this request in it.
        """
        job, run, attempt = self._job, self._run, self._attempt
        attempt.close()
        usage = run.used(attempt)
        run.succeeded(self._lane, attempt, usage)
        job.record.complete = True
        job.served_by(self._lane, run, usage)
        cost = total_of(run)
        end = self._writer.finish("" if cost is None else f"x-mrblue-cost-usd {usd(cost)}")
        self._kept.add(end)
        await job.settle(run)
        if self._kept.frames and attempt.finish != "content_filter":
            whole = self._writer.complete()
            if whole is not None:
                await job.keep(_encode(whole), "application/json", tuple(self._kept.frames), usage)
        return end


async def passed_through(job: Job, run: Run) -> Answer:
    """Bytes that nobody here reads: speech, and transcripts as they grow."""
    try:
        lane, attempt, incoming = await run.make(Attempt.head)
    except BaseException:
        await job.settle(run)
        raise
    job.served_by(lane, run)
    content_type = safe_header(incoming.headers.get("content-type", "application/octet-stream"))

    async def frames() -> AsyncIterator[bytes]:
        kept = _Kept(wanted=job.storable)
        over = False
        try:
            async for data in incoming.chunks():
                kept.add(data)
                yield data
            attempt.close()
            usage = run.used(attempt)
            run.succeeded(lane, attempt, usage)
            over = job.record.complete = True
            job.served_by(lane, run, usage)
            await job.settle(run)
            if kept.frames:
                await job.keep(b"".join(kept.frames), content_type, (), usage)
        except CallError as error:
            over = True
            job.record.fault = error.fault
            run.broke(lane, attempt, error.fault)
            raise  # the connection breaks off: half a sound must not look whole
        finally:
            if not over:
                run.left(lane, attempt)
            await job.settle(run)
            job.close(200 if job.record.complete else 499 if job.record.fault is None else 502)

    return Answer(headers=headers_of(job.record), content_type=content_type, frames=frames())


class _Kept:
    """The bytes of an answer in pieces, as long as somebody wants them and they are few enough."""

    def __init__(self, *, wanted: bool) -> None:
        self.frames: list[bytes] = []
        self._room = _KEPT_BYTES if wanted else 0

    def add(self, data: bytes) -> None:
        if not self._room:
            return
        self._room -= len(data)
        if self._room <= 0:
            self._room = 0
            self.frames = []
        elif data:
            self.frames.append(data)
