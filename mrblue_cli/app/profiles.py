"""A profile made ready for one talk: its tools built, its menu and files read, what a role may not do left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrblue_cli.app.tools.floor import Floor
from mrblue_cli.app.tools.registry import build_tools
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.permissions import Mode, Role
from mrblue_cli.assistant.profile import Profile
from mrblue_cli.assistant.skills.orders.menu import MAX_MENU_BYTES, Menu, parse_menu
from mrblue_cli.assistant.tools import ToolBox
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell
from mrblue_cli.knowledge.base import KnowledgeBase, load_base
from mrblue_cli.settings.build import knowledge_folders
from mrblue_cli.settings.places import place
from mrblue_cli.settings.profiles import find_profile, profiles, read_bounded, read_shipped_menu
from mrblue_cli.settings.schema import DEFAULT_VOICE, Settings

MAX_CONTEXT_BYTES = 64 * 1024
"""Of each file that a model is given: it is paid for with every turn."""


@dataclass(frozen=True, slots=True)
class Equipped:
    """What a talk needs of its profile."""

    profile: Profile
    toolbox: ToolBox
    floor: Floor
    """Follows the talk for the tools: give it every event."""


def equip(settings: Settings, base: KnowledgeBase, tell_line: Callable[[str], None]) -> Equipped:
    """The profile of the settings with all it takes. Raises `ConfigError`; lesser things go to `tell_line`."""
    profile = find_profile(settings.talk.profile, settings.talk)
    menu, texts = _context(profile, settings.talk.context)
    floor = Floor()
    around = Surroundings(settings, profile, base, floor, menu)
    who = settings.assistant
    toolbox = ToolBox(build_tools(around, tell_line), Role(who.role), Mode(who.mode))
    words = menu.words(profile.language) if menu is not None else ()
    return Equipped(profile.equipped(toolbox.specs, knowledge=texts, words=words), toolbox, floor)


def _context(profile: Profile, given: str) -> tuple[Menu | None, tuple[str, ...]]:
    """The menu, and text for the model. `given`: a file from the command line or the settings."""
    menu: Menu | None = None
    texts: list[str] = []
    named = given if given and profile.menu else profile.menu
    if named:
        menu = read_menu(named)
        texts.append(menu.told(profile.language))
    extra = [given] if given and not profile.menu else []
    for name in (*profile.files, *extra):
        text = read_bounded(Path(name).expanduser(), MAX_CONTEXT_BYTES, "context").strip()
        texts.append(f"{Path(name).name}:\n{text}")
    return menu, tuple(texts)


def read_menu(named: str) -> Menu:
    """A menu of ours by name, or a file; raises `ConfigError`."""
    shipped = read_shipped_menu(named)
    if shipped is not None:
        return parse_menu(shipped, f"mrblue:{named}.toml")
    path = Path(named).expanduser()
    return parse_menu(read_bounded(path, MAX_MENU_BYTES, "menu"), str(path))


def profile_rows(settings: Settings) -> list[dict[str, object]]:
    """Every profile that can be named, for lists; one that cannot be read says why."""
    rows: list[dict[str, object]] = []
    for found in profiles():
        row: dict[str, object] = {"name": found.name, "source": found.source, "title": "", "tools": [], "problem": None}
        try:
            profile = find_profile(found.name, settings.talk)
            row |= {"title": profile.title, "tools": list(profile.tool_names)}
        except ConfigError as error:
            row["problem"] = error.what
        rows.append(row)
    return rows


def profile_shown(settings: Settings) -> dict[str, Any]:
    """The profile of the settings as a talk would use it, for eyes."""
    told: list[str] = []
    base = load_base(knowledge_folders(settings), cache=place("cache"))
    profile = equip(settings, base, told.append).profile
    offered = {tool.name for tool in profile.tools}
    who = f"{settings.assistant.role}, {settings.assistant.mode}"
    refused = [name for name in profile.tool_names if name not in offered]
    told += [tell("{name} is not offered here ({who})", name=name, who=who) for name in refused]
    return {
        "name": profile.name,
        "title": profile.title,
        "source": profile.origin,
        "language": profile.language,
        "voice": profile.voice or settings.talk.voice or DEFAULT_VOICE,
        "greeting": profile.greeting,
        "instructions": profile.instructions,
        "tools": [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            for tool in profile.tools
        ],
        "left_out": told,
        "words": list(profile.words),
    }
