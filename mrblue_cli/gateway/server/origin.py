"""Keeps web pages away from a gateway that asks for no key. PURE.

A page in this machine's browser can reach loopback: by a name of its own that resolves to 127.0.0.1 (DNS rebinding),
or by a plain cross-site request. Either would spend its visitor's money. Programs send no `Origin`, and a known `Host`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from mrblue_cli.gateway.model import Fault, FaultKind


def stranger(headers: Mapping[str, str], own_host: str) -> Fault | None:
    """The refusal of a request that a foreign page may have sent; None for everybody else.

    `headers` in lower case; `own_host` is the name or address the gateway was told to listen on.
    """
    host = _name(f"//{headers['host']}") if headers.get("host") else ""
    if host and not (_local(host) or host == own_host.lower()):
        return _refused(f"the Host '{host[:100]}' is not this gateway's")
    origin = headers.get("origin", "")
    if origin and origin != "null" and not _own(name := _name(origin)) and name not in (own_host.lower(), host):
        return _refused(f"pages from '{name[:100]}' may not use it")
    if origin == "null":
        return _refused("pages without an origin may not use it")
    return None


@lru_cache(maxsize=32)  # asked for every request, and nearly always the same
def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "?").lower()
    except ValueError:
        return "?"


@lru_cache(maxsize=32)
def _local(name: str) -> bool:
    """Whether a name that was asked for is no public one: an address, or one of the names that never leave the net.

    A literal address cannot be rebound, whatever it is.
    """
    if name == "localhost" or name.endswith(".localhost") or ("." not in name and name not in ("", "?")):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=32)
def _own(name: str) -> bool:
    """Whether pages under this name come from this machine. An address alone is no proof: anybody's page has one."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(why: str) -> Fault:
    return Fault(
        kind=FaultKind.BAD_REQUEST,
        message=f"This gateway asks for no key, so {why}. Set require_key, or call it by its address.",
        status=403,
        type="invalid_request_error",
        code="foreign_origin",
    )
