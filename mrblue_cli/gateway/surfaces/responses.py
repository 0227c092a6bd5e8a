"""OpenAI's `/v1/responses` in terms of chat completions (OpenAI API reference, "Responses")."""

from __future__ import annotations

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, Json, Reply, Surface, Usage
from mrblue_cli.gateway.providers.base import StreamDecoder
from mrblue_cli.gateway.surfaces import responses_request
from mrblue_cli.gateway.surfaces.base import StreamEncoder
from mrblue_cli.gateway.surfaces.chat import chat_usage
from mrblue_cli.gateway.surfaces.errors import broken, openai_error, openai_fault
from mrblue_cli.gateway.surfaces.fields import count, rows, table, text
from mrblue_cli.gateway.surfaces.ids import OURS, seed

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_FINISHES = {"max_output_tokens": "length", "max_messages": "length", "content_filter": "content_filter"}


def write_usage(usage: Usage | None) -> Json | None:
    """Usage in the Responses shape."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def read_usage(response: Json) -> Usage | None:
    """Usage of a response; None when it has none."""
    usage = response.get("usage")
    if not isinstance(usage, dict):
        return None
    read = table(usage.get("input_tokens_details"))
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cached_input_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
        reasoning_tokens=count(table(usage.get("output_tokens_details")).get("reasoning_tokens")),
    )


def response_finish(response: Json) -> str:
    """Chat's finish reason for a response; empty while it has not ended."""
    if response.get("status") == "incomplete":
        return _FINISHES.get(text(table(response.get("incomplete_details")).get("reason")), "length")
    if response.get("status") != "completed":
        return ""
    calls = any(text(item.get("type")).endswith("_call") for item in rows(response.get("output")))
    return "tool_calls" if calls else "stop"


def response_fault(response: Json) -> Fault:
    """Why a response failed."""
    return openai_fault(table(response.get("error")))


def frame_of(chunk: Json, body: Json) -> Json:
    """The response without output, status in progress, from a chat completion or chunk and the request."""
    reasoning, words = table(body.get("reasoning")), table(body.get("text"))
    parallel, choice = body.get("parallel_tool_calls"), body.get("tool_choice")
    return {
        "id": f"resp_{OURS}{seed(chunk.get('id'))}",
        "object": "response",
        "created_at": count(chunk.get("created")),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": text(chunk.get("model")) or text(body.get("model")),
        "output": [],
        "parallel_tool_calls": True if parallel is None else parallel,
        "previous_response_id": None,
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": False,
        "temperature": 1.0 if body.get("temperature") is None else body["temperature"],
        "text": {"format": {"type": "text"}} | words,
        "tool_choice": "auto" if choice is None else choice,
        "tools": rows(body.get("tools")),
        "top_p": 1.0 if body.get("top_p") is None else body["top_p"],
        "truncation": "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": table(body.get("metadata")),
    }


def item_status(finish: str) -> str:
    """The status of the item that an answer ends with."""
    return "incomplete" if finish in _INCOMPLETE else "completed"


def ended(response: Json, finish: str, output: list[Json], usage: Usage | None) -> Json:
    """The response as it ends: completed, or incomplete with the reason."""
    reason = _INCOMPLETE.get(finish)
    return response | {
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": write_usage(usage),
    }


# Items of the output; the stream makes the same ones piece by piece.


def text_part(words: str, logprobs: list[Json] | None = None, annotations: list[Json] | None = None) -> Json:
    """A text part; annotations and log probabilities are chat's."""
    cited = [{"type": "url_citation", **table(note.get("url_citation"))} for note in annotations or []]
    return {"type": "output_text", "annotations": cited, "logprobs": probabilities(logprobs or []), "text": words}


def probabilities(logprobs: list[Json]) -> list[Json]:
    """Chat's log probabilities of tokens; Responses wants no null in `bytes`."""
    return [
        row | {"bytes": row.get("bytes") or [], "top_logprobs": [_flat(top) for top in rows(row.get("top_logprobs"))]}
        for row in logprobs
    ]


