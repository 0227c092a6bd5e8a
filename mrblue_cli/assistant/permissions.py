"""Who may do what, where: one table for every part of the product that asks."""

from __future__ import annotations

from enum import StrEnum

from mrblue_cli.core.errors import ConfigError


class Mode(StrEnum):
    """What a conversation is about."""

    CHAT = "chat"
    """The question alone."""
    GLOBAL = "global"
    """The question with what happened before it: breadcrumbs, the last failed command."""
    VISUAL_EDITOR = "visual_editor"
    """Changes to files, proposed as a patch."""


class Role(StrEnum):
    """Who asks."""

    GOD = "god"
    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    MODERATOR = "moderator"
    USER = "user"
    PREMIUM = "premium"


class Right(StrEnum):
    """What one may be allowed."""

    BASIC = "basic"
    """Answers from the knowledge base."""
    TEXT = "text"
    """Typed conversation with a model."""
    CONTEXT = "context"
    """The breadcrumbs go into the prompt."""
    VOICE = "voice"
    EDITING = "editing"
    """Patches to files."""
    TOOLS = "tools"
    """Tools that do something outside this conversation: send an order, ask a service for work."""


_ALL = frozenset(Right)
_TEXT = frozenset({Right.BASIC, Right.TEXT, Right.CONTEXT})
_BASIC = frozenset({Right.BASIC})
_BY_ROLE: dict[Role, frozenset[Right]] = {
    Role.GOD: _ALL,
    Role.SUPER_ADMIN: _ALL,
    Role.ADMIN: _TEXT,
    Role.MODERATOR: _TEXT,
    Role.USER: _BASIC,
    Role.PREMIUM: _BASIC,
}
_BY_MODE: dict[Mode, frozenset[Right]] = {
    Mode.CHAT: _ALL - {Right.CONTEXT, Right.EDITING},
    Mode.GLOBAL: _ALL - {Right.EDITING},
    Mode.VISUAL_EDITOR: _ALL,
}
_NEEDED: dict[Mode, Right] = {Mode.CHAT: Right.BASIC, Mode.GLOBAL: Right.CONTEXT, Mode.VISUAL_EDITOR: Right.EDITING}

PERMISSIONS: dict[tuple[Role, Mode], frozenset[Right]] = {
    (role, mode): _BY_ROLE[role] & _BY_MODE[mode] if _NEEDED[mode] in _BY_ROLE[role] else frozenset()
    for role in Role
    for mode in Mode
}
"""Everything a role may do in a mode; nothing at all where the role may not enter the mode."""


def may(role: Role, mode: Mode, right: Right) -> bool:
    """Whether a role may do this in a mode."""
    return right in PERMISSIONS[role, mode]


def require(role: Role, mode: Mode, right: Right) -> None:
    """Raise `ConfigError`, with who could, when a role may not do this in a mode."""
    if may(role, mode, right):
        return
    others = [str(other) for other in Role if may(other, mode, right)]
    hint = f"set [assistant] role to one of {', '.join(others)}" if others else f"mode {mode} has no {right} at all"
    raise ConfigError(f"role {role} in mode {mode} has no right to {right}", hint=hint)
