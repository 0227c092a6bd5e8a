"""`mrblue gateway check`: what a configuration means, before anything is served. Nothing is contacted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mrblue_cli.cli.gateway_keys import named

if TYPE_CHECKING:
    from mrblue_cli.app.gateway_check import Explanation, ProviderLine, RouteLine
    from mrblue_cli.gateway.providers.base import Traits

_TITLES = {
    "door": "Door",
    "failover": "When a provider fails",
    "deadlines": "Deadlines",
    "cache": "Cache",
    "budget": "Budget",
    "limits": "Limits",
}


def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="TOML or YAML; default: mrblue's own file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Explain a configuration: routes, keys, prices, limits, what may not be meant. Exit code 3: it is wrong."""
    import msgspec

    from mrblue_cli.app.gateway_check import explain
    from mrblue_cli.gateway.budget.prices import prices_of
    from mrblue_cli.settings.gateway import load_gateway
    from mrblue_cli.settings.gateway_problems import GatewayConfigError

    try:
        loaded = load_gateway(file or named(context, "config"), without_keys=True)
        explanation = explain(loaded, traits=_traits, price=prices_of)
    except GatewayConfigError as error:
        if not as_json:
            raise
        problems = [msgspec.to_builtins(problem) for problem in error.problems]
        _json({"file": error.where or None, "ok": False, "problems": problems})
        return 3
    if as_json:
        _json(msgspec.to_builtins(explanation))
    else:
        sys.stdout.write("\n".join(text(explanation)) + "\n")
        if loaded.unfit is not None:
            sys.stdout.flush()
            raise GatewayConfigError(explanation.file or "", (loaded.unfit,))
    return 0 if explanation.ok else 3


def _traits(kind: str) -> Traits:
    from mrblue_cli.gateway.providers.registry import provider

    return provider(kind).traits


def _json(document: object) -> None:
    import json

    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def text(explanation: Explanation) -> list[str]:
    """The explanation as lines for a person."""
    warnings = sum(note.warning for note in explanation.notes)
    state = f"good, with {warnings} warning{'s' if warnings != 1 else ''}" if warnings else "good"
    if not explanation.ok:
        state = "cannot be started: no key was found. With keys it means"
    lines = [f"{explanation.file or 'no file: defaults and keys from the environment'}: {state}", "", "Providers"]
    for provider in explanation.providers:
        lines += _provider(provider)
    surface = ""
    for route in explanation.routes:
        if route.surface != surface:
            surface = route.surface
            also = " (also by responses and messages)" if surface == "chat" else ""
            lines += ["", f"Order of tries: {surface}{also}"]
        lines += _route(route)
    if explanation.aliases:
        lines += ["", "Other names"]
        lines += [f"  {alias} means {target}" for alias, target in explanation.aliases.items()]
    for name, title in _TITLES.items():
        lines += ["", title, *(f"  {line}" for line in explanation.words[name])]
    if explanation.notes:
        lines += ["", "Worth knowing"]
        lines += [f"  {'warning' if note.warning else 'note'}: {note.line()}" for note in explanation.notes]
    return lines


def _provider(provider: ProviderLine) -> list[str]:
    kind = f" ({provider.kind})" if provider.kind != provider.name else ""
    if provider.priority is None:
        head = f"  {provider.name}{kind}: left out"
    else:
        where = f" at {provider.address}" if provider.address else ""
        head = f"  {provider.name}{kind}, priority {provider.priority}{where}"
    lines = [head]
    for key in provider.keys:
        found = f"found in the {key['found']}" if key["found"] else "missing"
        lines.append(f"    key {key['variable']}: {found}")
    if not provider.keys and provider.priority is not None:
        lines.append("    needs no key")
    for model in provider.models:
        if model.name == "*":
            lines.append("    any model, passed on as it is named")
            continue
        name = model.name if model.upstream == model.name else f"{model.name} (there: {model.upstream})"
        lines.append(
            f"    {name} · {', '.join(model.surfaces)} · {model.price or 'no price known: tokens are counted'}"
        )
    return lines


def _route(route: RouteLine) -> list[str]:
    name = "any other name" if route.model == "*" else route.model
    steps: list[str] = []
    for place, item in enumerate(route.tries):
        asked = route.model if item.same_model else item.model
        shared = f" {item.share:.0%}" if item.share < 1 else ""
        step = f"{item.provider}{shared}" if asked in (route.model, "*") else f"{item.provider}/{item.model}{shared}"
        before = route.tries[place - 1] if place else None
        together = before is not None and (before.priority, before.same_model) == (item.priority, item.same_model)
        steps.append(f"{' | ' if together else ' → ' if place else ''}{step}")
    return [f"  {name}: {''.join(steps)}"]
