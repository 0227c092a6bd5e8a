"""Whether a service behind the engine is gone, or only stumbled once. Pure."""

from __future__ import annotations

from mrblue_cli.core.errors import AuthError, ConnectError, ProviderError, RemoteError

ODD_FAILURES = 2
"""Replies in a row that failed in ways which may be an accident; then it is none."""
GONE_CODES = frozenset({"insufficient_quota", "rate_limit_exceeded", "server_error", "not_found"})
"""Faults that the next request would meet again."""


class Health:
    """Judges the failures of one way to hold the conversation, over all its sessions."""

    def __init__(self) -> None:
        self._odd = 0

    def succeeded(self) -> None:
        """A reply was made."""
        self._odd = 0

    def failed(self, error: RemoteError) -> ConnectError | None:
        """The error with which the connection counts as lost, None when the session goes on after this one.

        It is never `retryable`: what refuses a key, a quota or a connection now does so again at once; whoever has
        another way goes there, and comes back later.
        """
        self._odd += 1
        gone = isinstance(error, AuthError | ConnectError) or error.code in GONE_CODES or self._odd >= ODD_FAILURES
        if not gone:
            return None
        self._odd = 0
        code = error.code if isinstance(error, AuthError | ProviderError) else None
        return ConnectError(error.what, hint=error.hint, code=code, retryable=False)
