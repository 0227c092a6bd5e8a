"""From what a person writes (a name or an address) to an endpoint. A key never goes where it does not belong."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.protocol.notices import Dialect
from mrblue_cli.realtime.options import ConnectOptions

OPENAI_HOST = "api.openai.com"
DEFAULT_MODEL = "gpt-realtime-2.1"
_AZURE_DOMAINS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


def openai_endpoint(api_key: str, model: str = DEFAULT_MODEL) -> ConnectOptions:
    """OpenAI's own service, GA only: the beta header is refused there."""
    if not api_key:
        raise ConfigError(
            "talk.engine is 'openai', but there is no OPENAI_API_KEY",
            hint="export OPENAI_API_KEY=…, or use the engine on this machine: mrblue talk --engine local",
        )
    check_key(api_key)
    url = f"wss://{OPENAI_HOST}/v1/realtime?{urlencode({'model': model})}"
    return ConnectOptions(url, (("Authorization", f"Bearer {api_key}"),), "openai", Dialect.GA)


def endpoint_from_url(
    address: str, *, model: str | None = None, api_key: str = "", dialect: Dialect | None = None
) -> ConnectOptions:
    """Any compatible server by its address; `api_key` is the key that was given for this very address.

    http(s) is read as ws(s), a missing path becomes /v1/realtime. Azure hosts get their `api-key` header, and the beta
    opt-in header goes only where the beta dialect was asked for, never to OpenAI.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        parts = urlsplit("")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    try:
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if scheme not in {"ws", "wss"} or not parts.hostname or not port_is_valid:
        raise ConfigError(
            f"'{_shown(address)}' is no Realtime address",
            hint="write ws://HOST:PORT/v1/realtime, wss://…, openai, local or auto",
        )
    host = parts.hostname
    azure = host.endswith(_AZURE_DOMAINS)
    path = parts.path if parts.path not in {"", "/"} else ("/openai/v1/realtime" if azure else "/v1/realtime")
    query = dict(parse_qsl(parts.query))
    names_model = "model" in query or "deployment" in query or "intent" in query or "call_id" in query
    if model and not names_model:
        query["model"] = model
    if azure and path.startswith("/openai/v1"):
        query.pop("api-version", None)  # the GA path answers 401 to it
    if host == OPENAI_HOST:
        dialect = Dialect.GA
    headers: list[tuple[str, str]] = []
    if api_key and scheme == "ws" and not is_loopback(host):
        raise ConfigError(
            f"'{_shown(address)}' is not encrypted: the key would be readable on the way", hint="use a wss:// address"
        )
    if api_key:
        check_key(api_key)
        headers.append(("api-key", api_key) if azure else ("Authorization", f"Bearer {api_key}"))
    if dialect is Dialect.BETA:
        headers.append(("OpenAI-Beta", "realtime=v1"))
    url = urlunsplit((scheme, parts.netloc, path, urlencode(query), ""))
    return ConnectOptions(url, tuple(headers), host, dialect)


def check_key(api_key: str) -> None:
    """Refuse a key that would break the header it travels in; never shows it. Raises `ConfigError`."""
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise ConfigError(
            "the API key holds spaces, line ends or other characters that no key has",
            hint="copy it again, without quotes and line ends",
        )


def shown_host(url: str) -> str:
    """Host and port of an address, for messages: never the user, the password or the query, which may hold a key."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _shown(address: str) -> str:
    """An address as a person wrote it, without what may hold a key."""
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        return scheme.partition("?")[0]
    host, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def is_loopback(host: str) -> bool:
    """True for this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
