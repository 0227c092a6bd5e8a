"""`[[gateway.providers]]`, and `providers:` of the YAML layout: who is asked, with which keys, for which models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import KeyOptions, ModelOptions, ProviderOptions
from mrblue_cli.settings.gateway_credentials import (
    KEY_WORDS,
    FindSecret,
    KeyStatus,
    read_headers,
    read_keys,
    read_options,
    sendable,
)
from mrblue_cli.settings.gateway_fields import Bad, Field, Source, number, text, url, whole
from mrblue_cli.settings.gateway_kinds import (
    Kind,
    base_of,
    kind_named,
    kind_of,
    kinds_by_custom,
    known_kinds,
    surfaces_of,
)
from mrblue_cli.settings.gateway_problems import Findings, nearest, shown

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ProviderStatus(msgspec.Struct, frozen=True):
    """What became of one configured provider."""

    name: str
    kind: str
    keys: tuple[KeyStatus, ...] = ()
    left_out: bool = False
    """It needs a key and none was found."""


_NAME: Field = text(64, empty=False, pattern=r"[A-Za-z0-9][A-Za-z0-9._ -]*", what="letters, digits, '.', '_' and '-'")
_MODEL_NAME: Field = text(200, empty=False, pattern=r"\S+", what="a name without blanks")
_ADDRESS: Field = url("https", "http", "wss", "ws")
_PRICE: Field = number(0, 1e6, "US dollars per million tokens")
_MODEL: dict[str, Field] = {
    "upstream": text(200),
    "max_tokens": whole(1, 100_000_000),
    "temperature": number(0, 2),
    "weight": number(0.001, 1000),
    "context": whole(1, 1_000_000_000),
    "input_price": _PRICE,
    "cached_price": _PRICE,
    "output_price": _PRICE,
}
_PROVIDER = {"name", "kind", "priority", "weight", "base_url", "models", "headers", "options", *KEY_WORDS}


def read_providers(source: Source, secret: FindSecret) -> tuple[list[ProviderOptions], list[ProviderStatus]]:
    """Every provider, also without its key, and what became of each. Problems and notes go to the findings."""
    providers: list[ProviderOptions] = []
    states: list[ProviderStatus] = []
    names: set[str] = set()
    for item in source.tables("providers"):
        provider, state = _provider(item, secret)
        if state.name.lower() in names:
            item.found.problem(item.at("name"), f"there is a provider {shown(state.name)} already")
        names.add(state.name.lower())
        states.append(state)
        providers.append(provider)
    return providers, states


def providers_of_environment(environment: Mapping[str, str], found: Findings) -> list[ProviderOptions]:
    """With nothing configured: one provider for each customary variable that is set, which passes any model on."""
    providers: list[ProviderOptions] = []
    for name, kind in kinds_by_custom():
        value = environment.get(kind.variable, "").strip()
        if value and sendable(value):
            providers.append(
                ProviderOptions(
                    name=name, kind=name, priority=len(providers) + 1, keys=(KeyOptions(secret=value),),
                    models=(ModelOptions(name="*"),),
                )
            )  # fmt: skip
            found.note("providers", f"none are configured: {name} is taken because {kind.variable} is set")
    return providers


def _provider(source: Source, secret: FindSecret) -> tuple[ProviderOptions, ProviderStatus]:
    source.check_names(_PROVIDER)
    found = source.found
    if source.table.get("name") is None:
        found.problem(source.at("name"), "every provider needs a name", 'name = "openai"')
    name = source.value("name", _NAME, "")
    before = len(found.problems)
    base_url = source.value("base_url", url("https", "http"), "").rstrip("/")
    kind = _kind(source, name, base_url)
    traits = kind_of(kind) or Kind("", keyless=True)
    models = _models(source)
    base_url, models = _folded(traits, base_url, models)
    models = _merged(source, models)
    # Whose kind or address is wrong has been told that; a missing address would only follow from it.
    homeless = kind in {"azure", "openai-compatible"} and not base_url and len(found.problems) == before
    if homeless and any(not model.endpoint for model in models):
        found.problem(source.at("base_url"), f"{kind} needs to be told where it is", "set base_url")
    keys, states, explicit = read_keys(source, name, kind, traits, secret)
    provider = ProviderOptions(
        name=name,
        kind=kind,
        priority=source.value("priority", whole(0, 1_000_000), 1),
        weight=source.value("weight", number(0.001, 1000), 1.0),
        base_url=base_url,
        keys=keys,
        models=models,
        headers=read_headers(source),
        options=read_options(source),
    )
    _review_key_use(source, provider, traits, explicit)
    left_out = not keys and not traits.keyless
    missing = [state.variable for state in states if not state.origin]
    if left_out:
        found.note(source.path, f"{name} is left out: no key in {' or '.join(missing) or 'any variable'}", warning=True)
    elif missing:
        found.note(source.path, f"no key in {', '.join(missing)}", warning=True)
    return provider, ProviderStatus(name, kind, states, left_out)


def _kind(source: Source, name: str, base_url: str) -> str:
    value = source.value("kind", text(64, empty=False), "")
    known = known_kinds()
    if value:
        kind = value if value in known else kind_named(value)
        if not kind:
            source.found.problem(source.at("kind"), f"there is no kind {shown(value)}", nearest(value, known))
        return str(kind or "openai-compatible")
    kind = name if name in known else kind_named(name)
    if kind or not name:
        return kind or "openai-compatible"
    hint = nearest(name, known)
    addressed = base_url or any(
        isinstance(model, dict) and model.get("endpoint") for model in _listed(source.table.get("models"))
    )
    if addressed and not hint.startswith("did"):
        source.found.note(source.path, f"{name} is no kind we know: it is taken as openai-compatible")
        return "openai-compatible"
    source.found.problem(
        source.at("name"), f"{shown(name)} is no kind of provider", f'{hint} Or set kind = "openai-compatible"'
    )
    return "openai-compatible"


def _merged(source: Source, models: tuple[ModelOptions, ...]) -> tuple[ModelOptions, ...]:
    """A model that is listed once for each use is one model, as long as that is all that differs."""
    merged: dict[str, ModelOptions] = {}
    for model in models:
        known = merged.get(model.name)
        if known is None:
            merged[model.name] = model
            continue
        surfaces = tuple(dict.fromkeys((*known.surfaces, *model.surfaces)))
        merged[model.name] = msgspec.structs.replace(known, surfaces=surfaces)
        if msgspec.structs.replace(model, surfaces=known.surfaces) != known:
            source.found.problem(
                source.at("models"), f"{shown(model.name)} stands there twice with different options",
                "give one of them another name, and its real one as upstream",
            )  # fmt: skip
    return tuple(merged.values())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _models(source: Source) -> tuple[ModelOptions, ...]:
    """Tables, or bare names."""
    raw = source.table.get("models")
    if raw is None:
        return (ModelOptions(name="*"),)
    if isinstance(raw, list):
        tables = [{"name": item} if isinstance(item, str) else item for item in raw]
        source = msgspec.structs.replace(source, table={"models": tables})
        if not raw:
            source.found.problem(source.at("models"), "is empty", 'leave it out, or use "*", to pass any model on')
    models: list[ModelOptions] = []
    taken: dict[str, set[Surface]] = {}
    for item in source.tables("models"):
        model = _model(item)
        surfaces = set(model.surfaces or Surface)
        if taken.get(model.name, set()) & surfaces:
            item.found.problem(item.at("name"), f"there is a model {shown(model.name)} for the same use already")
        taken.setdefault(model.name, set()).update(surfaces)
        models.append(model)
    return tuple(models)


def _model(source: Source) -> ModelOptions:
    source.check_names({*_MODEL, "name", "endpoint", "surfaces"})
    if source.table.get("name") is None:
        source.found.problem(source.at("name"), "every model needs a name", 'for example "gpt-4o"')
    values: dict[str, Any] = {key: source.value(key, field, None) for key, field in _MODEL.items()}
    values = {key: value for key, value in values.items() if value is not None}
    name = source.value("name", _MODEL_NAME, "")
    endpoint = source.value("endpoint", _ADDRESS, "")
    surfaces = source.value("surfaces", _surfaces, ()) or surfaces_of(name, endpoint)
    return ModelOptions(name=name, endpoint=endpoint, surfaces=surfaces, **values)


def _surfaces(value: Any) -> tuple[Surface, ...]:
    names = [str(surface) for surface in Surface]
    if not isinstance(value, list) or not all(isinstance(item, str) and item in names for item in value):
        raise Bad(f"must be a list of {', '.join(names)}")
    return tuple(dict.fromkeys(Surface(item) for item in value))


def _folded(traits: Kind, base_url: str, models: tuple[ModelOptions, ...]) -> tuple[str, tuple[ModelOptions, ...]]:
    """Full addresses that only say what a base URL says become one: such a model serves every shape its kind knows."""
    if not traits.openai:
        host = urlsplit(base_url or traits.base_url).hostname
        own = [bool(model.endpoint) and urlsplit(model.endpoint).hostname == host for model in models]
        return base_url, tuple(
            msgspec.structs.replace(model, endpoint="") if usual else model
            for model, usual in zip(models, own, strict=True)
        )
    bases = {base_of(model.endpoint) for model in models if model.endpoint}
    if not base_url and len(bases) == 1 and all(model.endpoint for model in models):
        base = bases.pop()
        base_url = "" if base == traits.base_url else base
    usual_base = base_url or traits.base_url
    return base_url, tuple(
        msgspec.structs.replace(model, endpoint="")
        if model.endpoint and usual_base and base_of(model.endpoint) == usual_base
        else model
        for model in models
    )


def _review_key_use(source: Source, provider: ProviderOptions, traits: Kind, explicit: bool) -> None:
    """Say where keys go when that is not where one would think."""
    if not provider.keys:
        return
    addresses = {provider.base_url, *(model.endpoint for model in provider.models)} - {""}
    hosts = {urlsplit(address).hostname or "" for address in addresses}
    for address in sorted(addresses):
        parts = urlsplit(address)
        if parts.scheme in {"http", "ws"} and parts.hostname not in _LOOPBACK:
            source.found.note(
                source.path, f"keys travel unencrypted to {parts.hostname} ({parts.scheme}://)", warning=True
            )
    own = urlsplit(traits.base_url).hostname
    strange = sorted(hosts - {own}) if own and not explicit else []
    if strange:
        source.found.note(
            source.path,
            f"{traits.variable} goes to {', '.join(strange)}; name another in key_variables if it should not",
        )
