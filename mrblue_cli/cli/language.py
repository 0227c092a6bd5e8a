"""Which language a command speaks: chosen once, before it says anything."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import tell, use

if TYPE_CHECKING:
    from mrblue_cli.settings.load import Configuration

_CODE = re.compile(r"(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?\Z")
"""A language tag as recognisers take them (BCP 47, without its rarer parts); empty: the profile decides."""


def in_its_language(configuration: Configuration) -> Configuration:
    """Speak the language of the talk, and say it in its settings: that of its profile, unless they name another."""
    import msgspec

    from mrblue_cli.settings.profiles import find_profile

    settings = configuration.settings
    use(settings.talk.language)
    if not _CODE.match(settings.talk.language):
        what = tell("talk.language: '{code}' is no language", code=settings.talk.language)
        raise ConfigError(what, hint=tell("write its two-letter code, for example es"))
    language = find_profile(settings.talk.profile, settings.talk).language
    use(language)
    talk = msgspec.structs.replace(settings.talk, language=language)
    return replace(configuration, settings=msgspec.structs.replace(settings, talk=talk))


def speak(context: typer.Context) -> None:
    """Speak the language of the settings; whether they can be used is not asked here."""
    from mrblue_cli.settings.load import load

    with contextlib.suppress(ConfigError):
        use(load(file=context.obj.config).settings.talk.language)
