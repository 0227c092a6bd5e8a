"""The engine on a socket: one Realtime server on loopback, for `mrblue talk` and any other Realtime client."""

from __future__ import annotations

import asyncio
import contextlib
import http
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from mrblue_cli.assistant.brain import Brain, Question
from mrblue_cli.core.errors import DeviceError, MrBlueError
from mrblue_cli.core.ids import IdSource, RandomIds
from mrblue_cli.engine.defaults import session_defaults
from mrblue_cli.engine.options import EngineOptions
from mrblue_cli.engine.session import EngineParts, EngineSession
from mrblue_cli.engine.speech import SpeechToText, TextToSpeech
from mrblue_cli.engine.workers import SpeechWorkers
from mrblue_cli.protocol.codec import Codec, EventFault, GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.server_events import Error, ErrorDetail, ServerEvent

PATH = "/v1/realtime"
MAX_MESSAGE_BYTES = 24 * 1024 * 1024
_AUTH, _POLICY_END = 3000, 1001


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where the engine listens, and the word that lets one in."""

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """The websocket address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{PATH}"


class EngineServer:
    """Starts listening at once and warms the models meanwhile; a session opens when they are warm."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        stt: SpeechToText,
        tts: TextToSpeech,
        brain: Brain,
        preview: Callable[[Question], str | None],
        prompt: str = "",
        ids: IdSource | None = None,
        unix_now: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._ids = ids or RandomIds()
        self._unix_now = unix_now
        self._workers = SpeechWorkers(stt, tts)
        self._parts = EngineParts(self._workers, brain, preview, prompt, options.language)
        self._defaults = session_defaults(stt.name, tts.name, options.language)
        self._server: Server | None = None
        self._warming: asyncio.Future[None] | None = None
        self._token = options.token or secrets.token_urlsafe(24)

    async def start(self) -> EngineAddress:
        """Listen; raises `DeviceError` when the address cannot be used."""
        host, port = self._options.host, self._options.port
        try:
            self._server = await serve(
                self._serve,
                host,
                port,
                process_request=_check_path,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                ping_interval=20,
                ping_timeout=20,
                server_header=None,
            )
        except OSError as error:
            hint = "choose another --port, or 0 for any free one"
            raise DeviceError(f"cannot listen on {host}:{port}: {error.strerror}", hint=hint) from None
        self._warming = asyncio.ensure_future(self._workers.warm())
        self._warming.add_done_callback(lambda done: done.cancelled() or done.exception())
        bound = next(iter(self._server.sockets)).getsockname()
        return EngineAddress(host, bound[1], self._token)

    async def wait_warm(self) -> None:
        """Wait until the models are loaded; raises what loading raised."""
        assert self._warming is not None, "start first"  # noqa: S101 - a programming error
        await asyncio.shield(self._warming)

    async def wait_closed(self) -> None:
        """Wait until `close` was called."""
        if self._server is not None:
            await self._server.wait_closed()

    async def close(self) -> None:
        """Close every session and stop listening; safe to call again."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._warming is not None:
            self._warming.cancel()
        await self._workers.close()

    async def _serve(self, socket: ServerConnection) -> None:
        codec: Codec = BetaCodec() if _asks_for_beta(socket.request) else GaCodec()
        if not self._may_enter(socket.request):
            await self._reject(socket, codec, "invalid_api_key", "The engine's token is missing or wrong.")
            return
        try:
            await self.wait_warm()
        except MrBlueError as error:
            await self._reject(socket, codec, error.code, f"{error.what}; {error.hint}", close_code=1011)
            return
        outbox: asyncio.Queue[ServerEvent] = asyncio.Queue()
        session = EngineSession(
            self._parts,
            self._defaults,
            ids=self._ids,
            expires_at=int(self._unix_now() + self._options.session_limit_seconds),
            send=outbox.put_nowait,
        )
        writer = asyncio.ensure_future(_write(socket, codec, outbox))
        try:
            session.open()
            async with asyncio.timeout(self._options.session_limit_seconds):
                await self._read(socket, codec, session)
        except TimeoutError:
            writer.cancel()
            message = "Your session hit its maximum duration."
            await self._reject(socket, codec, "session_expired", message, close_code=_POLICY_END)
        finally:
            await session.close()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await writer

    async def _read(self, socket: ServerConnection, codec: Codec, session: EngineSession) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                if isinstance(message, bytes):
                    session.refuse(EventFault("invalid_event", "Binary frames are not accepted; send JSON text."))
                    continue
                try:
                    session.receive(codec.decode_client(message))
                except EventFault as fault:
                    session.refuse(fault)

    def _may_enter(self, request: Request | None) -> bool:
        if request is None:
            return False
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        for name in offered.split(","):
            given = given or name.strip().removeprefix("openai-insecure-api-key.")
        query = parse_qs(urlsplit(request.path).query)
        given = given or query.get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self._token.encode())

    async def _reject(
        self, socket: ServerConnection, codec: Codec, code: str, message: str, *, close_code: int = _AUTH
    ) -> None:
        """Say why, then close: an upgraded connection with an error is how the real service refuses, too."""
        error = Error(event_id=self._ids.new("event"), error=ErrorDetail(code=code, message=message))
        with contextlib.suppress(ConnectionClosed):
            await socket.send(codec.encode_server(error) or "")
            await socket.close(close_code, f"invalid_request_error.{code}"[:120])


async def _write(socket: ServerConnection, codec: Codec, outbox: asyncio.Queue[ServerEvent]) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            text = codec.encode_server(await outbox.get())
            if text is not None:
                await socket.send(text)


def _check_path(socket: ServerConnection, request: Request) -> Response | None:
    if urlsplit(request.path).path.rstrip("/") in {PATH, "/realtime"}:
        return None
    return socket.respond(http.HTTPStatus.NOT_FOUND, f"This is a Realtime server; connect to {PATH}\n")


def _asks_for_beta(request: Request | None) -> bool:
    return request is not None and "realtime=v1" in request.headers.get("OpenAI-Beta", "")
