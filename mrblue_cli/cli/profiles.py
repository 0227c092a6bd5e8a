"""`mrblue profiles`: what a talk can be for."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from mrblue_cli.cli.language import speak
from mrblue_cli.core.texts import tell

app = typer.Typer(help="Look into the profiles of mrblue talk.", no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.callback()
def _speak(context: typer.Context) -> None:
    """Look into the profiles of mrblue talk."""
    speak(context)


@app.command("list")
def list_profiles(context: typer.Context, as_json: Json = False) -> None:
    """List the profiles: ours and your own."""
    from mrblue_cli.app.profiles import profile_rows
    from mrblue_cli.settings.load import load

    rows = profile_rows(load(file=context.obj.config).settings)
    if as_json:
        _print(rows)
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        own = "" if row["source"] == "mrblue" else f"  ({row['source']})"
        what = f"! {row['problem']}" if row["problem"] else row["title"]
        sys.stdout.write(f"{row['name']:<{width}}  {what}{own}\n")


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name, or a file.")],
    as_json: Json = False,
) -> None:
    """Show a profile whole, as a talk would use it now: what a model is told, and which tools it may call."""
    from mrblue_cli.app.profiles import profile_shown
    from mrblue_cli.settings.load import load

    configuration = load(file=context.obj.config, overrides={"talk": {"profile": name}})
    shown = profile_shown(configuration.settings)
    if as_json:
        _print(shown)
        return
    lines = [f"{shown['title']}  ({shown['name']}, {shown['source']})", ""]
    lines += [tell("language: {code}", code=shown["language"])]
    lines += [tell("greeting: {text}", text=shown["greeting"])] if shown["greeting"] else []
    lines += ["", tell("A model is told:"), *(f"  {line}" for line in str(shown["instructions"]).splitlines())]
    lines += ["", tell("Tools:")]
    for tool in shown["tools"]:
        needed = ", ".join(tool["parameters"].get("required", [])) or "-"
        lines += [f"  {tool['name']}  ({tell('needs: {names}', names=needed)})", f"    {tool['description']}"]
    lines += [f"  {line}" for line in shown["left_out"]]
    sys.stdout.write("\n".join(lines) + "\n")


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