def _flat(top: Json) -> Json:
    return top | {"bytes": top.get("bytes") or []}


def message_item(item_id: str, content: list[Json], status: str = "completed") -> Json:
    """What the assistant says."""
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": content}


def call_item(item_id: str, call_id: str, name: str, arguments: str, status: str = "completed") -> Json:
    """A function call."""
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "arguments": arguments,
        "call_id": call_id,
        "name": name,
    }


def reasoning_item(item_id: str, thought: str) -> Json:
    """A thought, told as a summary."""
    return {"id": item_id, "type": "reasoning", "summary": [{"type": "summary_text", "text": thought}]}


class Responses:
    """The translator of the responses surface."""

    surface = Surface.RESPONSES

    def to_chat(self, body: Json) -> Json:
        """The chat request. Raises `CallError`."""
        return responses_request.to_chat(body)

    def to_native(self, body: Json) -> Json:
        """The body for a provider that speaks this surface. Raises `CallError` for a response stored nowhere."""
        return responses_request.to_native(body)

    def from_chat(self, reply: Json, body: Json) -> Json:
        """The response object."""
        choice = next(iter(rows(reply.get("choices"))), {})
        said, finish, name = table(choice.get("message")), text(choice.get("finish_reason")), seed(reply.get("id"))
        output: list[Json] = []
        if thought := text(said.get("reasoning_content")) or text(said.get("reasoning")):
            output.append(reasoning_item(f"rs_{OURS}{name}_0", thought))
        content: list[Json] = []
        if words := text(said.get("content")):
            logprobs = rows(table(choice.get("logprobs")).get("content"))
            content.append(text_part(words, logprobs, rows(said.get("annotations"))))
        if refusal := text(said.get("refusal")):
            content.append({"type": "refusal", "refusal": refusal})
        if content:
            output.append(message_item(f"msg_{OURS}{name}_{len(output)}", content))
        calls = rows(said.get("tool_calls"))
        if function := table(said.get("function_call")):
            calls = [*calls, {"function": function}]
        for index, call in enumerate(calls):
            function = table(call.get("function"))
            call_id = text(call.get("id")) or f"call_{name}_{index}"
            arguments = text(function.get("arguments"))
            output.append(call_item(f"fc_{OURS}{name}_{len(output)}", call_id, text(function.get("name")), arguments))
        if output and "status" in output[-1]:  # a cut answer is cut in its last item
            output[-1]["status"] = item_status(finish)
        return ended(frame_of(reply, body), finish, output, chat_usage(reply))

    def encoder(self, body: Json) -> StreamEncoder:
        """Chat chunks to the events of a response."""
        from mrblue_cli.gateway.surfaces.responses_stream import ResponsesEncoder

        return ResponsesEncoder(body)

    def native_stream(self) -> StreamDecoder:
        """Reads OpenAI's own events."""
        from mrblue_cli.gateway.surfaces.native import responses_reader

        return responses_reader()

    def native_reply(self, body: bytes) -> Reply:
        """Reads OpenAI's own answer. Raises `CallError`: BROKEN, or what made the response fail."""
        try:
            response = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            response = None
        if not isinstance(response, dict) or response.get("object") != "response":
            raise CallError(broken("The provider's answer is not a response."))
        if response.get("status") == "failed":
            raise CallError(response_fault(response))
        parts = [
            part
            for item in rows(response.get("output"))
            if item.get("type") == "message"
            for part in rows(item.get("content"))
        ]
        return Reply(
            body=response,
            usage=read_usage(response),
            finish=response_finish(response),
            text="".join(text(part.get("text")) or text(part.get("refusal")) for part in parts),
        )

    def replay(self, reply: Json) -> list[bytes]:
        """The events of a complete response."""
        from mrblue_cli.gateway.surfaces.responses_stream import replay_response

        return replay_response(reply)

    def error(self, fault: Fault, status: int) -> Json:
        """OpenAI's error body."""
        return openai_error(fault, status)
