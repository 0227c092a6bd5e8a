"""From a run to the client: whole answers, and streams that survive their provider or say that they did not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import msgspec

from mrblue_cli.gateway.answers import STOPPING, Answer, BrokenOff, safe_type
from mrblue_cli.gateway.attempt import Attempt
from mrblue_cli.gateway.job import Job, headers_of, total_of, usd
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json, Piece, Reply, Surface, Usage
from mrblue_cli.gateway.routing.health import Lane
from mrblue_cli.gateway.routing.table import RULES
from mrblue_cli.gateway.run import TEXT, Run
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
        return reply, _body(job, run, attempt, reply)

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
    content_type = safe_type(reply.content_type)
    if reply.finish != "content_filter":
        await job.keep(body, content_type, (), usage)
    job.close(200)
    return Answer(headers=headers, content_type=content_type, body=body)


def _body(job: Job, run: Run, attempt: Attempt, reply: Reply) -> bytes:
    if isinstance(reply.body, bytes):
        return reply.body
    if reply.body.get("created") == 0:  # adapters have no clock
        reply.body["created"] = int(job.wall)
    try:
        if attempt.call.surface is job.ask.surface:
            return _encode(reply.body)
        return _encode(TRANSLATORS[job.ask.surface].from_chat(reply.body, job.ask.body))
    except CallError:
        raise
    except Exception as error:
        # The shape of a provider's answer is not ours to trust.
        run.puzzled(error)
        message = f"{attempt.target.provider} sent an answer that cannot be read."
        raise CallError(Fault(kind=FaultKind.BROKEN, message=message)) from error


async def streamed(job: Job, run: Run) -> Answer:
    """Nothing goes to the client before the first real token, so everything until then can be tried elsewhere."""
    try:
        lane, attempt, pieces = await run.make(Attempt.start)
    except BaseException:
        await job.settle(run)
        raise
    job.record.first_token = job.now - job.record.began
    job.served_by(lane, run)
    try:
        stream = _Stream(job, run, lane, attempt)
    except BaseException:
        run.left(lane, attempt)
        await job.settle(run)
        raise
    headers = headers_of(job.record)
    return Answer(headers=headers, content_type=stream.content_type, frames=Frames(stream.frames(pieces), stream.close))


class Frames:
    """Bytes for the client. Closed before it was ever read, it is settled all the same, which a generator is not."""

    def __init__(self, made: AsyncGenerator[bytes], unread: Callable[[], Awaitable[None]]) -> None:
        """`unread` is called instead of what the generator does at its end, when it has not begun."""
        self._made = made
        self._unread = unread
        self._begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        self._begun = True
        return await anext(self._made)

    async def aclose(self) -> None:
        """The client has gone, or the answer is over."""
        if not self._begun:
            self._begun = True
            await self._unread()
        await self._made.aclose()


class _Stream:
    """One answer in pieces, perhaps from more than one provider."""

    def __init__(self, job: Job, run: Run, lane: Lane, attempt: Attempt) -> None:
        self._job = job
        self._run = run
        self._lane = lane
        self._attempt = attempt
        self._over = False
        """What the last attempt came to is on the books."""
        surface = job.ask.surface
        self.content_type = EVENT_STREAM if surface in TEXT else safe_type(attempt.content_type or _OCTETS)
        self._writer: Writer = writer_for(
            surface, attempt.call.surface, job.ask.body, content_type=self.content_type, kept=job.storable
        )
        # Chat streams are replayed from the whole answer; of them only the size counts.
        self._kept = _Kept(wanted=job.storable, held=surface is not Surface.CHAT)
        self._gap = ""
        """White space at the seam that was sent already."""
        self._before: Usage | None = None
        """What those used who began this answer and did not end it."""

    async def frames(self, pieces: list[Piece]) -> AsyncGenerator[bytes]:
        """Bytes for the client. Closing the iterator early means that the client has gone."""
        try:
            while pieces:
                if data := self._written(pieces):
                    yield data
                try:
                    pieces = await self._attempt.more()
                except CallError as error:
                    going_on = await self._after(error.fault)
                    if going_on is None:
                        yield self._failed(error.fault)
                        return
                    pieces = going_on
                except asyncio.CancelledError:
                    if not self._job.stopping:
                        raise
                    yield self._failed(STOPPING)
                    return
            if end := await self._finished():
                yield end
        except BrokenOff:
            raise
        except Exception as error:  # noqa: BLE001 - the head is sent: only here can a defect still be told
            self._run.puzzled(error)
            message = "The gateway could not go on with this answer."
            fault = Fault(kind=FaultKind.SERVER, message=message, type="server_error", code="internal_error")
            if not self._over:
                self._over = True
                self._run.left(self._lane, self._attempt, fault)
            yield self._failed(fault)
        finally:
            await self.close()

    async def close(self) -> None:
        """The books of a stream that is over, or that nobody reads (any more)."""
        if not self._over:
            self._over = True
            self._run.left(self._lane, self._attempt)
        record = self._job.record
        try:
            await self._job.settle(self._run)
        finally:
            self._job.close(200 if record.complete else 499 if record.fault is None else 502)

    def _failed(self, fault: Fault) -> bytes:
        self._job.record.fault = fault
        return self._writer.fail(fault)

    def _written(self, pieces: list[Piece]) -> bytes:
        if self._gap:
            pieces = [self._joined(piece) for piece in pieces]
        for piece in pieces:
            if piece.data is not None and piece.data.get("created") == 0:  # adapters have no clock
                piece.data["created"], piece.raw = int(self._job.wall), b""
            if self._before is not None and piece.data is not None and isinstance(piece.data.get("usage"), dict):
                piece.data["usage"], piece.raw = _with(self._before, piece.data["usage"]), b""
        data = b"".join([self._writer.feed(piece) for piece in pieces])
        if not self._kept.add(data):
            self._writer.forget()
        return data

    async def _after(self, fault: Fault) -> list[Piece] | None:
        """The answer broke off: the first pieces of whoever goes on with it; None when nobody can, or may."""
        run, attempt = self._run, self._attempt
        run.broke(self._lane, attempt, fault)
        self._over = True
        text = self._writer.text()
        # Providers refuse a prefill that ends in white space; what is cut off here is skipped when it comes again.
        prefill = text.rstrip()
        if not (self._writer.resumable and prefill) or attempt.finish or RULES[fault.kind].final:
            return None
        used = run.used(attempt)
        before = used if self._before is None else _sum(self._before, used)
        going_on = await run.go_on(prefill, before.output_tokens)
        if going_on is None:
            return None
        self._lane, self._attempt, pieces = going_on
        self._over = False
        self._before = before
        self._gap = text[len(prefill) :]
        self._writer.resume()
        self._job.served_by(self._lane, run)
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
        self._over = True
        whole_usage = usage if self._before is None else _sum(self._before, usage)
        job.served_by(self._lane, run, whole_usage)
        end = self._writer.finish()
        self._kept.add(end)
        job.record.complete = True
        await job.settle(run)
        if self._kept.worthy and attempt.finish != "content_filter":
            await self._keep(whole_usage)
        cost = total_of(run)
        # A comment, for whoever reads the raw stream; the cache has it not, since a replay costs nothing.
        remark = (
            b": x-mrblue-cost-usd %s\n\n" % usd(cost).encode() if cost is not None and self._writer.remarks else b""
        )
        return remark + end

    async def _keep(self, usage: Usage) -> None:
        frames = self._kept.frames
        if self._job.ask.surface not in TEXT:
            await self._job.keep(b"".join(frames), self.content_type, (), usage)
        elif (whole := self._writer.complete()) is not None:
            await self._job.keep(_encode(whole), "application/json", tuple(frames), usage)


def _sum(first: Usage, second: Usage) -> Usage:
    """What two parts of one answer used together."""
    told = {name: getattr(first, name) + getattr(second, name) for name in _COUNTED}
    reported = None
    if first.reported_nano is not None and second.reported_nano is not None:
        reported = first.reported_nano + second.reported_nano
    return Usage(**told, estimated=first.estimated or second.estimated, reported_nano=reported)


def _with(before: Usage, said: Json) -> Json:
    """A chunk's usage with that of the answer's first part: the client is told what is billed."""
    more = {
        "prompt_tokens": before.input_tokens,
        "completion_tokens": before.output_tokens,
        "total_tokens": before.input_tokens + before.output_tokens,
    }
    known = {name: said[name] for name in more if isinstance(said.get(name), int)}
    return {**said, **{name: count + more[name] for name, count in known.items()}}


_OCTETS = "application/octet-stream"
_COUNTED = tuple(name for name in Usage.__struct_fields__ if name not in ("estimated", "reported_nano"))


class _Kept:
    """The bytes of an answer in pieces, as long as somebody wants them and they are few enough."""

    def __init__(self, *, wanted: bool, held: bool) -> None:
        """Not `held`: they are only counted."""
        self.frames: list[bytes] = []
        self.worthy = wanted
        self._held = held
        self._room = _KEPT_BYTES

    def add(self, data: bytes) -> bool:
        """False when nothing is kept (any more)."""
        if not self.worthy:
            return False
        self._room -= len(data)
        if self._room <= 0:
            self.worthy = False
            self.frames = []
        elif data and self._held:
            self.frames.append(data)
        return self.worthy
