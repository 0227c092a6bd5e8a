"""Find and merge configuration: command line over environment over file over default."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import LIMITS, Settings

_SECRET = re.compile(r"(api_?key|token|secret|password)", re.IGNORECASE)
Table = dict[str, Any]
GATEWAY = "gateway"
"""The section of the one file that `settings/gateway` reads."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force and where they came from."""

    settings: Settings
    file: Path | None
    """None: there is no file, defaults apply."""


def load(
    *,
    file: Path | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """Read the configuration; raises `ConfigError` that names file and key.

    `overrides` holds only what was typed on the command line: `{"talk": {"engine": "local"}}`.
    """
    env = os.environ if environment is None else environment
    path = file or (Path(env["MRBLUE_CONFIG"]) if env.get("MRBLUE_CONFIG") else None)
    explicit = path is not None
    path = path or default_file()
    table = _read(path, required=explicit)
    merged = _laid_over(_from_environment(env), table)
    merged = _laid_over({name: dict(values) for name, values in (overrides or {}).items()}, merged)
    if env.get("BIFROST_BASE_URL"):
        gateway = env["BIFROST_BASE_URL"].rstrip("/")
        for section in ("chat", "batch"):
            if not merged.get(section, {}).get("base_url"):
                merged.setdefault(section, {})["base_url"] = gateway if gateway.endswith("/v1") else f"{gateway}/v1"
    if env.get("TGA_URL") and not env.get("MRBLUE_TOOLS_TGA_URL"):
        merged.setdefault("tools", {})["tga_url"] = env["TGA_URL"]
    settings = _validated(merged, path if path.is_file() else None)
    return Configuration(settings, path if path.is_file() else None)


def default_file() -> Path:
    """Where the file is looked for when nobody says otherwise."""
    return place("config") / "config.toml"


def _read(path: Path, *, required: bool) -> Table:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{path}: there is no such file", hint="give an existing one with --config") from None
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint="check its permissions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", hint="compare with config.example.toml") from None
    # Read and checked by settings/gateway when the gateway runs; whoever only asks need not pay for that.
    table.pop(GATEWAY, None)
    for section, values in table.items():
        for key in values if isinstance(values, dict) else ():
            if _SECRET.search(key):
                raise ConfigError(
                    f"{path}: {section}.{key}: secrets do not belong in the file",
                    hint="set OPENAI_API_KEY in the environment, or keep it in the system keyring: see docs/config.md",
                )
    return table


def _from_environment(env: Mapping[str, str]) -> Table:
    """`MRBLUE_TALK_ENGINE=local` sets `talk.engine`; numbers and switches are read as such."""
    table: Table = {}
    for section in Settings.__struct_fields__:
        kind = type(getattr(Settings(), section))
        for key in kind.__struct_fields__:
            text = env.get(f"MRBLUE_{section}_{key}".upper())
            if text is not None:
                default = getattr(kind(), key)
                value: Any = text.split(os.pathsep) if isinstance(default, tuple) else text
                table.setdefault(section, {})[key] = value
    return table


def _laid_over(top: Table, base: Table) -> Table:
    merged = {name: dict(values) if isinstance(values, dict) else values for name, values in base.items()}
    for name, values in top.items():
        below = merged.get(name, {})
        merged[name] = {**below, **values} if isinstance(below, dict) else values
    return merged


def _validated(table: Table, file: Path | None) -> Settings:
    where = f"{file}: " if file else ""
    try:
        settings = msgspec.convert(table, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), where) from None
    for (section, key), (low, high) in LIMITS.items():
        value = getattr(getattr(settings, section), key)
        if not low <= value <= high:
            raise ConfigError(f"{where}{section}.{key}: {value} is not in {low:g} to {high:g}", hint="correct it there")
    return settings


def _explained(message: str, where: str) -> ConfigError:
    found = re.search(r"unknown field `([^`]+)`(?: - at `\$\.?([^`]*)`)?", message)
    if found:
        name, section = found[1], found[2] or ""
        kind = type(getattr(Settings(), section)) if section in Settings.__struct_fields__ else Settings
        known = (*kind.__struct_fields__, GATEWAY) if kind is Settings else kind.__struct_fields__
        near = difflib.get_close_matches(name, known, n=1)
        full = f"{section}.{name}" if section else name
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
        return ConfigError(f"{where}{full}: there is no such setting", hint=hint)
    at = re.search(r" - at `\$\.?([^`]*)`", message)
    reason = message.replace(at[0], "") if at else message
    full = at[1] if at else ""
    if values := _values(full):
        wrong = reason.partition("'")[2].rstrip("'")
        return ConfigError(f"{where}{full}: there is no {wrong!r} to choose", hint=f"one of: {', '.join(values)}")
    return ConfigError(f"{where}{full}: {reason}", hint="see config.example.toml for what it takes")


def _values(full: str) -> tuple[str, ...]:
    """The words that a setting can be, where it is one of some."""
    section, _, name = full.partition(".")
    if section not in Settings.__struct_fields__:
        return ()
    kind = type(getattr(Settings(), section))
    hint = get_type_hints(kind).get(name)
    return get_args(hint) if get_origin(hint) is Literal else ()
