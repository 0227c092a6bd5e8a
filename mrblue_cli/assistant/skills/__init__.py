"""What can be done without any model: each skill serves some tools, and knows from words alone when to call them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mrblue_cli.assistant.brain import ToolSpec
from mrblue_cli.assistant.skills.base import Skill


def find_skills(tools: Sequence[ToolSpec]) -> tuple[Skill, ...]:
    """The skills that serve any of the tools on offer."""
    offered = {tool.name for tool in tools}
    return tuple(skill for skill in _all() if skill.tools & offered)


@lru_cache(maxsize=1)
def _all() -> tuple[Skill, ...]:
    from mrblue_cli.assistant.skills.blue import BlueSkill
    from mrblue_cli.assistant.skills.orders.skill import OrderSkill
    from mrblue_cli.assistant.skills.tattoo import TattooSkill

    return (BlueSkill(), TattooSkill(), OrderSkill())
