"""`mrblue gateway`: the OpenAI-compatible door to every provider."""

from __future__ import annotations

import typer

from mrblue_cli.cli import gateway_cost

app = typer.Typer(
    help="One OpenAI-compatible door to every provider: failover, cache, budget.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("cost")(gateway_cost.cost)


@app.callback()
def _gateway() -> None:
    """With one command only, Typer would leave out its name."""
