"""`mrblue gateway top`: routes, health, cache and spend of a running gateway, live in the terminal."""

from __future__ import annotations

import http.client
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from mrblue_cli.core.errors import AuthError, ConnectError, MrBlueError, ProviderError, UsageError

_T = TypeVar("_T")
REFRESH = 1.0
"""Seconds between two looks."""
_PATIENCE = 5.0
_LARGEST = 8 * 1024 * 1024
_HINT = "is the gateway running there? start it with: mrblue gateway"


def top(
    url: Annotated[str, typer.Option(help="Address of the gateway.", metavar="URL")] = "http://localhost:8080",
    once: Annotated[bool, typer.Option("--once", help="Print one picture and leave.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the status document: one line each look.")] = False,
    key: Annotated[
        str, typer.Option(help="Key of the gateway.", envvar="MRBLUE_GATEWAY_KEY", show_default=False, metavar="KEY")
    ] = "",
) -> None:
    """Routes, health, breakers, latency, cache hits and spend, refreshed every second."""
    fetch = fetcher(url, key)
    if as_json:
        print_lines(fetch, once=once, wait=_wait)
        return
    from rich.console import Console

    console = Console()
    if once or not console.is_terminal:
        from mrblue_cli.cli.gateway_top_view import screen
        from mrblue_cli.gateway.status import read_status

        status = _read(read_status, fetch())
        console.print(screen(status, url=url, width=console.width))
        return
    from mrblue_cli.cli.gateway_top_live import watch

    watch(fetch, url=url, console=console, wait=_wait)


def _wait(seconds: float) -> bool:
    """Until the next look; true would mean to stop, which only the keyboard's interrupt does here."""
    return threading.Event().wait(seconds)


def print_lines(fetch: Callable[[], bytes], *, once: bool, wait: Callable[[float], bool]) -> None:
    """The document as one line of JSON, again and again; each failure of the connection ends it only at the first."""
    import msgspec

    seen = False
    while True:
        try:
            document = _read(msgspec.json.decode, fetch())
            sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
            sys.stdout.flush()
            seen = True
        except ConnectError as error:
            if once or not seen:
                raise
            sys.stderr.write(f"mrblue: {error.what}\n")
        if once or wait(REFRESH):
            return


def _read(reader: Callable[[bytes], _T], document: bytes) -> _T:
    try:
        return reader(document)
    except ValueError:
        raise ProviderError(
            "this address answers, but not with a gateway's status", hint="check --url: it names the gateway's root"
        ) from None


def fetcher(url: str, key: str) -> Callable[[], bytes]:
    """A function that fetches the status document. Raises `UsageError` for no address, else what it raises itself:
    `ConnectError`, `AuthError`, `ProviderError`. No proxy, no redirect: the key goes to this address alone."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"'{url}' is no address", hint="write http://HOST:PORT")
    if not (key.isascii() and key.isprintable()):
        raise UsageError("the key holds characters that no key has", hint="check MRBLUE_GATEWAY_KEY")
    where = f"{host}:{port or (443 if parts.scheme == 'https' else 80)}"
    path = parts.path.rstrip("/").removesuffix("/v1") + "/v1/status"
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    connection_type = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def fetch() -> bytes:
        connection = connection_type(host, port, timeout=_PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(_LARGEST)
        except ConnectionRefusedError:
            raise ConnectError(f"nothing listens at {where}", hint=_HINT) from None
        except TimeoutError:
            raise ConnectError(f"{where} did not answer in {_PATIENCE:.0f} s", hint=_HINT) from None
        except ssl.SSLError:
            raise ConnectError(f"no secure connection to {where}", hint="is it https:// there, or http://?") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConnectError(f"{where} cannot be reached: {reason}", hint=_HINT) from None
        finally:
            connection.close()
        _check(answer.status, where)
        return body

    return fetch


def _check(status: int, where: str) -> None:
    fault: MrBlueError | None = None
    if status in {401, 403}:
        fault = AuthError(f"{where} wants a key (HTTP {status})", hint="export MRBLUE_GATEWAY_KEY=mrb_…")
    elif status == 404:
        fault = ProviderError(f"{where} has no /v1/status", hint="is this a mrblue gateway? check --url")
    elif status != 200:
        fault = ConnectError(f"{where} answered HTTP {status}", hint="see the gateway's own log")
    if fault is not None:
        raise fault
