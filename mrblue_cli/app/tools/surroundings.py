"""What the tools of a talk may need, and how a tool is built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mrblue_cli.app.tools.floor import Floor
from mrblue_cli.assistant.profile import Profile
from mrblue_cli.assistant.skills.orders.menu import Menu
from mrblue_cli.assistant.tools import Tool
from mrblue_cli.knowledge.base import KnowledgeBase
from mrblue_cli.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of one conversation."""

    settings: Settings
    profile: Profile
    base: KnowledgeBase
    floor: Floor = field(default_factory=Floor)
    menu: Menu | None = None
    """What may be ordered; None: this profile has no menu."""


Build = Callable[[Surroundings], Tool]
