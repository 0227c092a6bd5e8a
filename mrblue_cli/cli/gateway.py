"""`mrblue gateway`: serve, and the commands around it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mrblue_cli.cli import gateway_keys
from mrblue_cli.cli.gateway_check import check
from mrblue_cli.cli.gateway_cost import cost
from mrblue_cli.cli.gateway_top import top
from mrblue_cli.core.errors import UsageError

app = typer.Typer(
    help="One OpenAI-compatible door to every provider: failover, cache, budget.",
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def gateway(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="TOML or YAML; default: [gateway] of mrblue's own file.", metavar="FILE")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Listen here; beyond this machine keys are required.")] = None,
    port: Annotated[int | None, typer.Option(help="Listen on this port; 0: any free one.", min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the work.", min=1, max=64)] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The built-in scripted provider: no key, no network.")] = False,
    state: Annotated[Path | None, typer.Option(help="Folder of ledger and keys.", metavar="FOLDER")] = None,
    log_format: Annotated[str | None, typer.Option("--log", help="text or json, one line a request.")] = None,
) -> int:
    """Serve applications that set OPENAI_BASE_URL (or BIFROST_BASE_URL) to this address."""
    if context.invoked_subcommand is not None:
        return 0
    if log_format not in {None, "text", "json"}:
        raise UsageError(f"--log: there is no format {log_format!r}", hint="text or json")
    from mrblue_cli.app.gateway import load_options, run_gateway, without_keys

    typed: dict[str, Any] = {"host": host, "port": port, "workers": workers, "log_format": log_format}
    if state is not None:
        typed["state_folder"] = str(state)
    overrides = {key: value for key, value in typed.items() if value is not None}
    options, reread = load_options(config or context.obj.config, overrides, demo=demo, note=_note)
    if demo:
        _note("demo: a scripted provider answers; nothing leaves this machine")
    if without_keys(options):
        _note(f"clients need a key on {options.host}, and there is none yet: mrblue gateway keys create NAME")
    return run_gateway(options, reread, _ready)


def _ready(address: str) -> None:
    sys.stdout.write(f"mrblue gateway ready on {address}\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"mrblue: {text}\n")
    sys.stderr.flush()


app.command("check")(check)
app.command("cost")(cost)
app.command("top")(top)
app.add_typer(gateway_keys.app, name="keys")
