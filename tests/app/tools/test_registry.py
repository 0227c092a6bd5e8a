"""Which tools there are, who may use them, and what becomes of those of other packages."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint

import msgspec
import pytest

from mrblue_cli.app.tools.registry import BUILT_IN, ORDERING, build_tools
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.assistant.permissions import Mode, Right, Role, may
from mrblue_cli.assistant.tools import Answer, Tool, ToolBox
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.profiles import find_profile
from mrblue_cli.settings.schema import Settings
from tests.assistant.skills.orders.menus import TRATTORIA

BASE = load_base()
ALL = (*BUILT_IN, *ORDERING)


def around(*tools, menu=TRATTORIA):
    profile = dataclasses.replace(find_profile("blue"), tool_names=tools)
    return Surroundings(Settings(), profile, BASE, menu=menu)


def refuse(line):
    raise AssertionError(line)


def built(*tools, **more):
    return build_tools(around(*tools, **more), refuse, {})


def test_every_tool_has_a_schema_that_says_what_it_takes():
    for tool in built(*ALL):
        schema = tool.spec.parameters
        assert schema["type"] == "object"
        assert schema.get("additionalProperties") is False
        assert len(tool.description) > 20
        for name, field in schema["properties"].items():
            described = {"description", "enum", "$ref", "allOf", "items", "default"} & set(field)
            assert described, (tool.name, name)
    by_name = {tool.name: tool.spec.parameters for tool in built(*ALL)}
    assert by_name["extract_keywords"]["required"] == ["subject"]
    assert set(by_name["extract_keywords"]["properties"]) == {
        "subject", "theme", "style", "color_palette", "technique", "artist_refs", "body_zone", "preview",
    }  # fmt: skip
    assert by_name["update_order"]["properties"]["mode"]["enum"] == ["add", "remove", "replace"]


NEEDED = {
    "search_knowledge_base": Right.BASIC,
    "find_dance_partners": Right.BASIC,
    "last_failed_command": Right.CONTEXT,
    "extract_keywords": Right.TOOLS,
    "update_order": Right.BASIC,
    "read_order": Right.BASIC,
    "read_menu": Right.BASIC,
    "send_order": Right.TOOLS,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("mode", Mode)
def test_a_role_is_offered_what_it_may_use_and_nothing_else(role, mode):
    tools = built(*ALL)
    assert {tool.name: tool.right for tool in tools} == NEEDED
    offered = {spec.name for spec in ToolBox(tools, role, mode).specs}
    assert offered == {name for name, right in NEEDED.items() if may(role, mode, right)}
    if role is Role.USER:
        assert not offered & {"send_order", "extract_keywords", "last_failed_command"}


def test_only_tools_with_effects_outside_are_finished_at_all_costs():
    box = ToolBox(built(*ALL))
    assert {name for name in ALL if box.has_effect(name)} == {"send_order", "extract_keywords"}
    assert not box.has_effect("nothing")


def test_a_name_that_nobody_knows_is_refused_with_the_nearest():
    with pytest.raises(ConfigError) as caught:
        built("search_knowlege_base")
    assert "there is no tool 'search_knowlege_base'" in caught.value.what
    assert caught.value.hint == "did you mean 'search_knowledge_base'?"
    with pytest.raises(ConfigError) as caught:
        built("zzz")
    assert "extract_keywords" in caught.value.hint


def test_orders_need_a_menu():
    with pytest.raises(ConfigError) as caught:
        built("read_order", menu=None)
    assert "no menu" in caught.value.what
    assert "--context" in caught.value.hint


class Nothing(msgspec.Struct):
    """Takes nothing."""


async def hello(_given):
    return Answer({}, "hello")


wave = Tool("wave", "Waves at somebody.", Nothing, hello)


def make_wave():
    return wave


def broken():
    raise RuntimeError("their fault")


def points(**targets):
    return {name: EntryPoint(name, f"{__name__}:{target}", "mrblue.tools") for name, target in targets.items()}


def test_a_packages_tool_may_be_a_tool_or_make_one():
    told = []
    for target in ("wave", "make_wave"):
        (tool,) = build_tools(around("wave"), told.append, points(wave=target))
        assert tool.name == "wave"
    assert told == []


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("broken", "cannot be loaded: RuntimeError: their fault"),
        ("gone", "cannot be loaded: AttributeError"),
        ("NEEDED", "cannot be loaded: TypeError"),
        ("Nothing", "is no tool of that name"),
    ],
)
def test_a_packages_tool_that_does_not_work_is_told_and_left_out(target, line):
    told = []
    tools = build_tools(around("greet", "read_menu"), told.append, points(greet=target))
    assert [tool.name for tool in tools] == ["read_menu"]
    assert len(told) == 1
    assert line in told[0]


def test_one_of_another_name_is_no_stand_in():
    told = []
    assert build_tools(around("greet"), told.append, points(greet="wave")) == ()
    assert "no tool of that name" in told[0]
