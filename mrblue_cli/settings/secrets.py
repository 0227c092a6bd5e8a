"""Keys come from the environment or the system keyring. They are never written anywhere and never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping

SERVICE = "mrblue"


class Secret:
    """A string that does not show itself."""

    def __init__(self, value: str, origin: str) -> None:
        self._value = value
        self.origin = origin
        """Where it was found: `environment`, `keyring`, or empty."""

    def reveal(self) -> str:
        """The value, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(set)" if self._value else "Secret(empty)"

    __str__ = __repr__


def find_secret(name: str, environment: Mapping[str, str] | None = None) -> Secret:
    """Look up a secret such as `OPENAI_API_KEY`; an empty one when there is none."""
    env = os.environ if environment is None else environment
    value = env.get(name, "").strip()
    if value:
        return Secret(value, "environment")
    stored = _from_keyring(name)
    return Secret(stored, "keyring") if stored else Secret("", "")


def _from_keyring(name: str) -> str:
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, name) or ""
    except Exception:  # noqa: BLE001 - keyring backends fail in their own ways; no keyring is no secret
        return ""
