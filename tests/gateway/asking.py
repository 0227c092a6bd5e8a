"""What a client sees of the gateway's answers, to the byte: no SDK that would smooth anything over."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import aiohttp


class Heard(NamedTuple):
    """One answer as a client sees it."""

    status: int
    headers: dict[str, str]
    body: bytes
    broken: str
    """How the connection failed under the answer; empty when HTTP ended as it should."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of each server-sent event: JSON, or the text of marks such as [DONE]. Comments are left out."""
        blocks = [block for block in self.body.decode().split("\n\n") if block.strip()]
        said = [line[6:] for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [json.loads(one) if one.startswith("{") else one for one in said]

    @property
    def text(self) -> str:
        """The visible text, streamed or plain."""
        if not self.streamed:
            return self.json["choices"][0]["message"]["content"]
        deltas = [choice["delta"] for chunk in self._chunks for choice in chunk.get("choices", [])]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def finish(self) -> str | None:
        """Why the model stopped; None: it never said."""
        if not self.streamed:
            return self.json["choices"][0]["finish_reason"]
        reasons = [choice.get("finish_reason") for chunk in self._chunks for choice in chunk.get("choices", [])]
        said = [reason for reason in reasons if reason]
        assert len(said) <= 1, f"{len(said)} finish reasons in one stream"
        return said[0] if said else None

    @property
    def error(self) -> dict[str, Any] | None:
        """The error of the body, or of the stream."""
        if not self.streamed:
            return self.json.get("error")
        errors = [chunk["error"] for chunk in self._chunks if "error" in chunk]
        assert len(errors) <= 1, f"{len(errors)} errors in one stream"
        return errors[0] if errors else None

    @property
    def streamed(self) -> bool:
        """Whether this is a stream of events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def done(self) -> bool:
        """Whether the stream's end marker came, and came last."""
        marks = [event for event in self.events if event == "[DONE]"]
        assert len(marks) <= 1, "more than one end marker"
        return bool(marks) and self.events[-1] == "[DONE]"

    @property
    def _chunks(self) -> list[dict[str, Any]]:
        return [event for event in self.events if isinstance(event, dict)]


async def ask(client: aiohttp.ClientSession, url: str, body: dict[str, Any], **headers: str) -> Heard:
    """POST and read all there is, also of an answer that breaks off."""
    got, broken = bytearray(), ""
    async with client.post(url, json=body, headers=headers) as answer:
        try:
            async for part in answer.content.iter_any():
                got += part
        except aiohttp.ClientError as error:
            broken = repr(error)
        seen = {name.lower(): value for name, value in answer.headers.items()}
        return Heard(answer.status, seen, bytes(got), broken)


def question(
    *, stream: bool = False, model: str = "m-1", said: str = "Why is port 3000 busy?", **more: Any
) -> dict[str, Any]:
    """A chat request."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": said}], **more}
    return {**body, "stream": True} if stream else body
