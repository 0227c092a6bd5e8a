"""What went wrong at an OpenAI-compatible service, as our errors.

Never a word of its own text: that may hold the key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError, RemoteError
from mrblue_cli.core.texts import tell

AGAIN_SECONDS = 0.3
T = TypeVar("T")


def remote_error(error: Exception, who: str) -> RemoteError:
    """The error for one of the `openai` package; `who` names the service for the person."""
    import openai

    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return AuthError(tell("{who} refused the key", who=who), hint=tell("check the key in the settings"))
        case openai.RateLimitError() if "insufficient_quota" in {error.code, error.type}:
            hint = tell("see the account's billing page")
            return ProviderError(tell("{who}: the account has no credit left", who=who), hint=hint, code=_QUOTA)
        case openai.RateLimitError():
            what = tell("{who} is over its limit just now", who=who)
            return ProviderError(what, hint=tell("try again in a minute"), code="rate_limit_exceeded", retryable=True)
        case openai.APITimeoutError():
            what = tell("{who} did not answer in time", who=who)
            return ConnectError(what, hint=tell("check the network, or try again"))
        case openai.APIConnectionError():
            what = tell("{who} cannot be reached", who=who)
            return ConnectError(what, hint=tell("is it running, and is the address right?"))
        case openai.NotFoundError():
            what = tell("{who} does not have what was asked for", who=who)
            return ProviderError(what, hint=tell("check the address and the model's name"), code="not_found")
        case openai.InternalServerError():
            what = tell("{who} is out of order (HTTP {status})", who=who, status=error.status_code)
            return ProviderError(what, hint=tell("try again later"), code="server_error", retryable=True)
        case openai.APIStatusError():
            what = tell("{who} refused the request (HTTP {status})", who=who, status=error.status_code)
            return ProviderError(what, hint=tell("check the settings of this service"), code="refused")
        case _:
            what = tell("{who} answered with something that cannot be read", who=who)
            return ProviderError(what, hint=tell("try again"), code="unreadable")


async def twice(make: Callable[[], Awaitable[T]]) -> T:
    """Make a request, and once more when the first met a server's fault or a connection that broke.

    Not after a timeout (somebody waits), nor when a limit was reached: asking again makes that worse.
    """
    import openai

    try:
        return await make()
    except openai.APITimeoutError:
        raise
    except (openai.APIConnectionError, openai.InternalServerError):
        await asyncio.sleep(AGAIN_SECONDS)
        return await make()


def count_of(value: Any) -> int | None:
    """A count as a stranger wrote it; None when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


_QUOTA = "insufficient_quota"
