"""Finds an adapter by its kind: ours, then those that other packages register.

A third party registers a class (or a function) without arguments that makes a `Provider`:

    [project.entry-points."mrblue.providers"]
    acme = "acme_mrblue:AcmeProvider"
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from functools import cache

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.gateway.providers.base import Provider, Traits
from mrblue_cli.gateway.providers.dialects import DIALECTS

GROUP = "mrblue.providers"
_OURS: dict[str, tuple[str, str]] = {
    "openai": ("openai", "OpenAI"),
    "azure": ("azure", "Azure"),
    "anthropic": ("anthropic", "Anthropic"),
    "gemini": ("gemini", "Gemini"),
    "cohere": ("cohere", "Cohere"),
    "ai21": ("ai21", "AI21"),
    "scripted": ("scripted", "Scripted"),
}
_ALIASES = {
    "google": "gemini",
    "claude": "anthropic",
    "azure-openai": "azure",
    "grok": "xai",
    "together-ai": "together",
}
_STEPS = ("request", "reply", "stream", "fault")


def _entries() -> dict[str, list[importlib.metadata.EntryPoint]]:
    found: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        found.setdefault(entry.name.lower(), []).append(entry)
    return found


def kinds() -> tuple[str, ...]:
    """Every kind there is, in the order of the alphabet; nothing is imported for it."""
    return tuple(sorted({*_OURS, *DIALECTS, *_entries()}))


def provider(kind: str) -> Provider:
    """The adapter of a kind; only the one that is asked for is imported.

    Looks through the installed packages, which takes milliseconds: for start-up and reload, not for each request.

    Raises `ConfigError`: an unknown kind (with the nearest known one), a plugin that does not load, or one that claims
    a name of ours: which adapter sees the keys must never depend on what else is installed.
    """
    name = _ALIASES.get(kind.strip().lower(), kind.strip().lower())
    claims = _entries().get(name, [])
    if name in _OURS or name in DIALECTS:
        if claims:
            raise ConfigError(
                f"{_origin(claims[0])} registers a provider named {name!r}, which is built in",
                hint=f"uninstall it, or have it register another name under {GROUP}",
            )
        return _built_in(name)
    if not claims:
        raise ConfigError(f"unknown kind of provider: {kind!r}", hint=_hint(name))
    if len({entry.value for entry in claims}) > 1:
        raise ConfigError(
            f"two packages register a provider named {name!r}: {', '.join(sorted(_origin(entry) for entry in claims))}",
            hint="uninstall one of them",
        )
    return _plugin(name, claims[0])


@cache
def _built_in(name: str) -> Provider:
    if name in DIALECTS:
        from mrblue_cli.gateway.providers.compatible import Compatible

        return Compatible(name)
    module, label = _OURS[name]
    made: Provider = getattr(importlib.import_module(f"mrblue_cli.gateway.providers.{module}"), label)()
    return made


def _plugin(name: str, entry: importlib.metadata.EntryPoint) -> Provider:
    where = f"provider {name!r} of {_origin(entry)} ({entry.value})"
    hint = "update or uninstall the package; it is not part of mrblue"
    try:
        made = entry.load()()
    except Exception as error:
        raise ConfigError(f"{where} cannot be loaded: {type(error).__name__}: {error}", hint=hint) from error
    missing = [step for step in _STEPS if not callable(getattr(made, step, None))]
    if not isinstance(getattr(made, "traits", None), Traits):
        missing.append("traits")
    if not isinstance(getattr(made, "kind", None), str):
        missing.append("kind")
    if missing:
        raise ConfigError(f"{where} is no provider: it lacks {', '.join(missing)}", hint=hint)
    checked: Provider = made
    return checked


def _origin(entry: importlib.metadata.EntryPoint) -> str:
    return f"package {entry.dist.name}" if entry.dist is not None else "an installed package"


def _hint(name: str) -> str:
    known = kinds()
    near = difflib.get_close_matches(name, [*known, *_ALIASES], n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known kinds: {', '.join(known)}; for any other compatible server use openai-compatible with a base_url"


def takes_prefill(adapter: Provider, model: str) -> bool:
    """Whether a model goes on from a broken answer. Adapters whose models differ say so by a method of this name."""
    own = getattr(adapter, "takes_prefill", None)
    return bool(own(model)) if callable(own) else adapter.traits.prefill
