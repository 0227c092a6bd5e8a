"""The endpoints that cost money: each reads one request, hands it to the pipeline, and sends what comes back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import msgspec
from starlette.types import Receive, Scope, Send

from mrblue_cli.gateway.answers import STOPPING, Answer, Ask, refusal, safe_header
from mrblue_cli.gateway.gateway import Gateway
from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Json, Part, Surface
from mrblue_cli.gateway.options import LimitOptions
from mrblue_cli.gateway.server.forms import read_form
from mrblue_cli.gateway.server.http import bad, headers_of, parse_json, read_body, send_answer

SURFACE_PATHS: dict[str, Surface] = {
    "/chat/completions": Surface.CHAT,
    "/responses": Surface.RESPONSES,
    "/messages": Surface.MESSAGES,
    "/embeddings": Surface.EMBEDDINGS,
    "/audio/transcriptions": Surface.TRANSCRIPTION,
    "/audio/speech": Surface.SPEECH,
}
"""Where each surface is served, with and without `/v1` before it."""


class SurfaceEndpoint:
    """`POST` on one surface, as a bare ASGI callable."""

    def __init__(self, gateway: Gateway, surface: Surface) -> None:
        self._gateway = gateway
        self._surface = surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = headers_of(scope)
        request_id = request_id_of(headers)
        extra = {"x-request-id": request_id}
        if self._surface is Surface.MESSAGES:
            extra["request-id"] = request_id  # where Anthropic's clients look
        gateway = self._gateway
        if scope["method"] != "POST":
            refused = self._refused(bad(f"{self._surface} is asked for with POST.", status=405), request_id)
            await send_answer(refused, {**extra, "allow": "POST"}, receive, send)
            return
        answer: Answer | None = None
        try:
            with gateway.admitted():
                try:
                    answer = await self._answer(headers, request_id, receive)
                except CallError as error:
                    answer = self._refused(error.fault, request_id)
                except asyncio.CancelledError:
                    if not gateway.stopping:
                        raise
                    answer = refusal(self._surface, STOPPING)
                except Exception as error:  # noqa: BLE001 - the last line between a defect and a client
                    answer = self._refused(gateway.defect(request_id, error), request_id)
                await send_answer(answer, extra, receive, send)
        except CallError as error:
            if answer is not None:
                raise  # a body that broke off: so must the connection
            await send_answer(self._refused(error.fault, request_id), extra, receive, send)

    def _refused(self, fault: Fault, request_id: str) -> Answer:
        answer = refusal(self._surface, fault)
        self._gateway.turned_away(self._surface, request_id, fault, answer.status)
        return answer

    async def _answer(self, headers: dict[str, str], request_id: str, receive: Receive) -> Answer:
        gateway = self._gateway
        caller = gateway.authenticate(headers)
        limits = gateway.options.limits
        if self._surface is Surface.TRANSCRIPTION:
            body, parts = await self._form(headers, receive, limits)
        else:
            _json_only(headers)
            body, parts = parse_json(await read_body(receive, headers, limits.body_bytes, limits.body_seconds)), ()
        ask = Ask(
            surface=self._surface,
            body=body,
            parts=parts,
            caller=caller,
            request_id=request_id,
            control=headers.get("cache-control", ""),
            traceparent=headers.get("traceparent", ""),
            tracestate=headers.get("tracestate", ""),
        )
        return await gateway.pipeline.answer(ask)

    @staticmethod
    async def _form(
        headers: Mapping[str, str], receive: Receive, limits: LimitOptions
    ) -> tuple[Json, tuple[Part, ...]]:
        if not headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise CallError(bad("A transcription is asked for with multipart/form-data.", status=415))
        body = await read_body(receive, headers, limits.upload_bytes, limits.body_seconds)
        fields, files = read_form(headers["content-type"], body)
        if not files:
            raise CallError(bad("The form has no file.", "file"))
        return fields, files


def request_id_of(headers: Mapping[str, str]) -> str:
    """The client's own id when it is a decent one, else a new one."""
    given = headers.get("x-request-id", "")
    if given and len(given) <= 128 and all(c.isalnum() or c in "-_.:" for c in given) and given.isascii():
        return given
    return f"req_{secrets.token_hex(12)}"


def _json_only(headers: Mapping[str, str]) -> None:
    """Browsers send forms and plain text across sites without asking; JSON they do not."""
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise CallError(bad(f"The content type must be application/json, not '{safe_header(kind)}'.", status=415))


def json_answer(value: object, *, status: int = 200) -> Answer:
    """A JSON document as an answer."""
    return Answer(status=status, body=msgspec.json.encode(value))


def not_found(method: str, path: str) -> Answer:
    """The answer for addresses nobody lives at."""
    fault = Fault(
        kind=FaultKind.NOT_FOUND,
        message=f"Unknown request URL: {safe_header(method)} {safe_header(path)}. See /openapi.json for what there is.",
        type="invalid_request_error",
        code="unknown_url",
    )
    return refusal(Surface.CHAT, fault)
