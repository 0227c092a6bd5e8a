"""The live picture: drawn again every second; a lost connection is shown and waited out."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from mrblue_cli.cli.gateway_top import REFRESH
from mrblue_cli.cli.gateway_top_view import screen
from mrblue_cli.core.errors import RemoteError
from mrblue_cli.gateway.status import Status, read_status


def watch(fetch: Callable[[], bytes], *, url: str, console: Console, wait: Callable[[float], bool]) -> None:
    """Until `wait` returns true or the person interrupts, which is the usual way out and no error."""
    status: Status | None = None
    problem = ""
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                status, problem = _look(fetch, status)
                live.update(screen(status, url=url, width=console.width, problem=problem), refresh=True)
                if wait(REFRESH):
                    return
        except KeyboardInterrupt:
            return


def _look(fetch: Callable[[], bytes], last: Status | None) -> tuple[Status | None, str]:
    """(the newest status there is, what went wrong)."""
    try:
        return read_status(fetch()), ""
    except RemoteError as error:
        advice = f" ({error.hint})" if error.hint else ""
        return last, f"{error.what}{advice}"
    except ValueError:
        return last, "this address answers, but not with a gateway's status"
