"""The gateway's configuration: command line over environment over file over default, checked whole.

The file is mrblue's own `config.toml` with a `[gateway]` section, a file of its own, or the YAML that users of other
gateways have. `mrblue ask` never comes here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import BreakerOptions, FailoverOptions, GatewayOptions, ModelOptions, ProviderOptions
from mrblue_cli.settings.gateway_fields import (
    Bad,
    Field,
    FromText,
    Source,
    Table,
    choice,
    flag,
    text,
    whole,
)
from mrblue_cli.settings.gateway_files import Parsed, read_file
from mrblue_cli.settings.gateway_kinds import CHAT
from mrblue_cli.settings.gateway_problems import Findings, GatewayConfigError, Note, Problem, nearest, safe_name, shown
from mrblue_cli.settings.gateway_providers import ProviderStatus, providers_of_environment, read_providers
from mrblue_cli.settings.gateway_review import review
from mrblue_cli.settings.gateway_sections import (
    CACHING,
    LIMITS,
    TELEMETRY,
    budget_fields,
    read_budget,
    read_caching,
    read_failover,
    read_limits,
    read_telemetry,
    times,
)
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import Settings
from mrblue_cli.settings.secrets import find_secret

_SECTIONS = {"providers", "aliases", "caching", "budget", "failover", "limits", "telemetry"}
_TIMES = {
    "retry_delay", "max_delay", "reset_timeout", "connect", "first_token", "idle", "answer", "total", "throttle_delay",
    "ttl",
}  # fmt: skip
_REDIS = re.compile(r"(?P<head>(redis|rediss|unix)://)((?P<who>[^@/]*)@)?\S+")


class LoadedGateway(msgspec.Struct, frozen=True):
    """The options in force, where they came from, and what is worth knowing about them."""

    options: GatewayOptions
    file: Path | None
    """None: there is no file, or it says nothing of a gateway."""
    notes: tuple[Note, ...] = ()
    providers: tuple[ProviderStatus, ...] = ()
    """Every configured provider with the names of its keys, also those left out for want of one."""
    unfit: Problem | None = None
    """Why nothing can be served: no key was found for any provider. Only when asked for without keys."""


def load_gateway(
    file: Path | None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] = {},
    without_keys: bool = False,
) -> LoadedGateway:
    """Read the gateway's configuration; raises `ConfigError` that lists every fault by file and path.

    `overrides` holds only what was typed on the command line: `{"port": 8081, "caching": {"enabled": False}}`.
    `without_keys`: when no provider has its key, all stand in the options as if they had, and `unfit` says so.
    """
    env = os.environ if environment is None else environment
    if overrides.get("demo"):
        return LoadedGateway(demo_gateway(environment=env, overrides=overrides), None)
    where, parsed = _file(file, env)
    found = Findings()
    table = _gateway_table(parsed, found)
    origins: dict[str, str] = {}
    table = _laid_over(_from_environment(env, origins), table)
    table = _laid_over(_copied(overrides), table)
    source = Source(table, "", found, parsed.yaml, origins)
    options, states = _read(source, env)
    unfit: Problem | None = None
    if not any(not state.left_out for state in states) and (states or not options.providers):
        unfit = _nobody(states)
    else:
        left_out = {state.name for state in states if state.left_out}
        working = tuple(item for item in options.providers if item.name not in left_out)
        options = msgspec.structs.replace(options, providers=working)
    found.raise_any(where)
    if unfit is not None and not (without_keys and states):
        raise GatewayConfigError(str(where) if where else "", (unfit,))
    review(options, found, milliseconds=parsed.yaml)
    found.raise_any(where)
    return LoadedGateway(options, where, tuple(found.notes), tuple(states), unfit)


def gateway_state_folder(file: Path | None, *, environment: Mapping[str, str] | None = None) -> Path:
    """Where ledger and keys are, from a configuration whose providers need not work. Raises `ConfigError`."""
    env = os.environ if environment is None else environment
    found = Findings()
    path, parsed = _file(file, env)
    origins: dict[str, str] = {}
    table = _laid_over(_from_environment(env, origins), _gateway_table(parsed, found))
    folder: Path | None = Source(table, "", found, parsed.yaml, origins).value("state_folder", _folder, None)
    found.raise_any(path)
    return folder or place("data", env)


def demo_gateway(*, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] = {}) -> GatewayOptions:
    """Options with the scripted provider alone: everything runs, with no key and no network. Raises `ConfigError`.

    Its ledger and keys stay apart from real ones.
    """
    env = os.environ if environment is None else environment
    found = Findings()
    origins: dict[str, str] = {}
    top = {key: value for key, value in _from_environment(env, origins).items() if key in _TOP}
    table = _laid_over(_copied(overrides), top)
    source = Source(table, "", found, False, origins)
    options, _ = _read(source, {})
    found.raise_any(None)
    folder = options.state_folder if table.get("state_folder") else place("data", env) / "gateway-demo"
    return msgspec.structs.replace(options, providers=(_DEMO,), failover=_DEMO_FAILOVER, state_folder=folder, demo=True)


# Whoever tries `/fail 503` wants to see the breaker open, and to go on a moment later.
_DEMO_FAILOVER = FailoverOptions(breaker=BreakerOptions(reset_timeout=5.0))
_DEMO = ProviderOptions(
    name="scripted",
    kind="scripted",
    models=(
        ModelOptions(name="demo", surfaces=CHAT),
        ModelOptions(name="demo-embedding", surfaces=(Surface.EMBEDDINGS,)),
        ModelOptions(name="demo-transcription", surfaces=(Surface.TRANSCRIPTION,)),
        ModelOptions(name="demo-speech", surfaces=(Surface.SPEECH,)),
        # An application that is pointed at the demo asks for the model it always asks for.
        ModelOptions(name="*", surfaces=(*CHAT, Surface.EMBEDDINGS, Surface.TRANSCRIPTION, Surface.SPEECH)),
    ),
)


def _redis(value: Any) -> str:
    line = str(text(2000)(value))
    if not line:
        return ""
    parts = _REDIS.fullmatch(line)
    if not parts:
        raise Bad("must be an address that begins with redis://, rediss:// or unix://")
    if parts["who"] and not isinstance(value, FromText):
        raise Bad("holds a user or password", "set MRBLUE_GATEWAY_REDIS_URL in the environment instead")
    return line


def _folder(value: Any) -> Path | None:
    line = text(4000)(str(value) if isinstance(value, Path) else value)
    return Path(line).expanduser() if line else None


_HOST = text(253, empty=False, pattern=r"[A-Za-z0-9.:_\[\]-]+", what="a name or address of this machine, no port")
_TOP: dict[str, Field] = {
    "host": _HOST,
    "port": whole(0, 65_535),
    "workers": whole(1, 256),
    "redis_url": _redis,
    "require_key": flag,
    "state_folder": _folder,
    "log_format": choice("text", "json"),
}


def _file(file: Path | None, env: Mapping[str, str]) -> tuple[Path | None, Parsed]:
    """The file that counts and what it holds; none when nobody names one and the usual one is not there."""
    named = file or (Path(env["MRBLUE_CONFIG"]) if env.get("MRBLUE_CONFIG") else None)
    path = named or place("config", env) / "config.toml"
    return (path, read_file(path)) if named or path.is_file() else (None, Parsed({}, yaml=False))


def _gateway_table(parsed: Parsed, found: Findings) -> Table:
    """The gateway's part of a file: all of it, or its `gateway` section beside mrblue's other sections."""
    table = parsed.table
    if not (_SECTIONS | set(_TOP)) & set(table) or "gateway" in table:
        known = {*Settings.__struct_fields__, "gateway"}
        for name in table:
            if name not in known:
                found.problem(safe_name(name), "there is no such section", nearest(name, known | _SECTIONS))
        inner = table.get("gateway", {})
        if not isinstance(inner, dict):
            found.problem("gateway", f"must be a table, not {shown(inner)}")
            return {}
        return inner
    return table


def _read(source: Source, env: Mapping[str, str]) -> tuple[GatewayOptions, list[ProviderStatus]]:
    """The options, with every configured provider, and what became of each of these."""
    source.check_names({*_TOP, *_SECTIONS})

    def secret(name: str) -> Any:
        return find_secret(name, env)

    values = {key: source.value(key, field, None) for key, field in _TOP.items()}
    values = {key: value for key, value in values.items() if value is not None}
    values.setdefault("state_folder", place("data", env))
    providers, states = read_providers(source, secret)
    if "providers" not in source.table:
        providers = providers_of_environment(env, source.found)
    options = GatewayOptions(
        providers=tuple(providers),
        aliases=_aliases(source.under("aliases")),
        caching=read_caching(source.under("caching")),
        budget=read_budget(source.under("budget"), secret),
        failover=read_failover(source.under("failover")),
        limits=read_limits(source.under("limits")),
        telemetry=read_telemetry(source.under("telemetry")),
        **values,
    )
    return options, states


def _aliases(source: Source) -> tuple[tuple[str, str], ...]:
    name = text(200, empty=False, pattern=r"\S+", what="a name without blanks")
    pairs = []
    for alias in source.table:
        target = source.value(alias, name, "")
        try:
            pairs.append((name(alias), target))
        except Bad as bad:
            source.found.problem(f"{source.path}.{safe_name(alias)}", f"the name {bad.text}")
    return tuple(pairs)


def _nobody(states: list[ProviderStatus]) -> Problem:
    hint = "to try it with no key: mrblue gateway --demo"
    if states:
        wanted = ", ".join(dict.fromkeys(key.variable for state in states for key in state.keys))
        return Problem("providers", f"none can work: no key was found in {wanted}", f"set one of them, or, {hint}")
    text_ = "there are none, and no provider's key is in the environment"
    return Problem("providers", text_, f"set OPENAI_API_KEY, or configure providers; {hint}")


def _from_environment(env: Mapping[str, str], origins: dict[str, str]) -> Table:
    """`MRBLUE_GATEWAY_CACHING_TTL=60` sets `caching.ttl`; bare times are seconds in every layout."""
    groups: dict[str, Mapping[str, Field]] = {
        "": _TOP, "caching": CACHING, "limits": LIMITS, "telemetry": TELEMETRY, "budget": budget_fields(False),
        **times(False),
    }  # fmt: skip
    table: Table = {}
    for group, fields in groups.items():
        for key in fields:
            path = f"{group}.{key}" if group else key
            variable = f"MRBLUE_GATEWAY_{path.replace('.', '_')}".upper()
            value = env.get(variable)
            if value is None:
                continue
            below = table
            for part in group.split(".") if group else ():
                below = below.setdefault(part, {})
            below[key] = _in_seconds(key, value)
            origins[path] = variable
    return table


def _laid_over(top: Table, base: Table) -> Table:
    """`top` over `base`, table by table; a breaker keeps the name that the file gave it."""
    merged = dict(base)
    for key, value in top.items():
        name = "circuit_breaker" if key == "breaker" and "circuit_breaker" in merged else key
        below = merged.get(name)
        merged[name] = _laid_over(value, below) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def _copied(overrides: Mapping[str, Any]) -> Table:
    return {
        key: _copied(value) if isinstance(value, Mapping) else _in_seconds(key, value)
        for key, value in overrides.items()
        if value is not None and key != "demo"
    }


def _in_seconds(key: str, value: Any) -> Any:
    """A bare time with its unit, since the file that it is laid over may count in milliseconds."""
    if key in _TIMES and re.fullmatch(r"\s*[0-9.]+\s*", str(value)):
        return FromText(f"{str(value).strip()}s")
    return FromText(value) if isinstance(value, str) else value
