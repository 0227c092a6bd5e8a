"""Taking an order without a model: which of the order's tools an utterance calls for.

The menu is with the tools, in the client. So words are passed on as they were said; what is decided here is only
whether they order, ask, agree, or end the order.
"""

from __future__ import annotations

from mrblue_cli.assistant.brain import CallTool, Exchange, Question
from mrblue_cli.assistant.skills.base import arguments_of, call, offers
from mrblue_cli.assistant.skills.orders.agree import begins, holds, means
from mrblue_cli.core.texts import language, tell

UPDATE, READ, MENU, SEND = "update_order", "read_order", "read_menu", "send_order"
_HELLO = frozenset(
    {"hello", "hi", "hey", "good morning", "good evening", "hola", "buenas", "buenos días", "buenas tardes"}
)


class OrderSkill:
    """Takes orders."""

    tools = frozenset({UPDATE, READ, MENU, SEND})

    def try_answer(self, question: Question) -> str | CallTool | None:
        """A call or a question; None for what is no matter of an order."""
        text = question.text.strip()
        code = language()
        if text.casefold().strip(" .!,¡") in _HELLO:
            return tell("Hello. What may I bring you?")
        before = _last_call(question.history)
        was_read = before is not None and before.call is not None and before.call.name == READ and _went_well(before)
        if was_read:
            if means(text, "yes", code) or means(text, "send", code):
                return call(SEND) if offers(question, SEND) else tell("I may not send orders here.")
            if means(text, "no", code):
                return tell("What shall I change?")
        if means(text, "read", code) or holds(text, "read", code):
            return call(READ)
        if means(text, "done", code) or means(text, "send", code):
            return call(READ)
        if before is not None and means(text, "no", code):
            # "Anything else?" "No."
            return call(READ)
        if before is not None and means(text, "yes", code):
            return tell("What else would you like?")
        if self._asks(text, code):
            return call(MENU, about=text) if offers(question, MENU) else None
        return call(UPDATE, said=text)

    def otherwise(self) -> str | None:
        """What this can do."""
        return tell("I can take your order: tell me what you would like, and how many.")

    @staticmethod
    def _asks(text: str, code: str) -> bool:
        return (text.rstrip().endswith("?") or begins(text, "ask", code)) and begins(text.lstrip("¿ "), "ask", code)


def _last_call(history: tuple[Exchange, ...]) -> Exchange | None:
    """The last tool output of the talk."""
    return next((exchange for exchange in reversed(history) if exchange.role == "tool"), None)


def _went_well(exchange: Exchange) -> bool:
    return arguments_of(exchange.text).get("ok") is True
