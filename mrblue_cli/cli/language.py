"""Which language a command speaks: chosen once, before it says anything."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.core.texts import use

if TYPE_CHECKING:
    from mrblue_cli.settings.load import Configuration


def in_its_language(configuration: Configuration) -> Configuration:
    """Speak the language of the talk, and say it in its settings: that of its profile, unless they name another."""
    import msgspec

    from mrblue_cli.settings.profiles import find_profile

    settings = configuration.settings
    use(settings.talk.language)
    language = find_profile(settings.talk.profile, settings.talk).language
    use(language)
    talk = msgspec.structs.replace(settings.talk, language=language)
    return replace(configuration, settings=msgspec.structs.replace(settings, talk=talk))


def speak(context: typer.Context) -> None:
    """Speak the language of the settings; whether they can be used is not asked here."""
    from mrblue_cli.settings.load import load

    with contextlib.suppress(ConfigError):
        use(load(file=context.obj.config).settings.talk.language)
