"""A chat model behind any OpenAI-compatible endpoint, as a brain. The `openai` package is imported on first use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from mrblue_cli.assistant.brain import CallTool, KnowledgeBrain, ModelUse, Question
from mrblue_cli.assistant.chat_messages import CallsRead, messages_of, tools_of
from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.assistant.remote import count_of, remote_error, twice
from mrblue_cli.assistant.roles import blue_instructions, grounded
from mrblue_cli.core.errors import ProviderError
from mrblue_cli.core.texts import tell


class ChatBrain:
    """Streams a chat completion; the tools it wants called come last.

    A failure becomes an honest spoken line, never an exception or a half sentence; with `options.strict` it is raised
    as a `RemoteError`, for a conversation that has another way to go on.
    """

    def __init__(self, options: ChatOptions, knowledge: KnowledgeBrain) -> None:
        self._options = options
        self._knowledge = knowledge
        self._client: Any = None

    async def answer(self, question: Question) -> AsyncIterator[str | CallTool]:
        """Stream the model's words, then its calls."""
        import openai

        spoke = finished = False
        calls = CallsRead()
        try:
            async with await self._asked(openai, question) as stream:
                question.count(ModelUse(self._options.model))
                async for chunk in stream:
                    self._count(question, chunk)
                    if not chunk.choices:
                        continue
                    choice = chunk.choices[0]
                    finished = finished or choice.finish_reason is not None
                    calls.feed(choice.delta.tool_calls)
                    piece = choice.delta.content
                    if piece:
                        spoke = True
                        yield piece
        except openai.OpenAIError as error:
            if self._options.strict:
                raise self._failure(error, spoke=spoke) from None
            yield f"{' … ' if spoke else ''}{_apology(openai, error)}"
            return
        if finished:
            for call in calls.calls:
                yield call
        if not spoke and not calls.calls:
            yield tell("The chat model had nothing to say.")
        elif not finished:
            # A connection that simply ends must not pass half an answer off as a whole one.
            yield f" … {tell('The rest of the answer was cut off.')}"

    async def close(self) -> None:
        """Let go of the connections; safe to call again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _asked(self, openai: Any, question: Question) -> Any:
        client = self._connected(openai)
        request: dict[str, Any] = {
            "model": self._options.model,
            "messages": messages_of(question, self._system(question)),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if question.tools:
            request["tools"] = tools_of(question)
        if not self._options.strict:
            return await client.chat.completions.create(**request)
        return await twice(lambda: client.chat.completions.create(**request))

    def _connected(self, openai: Any) -> Any:
        if self._client is None:
            self._client = openai.AsyncOpenAI(
                api_key=self._options.api_key or "none",
                base_url=self._options.base_url,
                timeout=self._options.timeout_seconds,
                max_retries=0 if self._options.strict else 1,
            )
        return self._client

    def _system(self, question: Question) -> str:
        result = self._knowledge.search(question.text)
        facts = "\n".join(
            f"- {hit.entry.title}: {solution.title}: {'; '.join(solution.steps)}"
            for hit in result.hits
            for solution in hit.solutions[:1]
        )
        return grounded(question.instructions or blue_instructions(), facts)

    def _count(self, question: Question, chunk: Any) -> None:
        usage = chunk.usage
        if usage is None:
            return
        given, made = getattr(usage, "prompt_tokens_details", None), getattr(usage, "completion_tokens_details", None)
        question.count(
            ModelUse(
                self._options.model,
                count_of(getattr(usage, "prompt_tokens", None)),
                count_of(getattr(given, "cached_tokens", None)),
                count_of(getattr(usage, "completion_tokens", None)),
                count_of(getattr(made, "reasoning_tokens", None)),
            )
        )

    def _failure(self, error: Exception, *, spoke: bool) -> Exception:
        if spoke:
            return ProviderError(tell("the chat model broke off"), hint=tell("ask again"), code="cut")
        return remote_error(error, tell("the chat model"))


def _apology(openai: Any, error: Exception) -> str:
    """Say what happened without a word of the error's own text, which may hold the key."""
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return tell("The chat model refused the key. Please check it in the settings.")
    if isinstance(error, openai.RateLimitError):
        return tell("The chat model is over its limit just now. Please try again in a minute.")
    if isinstance(error, openai.APIConnectionError):
        return tell("I can't reach the chat model. Is it running, and is the address right?")
    return tell("The chat model failed. Please try again.")
