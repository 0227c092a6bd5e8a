"""A chat model behind any OpenAI-compatible endpoint, as a brain. The `openai` package is imported on first use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from mrblue_cli.assistant.brain import KnowledgeBrain, Question
from mrblue_cli.assistant.options import ChatOptions
from mrblue_cli.assistant.roles import BLUE, grounded

_HISTORY_TURNS = 12


class ChatBrain:
    """Streams a chat completion; a failure becomes an honest spoken line, never an exception or a half sentence."""

    def __init__(self, options: ChatOptions, knowledge: KnowledgeBrain) -> None:
        self._options = options
        self._knowledge = knowledge
        self._client: Any = None

    async def answer(self, question: Question) -> AsyncIterator[str]:
        """Stream the model's words."""
        import openai

        spoke = finished = False
        try:
            stream = await self._connected(openai).chat.completions.create(
                model=self._options.model, messages=self._messages(question), stream=True
            )
            async for chunk in stream:
                if not chunk.choices:
                    continue
                finished = finished or chunk.choices[0].finish_reason is not None
                piece = chunk.choices[0].delta.content
                if piece:
                    spoke = True
                    yield piece
        except openai.OpenAIError as error:
            yield f"{' … ' if spoke else ''}{_apology(openai, error)}"
            return
        if not spoke:
            yield "The chat model had nothing to say."
        elif not finished:
            # A connection that simply ends must not pass half an answer off as a whole one.
            yield " … The rest of the answer was cut off."

    async def close(self) -> None:
        """Let go of the connections; safe to call again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self, openai: Any) -> Any:
        if self._client is None:
            self._client = openai.AsyncOpenAI(
                api_key=self._options.api_key or "none",
                base_url=self._options.base_url,
                timeout=self._options.timeout_seconds,
                max_retries=1,
            )
        return self._client

    def _messages(self, question: Question) -> list[dict[str, str]]:
        result = self._knowledge.search(question.text)
        facts = "\n".join(
            f"- {hit.entry.title}: {solution.title}: {'; '.join(solution.steps)}"
            for hit in result.hits
            for solution in hit.solutions[:1]
        )
        system = {"role": "system", "content": grounded(question.instructions or BLUE, facts)}
        past = [{"role": turn.role, "content": turn.text} for turn in question.history[-_HISTORY_TURNS:] if turn.text]
        return [system, *past, {"role": "user", "content": question.text}]


def _apology(openai: Any, error: Exception) -> str:
    """Say what happened without a word of the error's own text, which may hold the key."""
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return "The chat model refused the key. Please check it in the settings."
    if isinstance(error, openai.RateLimitError):
        return "The chat model is over its limit just now. Please try again in a minute."
    if isinstance(error, openai.APIConnectionError):
        return "I can't reach the chat model. Is it running, and is the address right?"
    return "The chat model failed. Please try again."
