"""All tools that a profile may name: ours, and those of installed packages (entry point group `mrblue.tools`)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points

from mrblue_cli.app.tools.blue import last_failed_command, search_knowledge_base
from mrblue_cli.app.tools.dancers import find_dance_partners
from mrblue_cli.app.tools.orders import order_tools
from mrblue_cli.app.tools.surroundings import Build, Surroundings
from mrblue_cli.app.tools.tattoo import extract_keywords
from mrblue_cli.assistant.tools import Tool
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell

GROUP = "mrblue.tools"
BUILT_IN: Mapping[str, Build] = {
    "search_knowledge_base": search_knowledge_base,
    "last_failed_command": last_failed_command,
    "find_dance_partners": find_dance_partners,
    "extract_keywords": extract_keywords,
}
ORDERING = ("update_order", "read_order", "read_menu", "send_order")


def foreign_tools() -> dict[str, EntryPoint]:
    """The tools of installed packages, by name, not yet loaded."""
    return {point.name: point for point in entry_points(group=GROUP)}


def build_tools(
    around: Surroundings,
    tell_line: Callable[[str], None],
    foreign: Mapping[str, EntryPoint] | None = None,
) -> tuple[Tool, ...]:
    """The tools that the profile names, in its order.

    A package's tool that cannot be loaded is told through `tell_line` and left out. Raises `ConfigError` for a name
    that nobody knows.
    """
    others = foreign_tools() if foreign is None else foreign
    tools: list[Tool] = []
    # The tools of orders share one order.
    ordering = order_tools(around) if any(name in ORDERING for name in around.profile.tool_names) else {}
    for name in around.profile.tool_names:
        if name in ORDERING:
            tools.append(ordering[name])
        elif name in BUILT_IN:
            tools.append(BUILT_IN[name](around))
        elif name in others:
            tool = _loaded(others[name], tell_line)
            tools += [tool] if tool is not None else []
        else:
            known = sorted({*BUILT_IN, *ORDERING, *others})
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
            raise ConfigError(f"{around.profile.origin}: tools: there is no tool '{name[:60]}'", hint=hint)
    return tuple(tools)


def _loaded(point: EntryPoint, tell_line: Callable[[str], None]) -> Tool | None:
    """What an entry point names: a `Tool`, or a function without arguments that makes one."""
    try:
        value = point.load()
        tool = value if isinstance(value, Tool) else value()
    except Exception as error:  # noqa: BLE001 - whatever somebody else's package does, the talk goes on
        why = f"{type(error).__name__}: {error}"[:200]
        tell_line(tell("the tool {name} of another package cannot be loaded: {why}", name=point.name, why=why))
        return None
    if not isinstance(tool, Tool) or tool.name != point.name:
        tell_line(tell("the tool {name} of another package is no tool of that name", name=point.name))
        return None
    return tool
