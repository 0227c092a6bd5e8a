"""AI21's Jamba models: OpenAI's chat completions with fewer parameters, text alone, and FastAPI's errors.

Source: AI21 Studio API reference, chat completions.
"""

from __future__ import annotations

from mrblue_cli.gateway.model import Call, Json, Target
from mrblue_cli.gateway.providers.compatible import Compatible
from mrblue_cli.gateway.providers.dialects import Dialect
from mrblue_cli.gateway.providers.wire import rows, string, table, unsupported

_TAKES = frozenset(
    "model messages tools documents response_format max_tokens temperature top_p stop n stream".split()  # noqa: SIM905
)
_WAYS = Dialect(
    base_url="https://api.ai21.com/studio/v1",
    key_variable="AI21_API_KEY",
    refused=frozenset({"logprobs", "top_logprobs", "functions"}),
    stream_options=False,
    schema="object",
    flat_text=True,
    names=False,
)


class AI21(Compatible):
    """The adapter."""

    def __init__(self) -> None:
        super().__init__("ai21", _WAYS)

    def chat(self, body: Json, call: Call, target: Target) -> Json:
        """The body, with nothing in it that the API does not name."""
        choice = body.get("tool_choice")
        if choice is not None and string(choice) not in {"auto", "none"}:
            raise unsupported(f"{target.provider} lets the model choose its tools", "tool_choice")
        if choice == "none":
            body = {name: value for name, value in body.items() if name != "tools"}
        if any(tool.get("type") != "function" for tool in rows(body.get("tools"))):
            raise unsupported(f"{target.provider} knows only functions as tools", "tools")
        made = super().chat(body, call, target)
        if call.stream and isinstance(made.get("n"), int) and made["n"] > 1:
            raise unsupported(f"{target.provider} streams one answer at a time", "n")
        if table(made.get("response_format")).get("type") == "text":
            made.pop("response_format")
        return {name: value for name, value in made.items() if name in _TAKES and value is not None}
