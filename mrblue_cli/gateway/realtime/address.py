"""PURE: where an upstream session is opened, and with which headers: the provider's own key, never the client's."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, Target
from mrblue_cli.gateway.realtime.handshake import Ask
from mrblue_cli.protocol.notices import Dialect

_OPENAI_HOST = "api.openai.com"
_AZURE_DOMAINS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_AZURE_PREVIEW = "2025-04-01-preview"
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class RealtimeRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One provider that may carry the session.

    `Target.options` may hold ("dialect", "ga"|"beta") and, for Azure's preview, ("api_version", "2025-04-01-preview").
    """

    target: Target

    @property
    def dialect(self) -> Dialect | None:
        """The dialect as configured, GA for OpenAI itself; None: told by `session.created`."""
        if urlsplit(self.target.url).hostname == _OPENAI_HOST:
            return Dialect.GA
        given = dict(self.target.options).get("dialect", "")
        return Dialect(given) if given in {Dialect.GA.value, Dialect.BETA.value} else None


def upstream_address(route: RealtimeRoute, ask: Ask) -> tuple[str, list[tuple[str, str]]]:
    """(url, headers) of the session at the provider. Raises `CallError` (UNSUPPORTED) for no websocket address."""
    target = route.target
    try:
        parts = urlsplit(target.url)
        scheme, host = _SCHEMES.get(parts.scheme, ""), parts.hostname or ""
    except ValueError:
        scheme = host = ""
    if not scheme or not host:
        message = f"{target.provider} has no address for realtime sessions"
        raise CallError(Fault(kind=FaultKind.UNSUPPORTED, message=message))
    azure = host.endswith(_AZURE_DOMAINS)
    path = parts.path if target.endpoint else _path(parts.path, azure=azure, dialect=route.dialect)
    query = dict(parse_qsl(parts.query))
    _name_session(query, path, route, ask, azure=azure)
    headers = [*target.headers]
    if target.api_key:
        headers.append(("api-key", target.api_key) if azure else ("Authorization", f"Bearer {target.api_key}"))
    if route.dialect is Dialect.BETA:
        headers.append(("OpenAI-Beta", "realtime=v1"))
    elif ask.safety_identifier:
        headers.append(("OpenAI-Safety-Identifier", ask.safety_identifier))
    return urlunsplit((scheme, parts.netloc, path, urlencode(query), "")), headers


def _path(base: str, *, azure: bool, dialect: Dialect | None) -> str:
    base = base.rstrip("/")
    if azure:
        return "/openai/realtime" if dialect is Dialect.BETA else "/openai/v1/realtime"
    return base if base.endswith("/realtime") else f"{base}/realtime"


def _name_session(query: dict[str, str], path: str, route: RealtimeRoute, ask: Ask, *, azure: bool) -> None:
    """Write model (or deployment), intent and call into the query, unless the configured address has them."""
    preview = azure and not path.startswith("/openai/v1")
    if preview:
        configured = dict(route.target.options).get("api_version", "")
        query.setdefault("api-version", configured or _AZURE_PREVIEW)
    else:
        query.pop("api-version", None) if azure else None  # Azure's GA address answers 401 to it
    if ask.intent:
        query.setdefault("intent", ask.intent)
    if ask.call_id:
        query["call_id"] = ask.call_id
        return
    name = "deployment" if preview else "model"
    if route.target.model and "intent" not in query:
        query.setdefault(name, route.target.model)
