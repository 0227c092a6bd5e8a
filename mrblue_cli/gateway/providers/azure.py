"""Azure OpenAI: OpenAI's bodies at a resource's own address, by the v1 surface or by deployments with an api-version.

Options of a target: `api_version` (a date: deployments; absent or `v1`/`preview`: the v1 surface), `auth` (`bearer`
when the key is an Entra token) and `base_model` (what a deployment runs, when its name does not tell).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from mrblue_cli.gateway.model import Call, Fault, FaultKind, Surface, Target
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.gateway.providers.faults import classify
from mrblue_cli.gateway.providers.openai import PATHS, OpenAI
from mrblue_cli.gateway.providers.wire import bad_request, bearer, option, segment

_V1 = {"", "v1", "preview", "latest"}


class Azure(OpenAI):
    """The adapter. It has no base URL of its own: each resource has another one."""

    kind = "azure"
    traits = Traits(native=frozenset(PATHS), key_variable="AZURE_OPENAI_API_KEY")

    def url(self, call: Call, target: Target) -> str:
        """Where the call goes."""
        asked = option(target, "api_version")
        if target.endpoint:
            return _with_version(target.url, asked)
        base = target.url.rstrip("/")
        if not base:
            raise bad_request(f"provider {target.provider} needs a base_url: https://RESOURCE.openai.azure.com")
        root = base.removesuffix("/v1").removesuffix("/openai")
        path = PATHS[call.surface]
        if asked in _V1:
            return _with_version(f"{root}/openai/v1/{path}", "" if asked in {"v1", "latest"} else asked)
        if call.surface is Surface.RESPONSES:
            return _with_version(f"{root}/openai/{path}", asked)
        return _with_version(f"{root}/openai/deployments/{segment(target.model)}/{path}", asked)

    def auth(self, target: Target) -> dict[str, str]:
        """A resource's key has a header of its own; an Entra token goes the usual way."""
        return bearer(target.api_key) if option(target, "auth") == "bearer" else {"api-key": target.api_key}

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """What an error means. A 404 for a deployment that was just made passes; one that is not there does not."""
        fault = classify(status, headers, body)
        if fault.kind is FaultKind.CONTENT_FILTER and fault.param is None:
            return msgspec.structs.replace(fault, param="prompt")
        return fault


def _with_version(url: str, version: str) -> str:
    if not version or "api-version=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}api-version={quote(version, safe='')}"
