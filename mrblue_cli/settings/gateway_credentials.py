"""What a provider is sent besides the request: keys by the names of their variables, headers, options. No secret
stands in the file, and none is quoted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from mrblue_cli.gateway.options import KeyOptions
from mrblue_cli.settings.gateway_fields import Source, number, reference
from mrblue_cli.settings.gateway_kinds import Kind
from mrblue_cli.settings.gateway_problems import looks_secret, safe_name, shown
from mrblue_cli.settings.secrets import Secret

FindSecret = Callable[[str], Secret]
KEY_WORDS = {"api_key", "api_key_env", "key_variables"}
"""The three ways to name a key's variable."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_SECRET_HEADER = re.compile(r"(?i)authorization|cookie|(^|[-_])(api[-_]?)?key$|token|secret|password|auth$")
_OUR_HEADERS = {"host", "content-length", "content-type", "connection", "transfer-encoding", "te", "upgrade", "trailer"}


class KeyStatus(msgspec.Struct, frozen=True):
    """One key by name."""

    variable: str
    origin: str
    """Where it was found: `environment` or `keyring`; empty: nowhere."""


def read_keys(
    source: Source, name: str, kind: str, traits: Kind, secret: FindSecret
) -> tuple[tuple[KeyOptions, ...], tuple[KeyStatus, ...], bool]:
    """The keys that were found, all that were looked for, and whether the configuration named them."""
    wanted = _variables(source)
    explicit = bool(wanted) or any(word in source.table for word in KEY_WORDS)
    if not explicit:
        usual = traits.variable or f"{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_API_KEY"
        wanted = [(usual, 1.0)] if _VARIABLE.fullmatch(usual) and kind != "scripted" else []
    keys: list[KeyOptions] = []
    states: list[KeyStatus] = []
    for variable, weight in wanted:
        value = secret(variable)
        usable = bool(value) and sendable(value.reveal())
        if value and not usable:
            source.found.note(variable, "holds what cannot be sent as a key, and is not used", warning=True)
        if usable:
            keys.append(KeyOptions(secret=value.reveal(), weight=weight))
        if usable or explicit or not traits.keyless:
            states.append(KeyStatus(variable, value.origin if usable else ""))
    return tuple(keys), tuple(states), explicit


def _variables(source: Source) -> list[tuple[str, float]]:
    """Names of variables with their weights, from whichever of the three ways was taken."""
    wanted: list[tuple[str, float]] = []

    def add(path: str, value: Any, weight: float = 1.0) -> None:
        name = reference(value) or value if isinstance(value, str) else value
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or looks_secret(name):
            source.found.problem(
                path, "must be the name of a variable, and no key itself",
                "put the key into the environment or the keyring, and name the variable here",
            )  # fmt: skip
        elif any(name == known for known, _ in wanted):
            source.found.problem(path, f"names {name} twice")
        else:
            wanted.append((name, weight))

    literal = source.table.get("api_key")
    if literal is not None:
        if isinstance(literal, str) and reference(literal):
            add(source.at("api_key"), literal)
        else:
            source.found.problem(
                source.at("api_key"), "a key does not belong in the file",
                "write api_key: ${OPENAI_API_KEY}, and put the key into that variable or the keyring",
            )  # fmt: skip
    if source.table.get("api_key_env") is not None:
        add(source.at("api_key_env"), source.table["api_key_env"])
    listed = source.table.get("key_variables")
    if listed is None:
        return wanted
    for place, item in enumerate(listed if isinstance(listed, list) else [listed]):
        path = f"{source.at('key_variables')}[{place}]"
        if isinstance(item, dict):
            row = Source(item, path, source.found, source.milliseconds)
            row.check_names({"variable", "weight"})
            add(row.at("variable"), item.get("variable"), row.value("weight", number(0.001, 1000), 1.0))
        else:
            add(path, item)
    return wanted


def sendable(value: str) -> bool:
    """A key travels in a header: printable ASCII without blanks."""
    return value.isascii() and value.isprintable() and " " not in value and len(value) <= 4096


def read_headers(source: Source) -> tuple[tuple[str, str], ...]:
    rows = source.under("headers")
    headers = []
    for name in rows.table:
        path = f"{rows.path}.{safe_name(name)}"
        value = rows.table[name]
        if not _HEADER.fullmatch(name):
            rows.found.problem(path, "is no name of a header")
        elif name.lower() in _OUR_HEADERS:
            rows.found.problem(path, "is set by the gateway itself")
        elif _SECRET_HEADER.search(name) or (isinstance(value, str) and looks_secret(value)):
            rows.found.problem(path, "secrets do not belong in the file", "keys are named in key_variables")
        elif not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > 1000:
            rows.found.problem(path, "must be one line of ASCII text")
        else:
            headers.append((name, value))
    return tuple(headers)


def read_options(source: Source) -> tuple[tuple[str, str], ...]:
    rows = source.under("options")
    options = []
    for name, value in rows.table.items():
        path = f"{rows.path}.{safe_name(name)}"
        plain = (
            str(value).lower() if isinstance(value, bool) else shown(value) if isinstance(value, int | float) else value
        )
        if not isinstance(plain, str) or not plain.isprintable() or len(plain) > 1000:
            rows.found.problem(path, f"must be a text, a number or true/false, not {shown(value)}")
        elif looks_secret(plain) or re.search(r"(?i)api_?key|secret|password|token$", name):
            rows.found.problem(path, "secrets do not belong in the file", "keys are named in key_variables")
        else:
            options.append((name, plain))
    return tuple(options)
