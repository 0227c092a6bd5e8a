"""From options to a table of routes. PURE."""

from __future__ import annotations

from collections.abc import Callable

from mrblue_cli.gateway.model import Surface, Target
from mrblue_cli.gateway.options import GatewayOptions, KeyOptions, ModelOptions, ProviderOptions
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.gateway.routing.routes import ANY_MODEL, Route, RouteTable

_CHAT_FAMILY = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.MESSAGES})


def build_table(
    options: GatewayOptions, traits: Callable[[str], Traits], prefill: Callable[[str, str], bool] | None = None
) -> RouteTable:
    """The routes of all providers; `traits` gives those of an adapter by its kind.

    `prefill(kind, model)`: whether a model goes on from a broken answer; without it the adapter's traits say so.
    """
    routes = [
        _route(provider, model, traits(provider.kind), prefill)
        for provider in options.providers
        for model in provider.models
    ]
    return RouteTable(routes, aliases=options.aliases, other_models=options.failover.models == "any")


def _route(
    provider: ProviderOptions, model: ModelOptions, traits: Traits, prefill: Callable[[str, str], bool] | None
) -> Route:
    keys = provider.keys or (KeyOptions(secret=""),)
    base = (provider.base_url or traits.base_url).rstrip("/")
    whole = bool(model.endpoint)
    url = model.endpoint.rstrip("/") if whole else base
    if whole and base and url.startswith(base + "/"):
        # The address that the adapter would build itself: then its other endpoints are there as well.
        whole, url = False, base
    return Route(
        provider=provider.name,
        kind=provider.kind,
        model=model.name,
        priority=provider.priority,
        weight=provider.weight * model.weight,
        surfaces=_surfaces(model, traits, whole=whole),
        targets=tuple(
            Target(
                provider=provider.name,
                model=model.upstream or model.name,
                url=url,
                endpoint=whole,
                api_key=key.secret,
                max_tokens=model.max_tokens,
                temperature=model.temperature,
                headers=provider.headers,
                options=provider.options,
            )
            for key in keys
        ),
        key_weights=tuple(key.weight for key in keys),
        context=model.context,
        prefill=traits.prefill if prefill is None else prefill(provider.kind, model.upstream or model.name),
        options=model,
    )


def _surfaces(model: ModelOptions, traits: Traits, *, whole: bool) -> frozenset[Surface]:
    """What the model serves natively: what was configured, widened by the chat family's other native shapes."""
    asked = frozenset(model.surfaces)
    if not asked:
        asked = traits.native if model.name == ANY_MODEL else _told_by_name(model, traits)
    if whole or Surface.CHAT not in asked:
        return asked
    return asked | (traits.native & _CHAT_FAMILY)


def _told_by_name(model: ModelOptions, traits: Traits) -> frozenset[Surface]:
    """Vendors name their models after what they do; anything else chats."""
    name = (model.upstream or model.name).lower()
    for words, surface in _WORDS:
        if any(word in name for word in words):
            return frozenset({surface})
    return traits.native & _CHAT_FAMILY or frozenset({Surface.CHAT})


_WORDS = (
    (("realtime",), Surface.REALTIME),
    (("embed", "bge-", "e5-"), Surface.EMBEDDINGS),
    (("whisper", "transcribe"), Surface.TRANSCRIPTION),
    (("tts",), Surface.SPEECH),
)
