"""A file of unknown origin into plain tables: TOML or YAML, told by what it holds. Everything in it is hostile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from mrblue_cli.settings.gateway_problems import GatewayConfigError, Problem, looks_secret, safe_name

MOST_BYTES = 256 * 1024
_MOST_NODES = 20_000
_DEEPEST = 40


class Parsed(msgspec.Struct, frozen=True):
    """What a file holds."""

    table: dict[str, Any]
    yaml: bool
    """The layout is the users' YAML: times under `failover` are milliseconds."""


class _Refused(Exception):
    """Why a text is not of a format: one line that quotes nothing of it."""


def read_file(path: Path) -> Parsed:
    """Read and parse; raises `GatewayConfigError`. Times the size of the file, never more: no entity expands."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _error(path, "there is no such file", "give an existing one with --config") from None
    except IsADirectoryError:
        raise _error(path, "is a folder", "name the file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is impossible"
        raise _error(path, f"cannot be read: {reason}", "check its permissions") from None
    if len(data) > MOST_BYTES:
        raise _error(path, f"is larger than {MOST_BYTES // 1024} KiB", "is it a configuration file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(path, f"is not UTF-8 text (byte {error.start})", "save it as UTF-8") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Parsed:
    """Parse a text by its content; the ending of the name decides only which error is shown. Raises as `read_file`."""
    yaml_named = path.suffix.lower() in {".yaml", ".yml", ".json"}
    refused = {}
    for yaml in (yaml_named, not yaml_named):
        try:
            return Parsed(_yaml(text) if yaml else _toml(text), yaml)
        except _Refused as error:
            refused[yaml] = str(error)
    kind = "YAML" if yaml_named else "TOML"
    hint = "docs/gateway.md shows both layouts, TOML and YAML"
    raise _error(path, f"not valid {kind}: {refused[yaml_named]}", hint)


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        raise _Refused("a part cannot be read" if looks_secret(reason) else reason) from None
    except RecursionError:
        raise _Refused("nested too deeply") from None
    except ValueError:  # a number of more digits than Python converts
        raise _Refused("a number beyond all bounds") from None


def _yaml(text: str) -> dict[str, Any]:
    import yaml

    # The loader in Python, not libyaml's: nesting without end is an error there, and a crash of the process here.
    loader = yaml.SafeLoader
    try:
        made = loader(text)
        try:
            root = made.get_single_node()
            if root is None:
                return {}
            if not isinstance(root, yaml.MappingNode):
                raise _Refused("it is no table of options")
            _measure(root)
            result = made.construct_document(root)
        finally:
            made.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # Not str(error), which quotes the line: a key may stand in it.
        reason = error.problem or "it cannot be read"
        raise _Refused(f"{'a part cannot be read' if looks_secret(reason) else reason}{_line(mark)}") from None
    except yaml.YAMLError:
        raise _Refused("it holds characters that no YAML may hold") from None
    except RecursionError:
        raise _Refused("nested too deeply") from None
    except (ValueError, TypeError, ArithmeticError, AttributeError, KeyError):
        # What looks like a number or a date and is none makes the loader's converters fail in their own ways.
        raise _Refused("a number or date that is none: put it in quotes") from None
    table: dict[str, Any] = result
    return table


def _measure(root: Any) -> None:
    """Refuse aliases that grow without bound, tables in themselves, keys that are double or no text.

    Sizes are counted on the graph, each node once, as if every alias were written out: a "billion laughs" file is
    refused before anything of it is built.
    """
    import yaml

    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Any, depth: int) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise _Refused(f"a part contains itself{_line(node.start_mark)}")
        if depth > _DEEPEST:
            raise _Refused(f"nested too deeply{_line(node.start_mark)}")
        open_nodes.add(id(node))
        total = 1
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                _check_key(key, seen)
                total += 1 + size(value, depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            total += sum(size(item, depth + 1) for item in node.value)
        if total > _MOST_NODES:
            raise _Refused(f"more than {_MOST_NODES} values once its aliases are followed{_line(node.start_mark)}")
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    def _check_key(key: Any, seen: set[str]) -> None:
        text_tags = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}
        if not isinstance(key, yaml.ScalarNode) or key.tag not in text_tags:
            raise _Refused(f"a key that is no text{_line(key.start_mark)}")
        if key.value in seen:
            raise _Refused(f"{safe_name(key.value)} stands twice in one table{_line(key.start_mark)}")
        seen.add(key.value)

    size(root, 0)


def _line(mark: Any) -> str:
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""


def _error(path: Path, what: str, hint: str) -> GatewayConfigError:
    return GatewayConfigError(str(path), (Problem("", what, hint),))
