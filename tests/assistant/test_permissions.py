"""The whole table, written out by hand beside the one that the code derives."""

from __future__ import annotations

import msgspec
import pytest

from mrblue_cli.assistant.permissions import PERMISSIONS, Mode, Right, Role, may, require
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.schema import AssistantSection

TABLE = """
god          chat           yes yes no  yes no  yes
god          global         yes yes yes yes no  yes
god          visual_editor  yes yes yes yes yes  yes
super_admin  chat           yes yes no  yes no  yes
super_admin  global         yes yes yes yes no  yes
super_admin  visual_editor  yes yes yes yes yes  yes
admin        chat           yes yes no  no  no  no
admin        global         yes yes yes no  no  no
admin        visual_editor  no  no  no  no  no  no
moderator    chat           yes yes no  no  no  no
moderator    global         yes yes yes no  no  no
moderator    visual_editor  no  no  no  no  no  no
user         chat           yes no  no  no  no  no
user         global         no  no  no  no  no  no
user         visual_editor  no  no  no  no  no  no
premium      chat           yes no  no  no  no  no
premium      global         no  no  no  no  no  no
premium      visual_editor  no  no  no  no  no  no
"""
# The columns after role and mode.
RIGHTS = ("basic", "text", "context", "voice", "editing", "tools")
ROWS = [
    (role, mode, right, answer == "yes")
    for role, mode, *answers in (line.split() for line in TABLE.strip().splitlines())
    for right, answer in zip(RIGHTS, answers, strict=True)
]


def test_the_table_is_complete():
    assert {(role, mode) for role, mode, _, _ in ROWS} == set(PERMISSIONS)
    assert set(RIGHTS) == set(Right)
    assert len(ROWS) == len(Role) * len(Mode) * len(Right) == 108


@pytest.mark.parametrize(("role", "mode", "right", "allowed"), ROWS)
def test_every_cell(role, mode, right, allowed):
    assert may(Role(role), Mode(mode), Right(right)) is allowed
    if allowed:
        require(Role(role), Mode(mode), Right(right))
        return
    with pytest.raises(ConfigError) as caught:
        require(Role(role), Mode(mode), Right(right))
    for word in (role, mode, right):
        assert word in caught.value.what
    assert caught.value.hint


# The issue says: "god, super_admin: voice and editing; admin, moderator: text; user, premium: basic"
@pytest.mark.parametrize(
    ("roles", "rights"),
    [
        ({"god", "super_admin"}, {"basic", "text", "context", "voice", "editing", "tools"}),
        ({"admin", "moderator"}, {"basic", "text", "context"}),
        ({"user", "premium"}, {"basic"}),
    ],
)
def test_what_a_role_can_ever_do_is_what_was_promised(roles, rights):
    for role in roles:
        assert {right for mode in Mode for right in Right if may(Role(role), mode, right)} == rights


def test_the_hint_names_the_roles_that_could():
    with pytest.raises(ConfigError) as caught:
        require(Role.USER, Mode.CHAT, Right.TEXT)
    assert caught.value.what == "role user in mode chat has no right to text"
    assert caught.value.hint == "set [assistant] role to one of god, super_admin, admin, moderator"


def test_the_hint_says_when_no_role_could():
    with pytest.raises(ConfigError) as caught:
        require(Role.GOD, Mode.CHAT, Right.EDITING)
    assert caught.value.hint == "mode chat has no editing at all"


def test_the_settings_know_the_same_roles_and_modes():
    for kind, name in ((Role, "role"), (Mode, "mode")):
        known = msgspec.inspect.type_info(AssistantSection).fields
        assert set(next(field for field in known if field.name == name).type.values) == set(kind)
