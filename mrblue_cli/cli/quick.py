"""The common forms of `mrblue ask` read without the command line library; anything else is left to it."""

from __future__ import annotations

from collections.abc import Sequence

from mrblue_cli.app.ask import AskOptions

_SWITCHES = {"--json", "--verbose", "-v", "--ai", "--no-ai"}


def quick_options(arguments: Sequence[str]) -> AskOptions | None:
    """The options, or None when these arguments need the real parser: help, mistakes, rare options.

    A test holds this and `mrblue_cli.cli.ask` together: what is read here means the same there.
    """
    texts: list[str] = []
    found: set[str] = set()
    top: int | None = None
    rest = iter(arguments)
    for argument in rest:
        if argument == "--top":
            value = next(rest, "")
            if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 20):
                return None
            top = int(value)
        elif argument in _SWITCHES:
            found.add(argument)
        elif argument.startswith("-") and argument != "-":
            return None
        else:
            texts.append(argument)
    if len(texts) > 1 or {"--ai", "--no-ai"} <= found:
        return None
    return AskOptions(
        text=texts[0] if texts else None,
        top=top,
        as_json="--json" in found,
        ai=True if "--ai" in found else False if "--no-ai" in found else None,
        verbose=bool(found & {"--verbose", "-v"}),
    )
