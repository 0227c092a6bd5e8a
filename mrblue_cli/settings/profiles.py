"""Profiles on disk: ours, the user's own, or one given by its path. Strict: what is not understood is refused."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from mrblue_cli.assistant.profile import Profile
from mrblue_cli.assistant.skills.orders.menu import line_of
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.places import place
from mrblue_cli.settings.schema import Section, TalkSection

MAX_PROFILE_BYTES = 256 * 1024
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,40}$")


class _Texts(Section, frozen=True, kw_only=True):
    """What is said, in one language."""

    title: str = ""
    greeting: str = ""
    instructions: str = ""


class _Context(Section, frozen=True, kw_only=True):
    """What the conversation is about."""

    menu: str = ""
    """The file of a menu, beside the profile; `trattoria` and other bare names: one of ours."""
    files: tuple[str, ...] = ()
    """Text for the model."""
    words: tuple[str, ...] = ()
    """Names that a recogniser should expect."""


class ProfileFile(Section, frozen=True, kw_only=True):
    """A profile as it stands in its file; `[es]` and `[en]` overrule what stands above them."""

    title: str = ""
    greeting: str = ""
    instructions: str = ""
    voice: str = ""
    language: str = ""
    tools: tuple[str, ...] = ()
    context: _Context = _Context()
    en: _Texts = _Texts()
    es: _Texts = _Texts()


@dataclass(frozen=True, slots=True)
class Found:
    """A profile that can be named."""

    name: str
    source: str
    """`mrblue` for ours, else the file."""


def profiles() -> tuple[Found, ...]:
    """All that can be named, by name; the user's own stand for ours of the same name."""
    found = {name: Found(name, "mrblue") for name in _shipped()}
    folder = place("config") / "profiles"
    if folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            found[path.stem] = Found(path.stem, str(path))
    return tuple(found[name] for name in sorted(found))


def find_profile(wanted: str, talk: TalkSection | None = None) -> Profile:
    """Read a profile by name or path, in the language and voice of the settings.

    What the settings say wins over the profile. Raises `ConfigError` that names file,
    line and key.
    """
    section = talk or TalkSection()
    name, text, source = _read(wanted)
    raw = _parsed(text, source)
    language = section.language or raw.language or "en"
    voice = section.voice or raw.voice
    own = {"en": raw.en, "es": raw.es}.get(language, _Texts())
    instructions = (own.instructions or raw.instructions).strip()
    if not instructions:
        raise ConfigError(f"{source}: there are no instructions", hint="say who it is: see docs/profiles.md")
    base = None if source.startswith("mrblue:") else Path(source).parent
    return Profile(
        name=name,
        title=own.title or raw.title or name,
        instructions=instructions,
        greeting=(own.greeting or raw.greeting).strip(),
        voice=voice,
        language=language,
        tool_names=tuple(dict.fromkeys(raw.tools)),
        menu=_beside(base, raw.context.menu) if raw.context.menu else "",
        files=tuple(_beside(base, name) for name in raw.context.files),
        words=raw.context.words,
        origin=source,
    )


def _beside(base: Path | None, name: str) -> str:
    """A file that a profile names: beside the profile; a bare name is one of ours."""
    if base is None or ("/" not in name and "." not in name):
        return name
    return str(base / Path(name).expanduser())


def read_shipped_menu(name: str) -> str | None:
    """The text of a menu of ours; None: there is none of this name."""
    if not _NAME.match(name):
        return None
    entry = files("mrblue_cli.data") / "menus" / f"{name}.toml"
    return entry.read_text(encoding="utf-8") if entry.is_file() else None


def _shipped() -> list[str]:
    folder = files("mrblue_cli.data") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _read(wanted: str) -> tuple[str, str, str]:
    """Name, text and source of a profile."""
    if wanted.endswith(".toml") or "/" in wanted or "\\" in wanted:
        path = Path(wanted).expanduser()
        return path.stem, read_bounded(path, MAX_PROFILE_BYTES, "--profile"), str(path)
    own = place("config") / "profiles" / f"{wanted}.toml"
    if _NAME.match(wanted) and own.is_file():
        return wanted, read_bounded(own, MAX_PROFILE_BYTES, "profile"), str(own)
    if wanted in _shipped():
        text = (files("mrblue_cli.data") / "profiles" / f"{wanted}.toml").read_text(encoding="utf-8")
        return wanted, text, f"mrblue:{wanted}.toml"
    known = [found.name for found in profiles()]
    near = difflib.get_close_matches(wanted, known, n=1)
    also = f"did you mean '{near[0]}'? " if near else ""
    raise ConfigError(
        f"there is no profile '{wanted[:60]}'",
        hint=f"{also}there are: {', '.join(known)}; a file of your own: --profile ./NAME.toml",
    )


def read_bounded(path: Path, limit: int, what: str) -> str:
    """A text file of at most `limit` bytes; raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file ({what})", hint="check the name and path") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", hint="check its permissions") from None
    if len(data) > limit:
        raise ConfigError(f"{path}: larger than {limit // 1024} KiB", hint="it should hold a few pages at most")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no UTF-8 text", hint="save it as UTF-8") from None


def _parsed(text: str, source: str) -> ProfileFile:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}", hint="docs/profiles.md shows one") from None
    try:
        return msgspec.convert(table, ProfileFile)
    except msgspec.ValidationError as error:
        raise _explained(str(error), source, text) from None


def _explained(message: str, source: str, text: str) -> ConfigError:
    found = re.search(r"unknown field `([^`]+)`(?: - at `\$\.?([^`]*)`)?", message)
    at = re.search(r" - at `\$\.?([^`\[]*)", message)
    if found:
        key, section = found[1], found[2] or ""
        kinds: dict[str, type[msgspec.Struct]] = {"context": _Context, "en": _Texts, "es": _Texts}
        known = kinds.get(section, ProfileFile).__struct_fields__
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
        full = f"{section}.{key}" if section else key
        return ConfigError(f"{source}{line_of(text, key)}: there is no key '{full}'", hint=hint)
    key = at[1].rpartition(".")[2] if at else ""
    what = message.replace(message[at.start() :], "") if at else message
    where = f"{line_of(text, key) if key else ''}: {at[1] if at else ''}"
    return ConfigError(f"{source}{where}: {what}", hint="docs/profiles.md shows what it takes")
