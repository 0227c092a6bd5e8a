"""What `mrblue ask` needs of the settings, remembered between runs, so that the common case parses nothing.

It holds no secrets: they are looked up anew whenever a model is really asked.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mrblue_cli.settings.places import place

_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "MRBLUE_GATEWAY_")


class AskSettings(NamedTuple):
    """The few settings that a search needs."""

    folders: tuple[str, ...]
    top: int
    ai: str
    feedback_prompt: bool
    role: str
    mode: str


def ask_settings(file: Path | None, environment: Mapping[str, str] | None = None) -> AskSettings:
    """The settings in force. Raises `ConfigError` like `load`."""
    env = os.environ if environment is None else environment
    wanted = _stamp(file, env)
    memory = place("cache", env) / "ask-settings.bin"
    kept = _read(memory, wanted)
    if kept is not None:
        return kept
    from mrblue_cli.settings.load import load

    settings = load(file=file, environment=env).settings
    found = AskSettings(
        tuple(settings.knowledge.folders),
        settings.ask.top,
        settings.ask.ai,
        settings.ask.feedback_prompt,
        settings.assistant.role,
        settings.assistant.mode,
    )
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        new = memory.with_suffix(f".{os.getpid()}")
        body = marshal.dumps((wanted, tuple(found)))
        new.write_bytes(zlib.crc32(body).to_bytes(4, "big") + body)
        new.replace(memory)
    return found


def _stamp(file: Path | None, env: Mapping[str, str]) -> str:
    """Changes with the file that is read, and with every variable that may override it."""
    named = file or (Path(env["MRBLUE_CONFIG"]) if env.get("MRBLUE_CONFIG") else None)
    path = named or place("config", env) / "config.toml"
    try:
        status = path.stat()
        seen = f"{path}:{status.st_mtime_ns}:{status.st_size}"
    except OSError:
        seen = f"{path}:none:{named is not None}"
    own = sorted((name, value) for name, value in env.items() if name.startswith("MRBLUE_"))
    # The gateway's are left out as well: an address of Redis may hold a password.
    plain = [pair for pair in own if not any(word in pair[0] for word in _SECRET)]
    schema = Path(__file__).with_name("schema.py").stat()
    return f"1:{schema.st_mtime_ns}:{schema.st_size}:{seen}:{zlib.crc32(repr(plain).encode()):08x}"


def _read(path: Path, wanted: str) -> AskSettings | None:
    try:
        data = path.read_bytes()
        if zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
            return None
        seen, values = marshal.loads(data[4:])  # noqa: S302 - our own file, its checksum fits
        return AskSettings(*values) if seen == wanted else None
    except (OSError, ValueError, TypeError, EOFError):
        return None
