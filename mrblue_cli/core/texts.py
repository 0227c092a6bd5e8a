"""The words people see and hear, in their language. English stands in the source; other languages in `data/texts`.

A sentence is looked up by its English form, as gettext does it: `tell("microphone '{name}' fell silent", name=name)`.
What has no translation is told in English. The language is the process's, chosen once at its start.
"""

from __future__ import annotations

from functools import lru_cache

LANGUAGES = ("en", "es")
"""Screens and prompts exist in these."""


class _Chosen:
    language = "en"


def use(language: str) -> None:
    """Speak this language from now on; one without a catalogue is spoken as English."""
    _Chosen.language = language if language in LANGUAGES else "en"


def language() -> str:
    """The language in use: one of `LANGUAGES`."""
    return _Chosen.language


def tell(text: str, /, **values: object) -> str:
    """The sentence in the language in use, with its values put in."""
    told = text if _Chosen.language == "en" else catalogue(_Chosen.language).get(text, text)
    return told.format(**values) if values else told


@lru_cache(maxsize=4)
def catalogue(name: str) -> dict[str, str]:
    """All sentences of a language by their English form."""
    import pkgutil  # only another language than English pays for these
    import tomllib

    data = pkgutil.get_data("mrblue_cli", f"data/texts/{name}.toml")
    return dict(tomllib.loads((data or b"").decode()).get("texts", {}))
