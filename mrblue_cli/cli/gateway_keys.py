"""`mrblue gateway keys`: virtual keys for those who use the gateway."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mrblue_cli.core.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from mrblue_cli.gateway.access.keys import KeyRecord, KeyStore

app = typer.Typer(
    help="Virtual keys: who may ask, for what, how much, until when.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Config = Annotated[  # read by `named`
    Path | None, typer.Option(help="The gateway's configuration, for its state folder.", metavar="FILE")
]
State = Annotated[Path | None, typer.Option(help="The gateway's folder of ledger and keys.", metavar="FOLDER")]

_LENGTHS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose key it is, or what for.")],
    daily: Annotated[float | None, typer.Option(help="US dollars a day (UTC).", min=0)] = None,
    monthly: Annotated[float | None, typer.Option(help="US dollars a month.", min=0)] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only these models; gpt-4o* names several.")] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests a minute.", min=1)] = None,
    tpm: Annotated[int | None, typer.Option(help="Tokens a minute.", min=1)] = None,
    expires: Annotated[str | None, typer.Option(help="30d, 12h, or a date such as 2027-01-01 (UTC).")] = None,
    as_json: Json = False,
    config: Config = None,  # noqa: ARG001 - read by `named`
    state: State = None,  # noqa: ARG001 - the same
) -> None:
    """Make a key and print it. It is shown this once: only a digest is kept."""
    from mrblue_cli.gateway.model import KeyLimits

    now = time.time()
    caller, token = _store(context).create(
        name,
        limits=KeyLimits(daily_nano=_nano(daily, "--daily"), monthly_nano=_nano(monthly, "--monthly")),
        models=tuple(model or ()),
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        expires_at=None if expires is None else until(expires, now),
        now=now,
    )
    if as_json:
        _print_json({"id": caller.key_id, "name": caller.name, "key": token})
        return
    sys.stdout.write(f"{token}\n")
    sys.stderr.write(f"{caller.key_id} ({caller.name}): keep the key, it cannot be shown again\n")


@app.command("list")
def list_keys(
    context: typer.Context,
    as_json: Json = False,
    config: Config = None,  # noqa: ARG001 - read by `named`
    state: State = None,  # noqa: ARG001 - the same
) -> None:
    """List the keys and what they may; never the keys themselves."""
    now = time.time()
    records = _store(context).list()
    if as_json:
        _print_json([_row(record, now) for record in records])
        return
    if not records:
        sys.stderr.write("there are no keys; make one with: mrblue gateway keys create NAME\n")
    width = max((len(record.caller.name) for record in records), default=0)
    for record in records:
        sys.stdout.write(
            f"{record.caller.key_id}  {record.caller.name:<{width}}  {record.state(now):<7}  {_may(record)}\n"
        )


@app.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, or its name.")],
    config: Config = None,  # noqa: ARG001 - read by `named`
    state: State = None,  # noqa: ARG001 - the same
) -> None:
    """End a key. Gateways that run notice within two seconds."""
    record = _store(context).revoke(key)
    sys.stdout.write(f"{record.caller.key_id} ({record.caller.name}) is revoked\n")


@app.command("export")
def export_keys(
    context: typer.Context,
    config: Config = None,  # noqa: ARG001 - read by `named`
    state: State = None,  # noqa: ARG001 - the same
) -> None:
    """Print the keys for other machines, one a line: what each may, and its digest; never a key itself."""
    from mrblue_cli.gateway.access.key_lines import line_of

    keys = _store(context).export()
    sys.stdout.write("".join(f"{line_of(key)}\n" for key in keys))
    if not keys:
        sys.stderr.write("there are no keys; make one with: mrblue gateway keys create NAME\n")


@app.command("import")
def import_keys(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What export printed; - for standard input.")],
    config: Config = None,  # noqa: ARG001 - read by `named`
    state: State = None,  # noqa: ARG001 - the same
) -> None:
    """Take keys from another machine, all or none. Gateways that run know them within two seconds."""
    from mrblue_cli.gateway.access.key_lines import read_lines

    keys = read_lines(_text_of(file), "standard input" if file == "-" else file)
    done = _store(context).take_in(keys)
    sys.stdout.write(f"{done.added} added, {done.updated} updated, {done.unchanged} as they were\n")


def _text_of(file: str) -> str:
    hint = "name what export wrote"
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode()
    except OSError as error:
        raise InputFileError(f"{file}: {os.strerror(error.errno or 0).lower()}", hint=hint) from None
    except UnicodeDecodeError:
        raise InputFileError(f"{file}: not text", hint=hint) from None


def until(text: str, now: float) -> float:
    """The Unix time of `30d`, `12h`, `2w`, or of the beginning of a day (UTC). Raises `UsageError`."""
    length = re.fullmatch(r"([0-9]{1,5})([hdw])", text.strip())
    if length:
        return now + int(length[1]) * _LENGTHS[length[2]]
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise UsageError(
            f"--expires: {text!r} is no length of time and no date", hint="30d, 12h, or 2027-01-01"
        ) from None


def _nano(dollars: float | None, option: str) -> int | None:
    from mrblue_cli.gateway.model import NANO

    if dollars is None:
        return None
    amount = Decimal(str(dollars)) * NANO
    if not amount.is_finite() or amount > 10**9 * NANO:
        raise UsageError(f"{option}: {dollars:g} dollars are no limit", hint="leave it out for none")
    return int(amount)


def _store(context: typer.Context) -> KeyStore:
    from mrblue_cli.gateway.access.keys import KeyStore
    from mrblue_cli.settings.gateway import gateway_state_folder

    folder = named(context, "state") or gateway_state_folder(named(context, "config"))
    return KeyStore(folder / "gateway.sqlite3")


def named(context: typer.Context, option: str) -> Path | None:
    """A file or folder as it was given to this command, or to one before it: `gateway --config FILE keys list`."""
    level: Any = context
    while level is not None:
        value = level.params.get(option)
        if value is not None:
            return Path(value)
        level = level.parent
    return None


def _row(record: KeyRecord, now: float) -> dict[str, Any]:
    caller = record.caller
    return {
        "id": caller.key_id,
        "name": caller.name,
        "state": record.state(now),
        "models": list(caller.models),
        "daily_usd": _usd(caller.limits.daily_nano),
        "monthly_usd": _usd(caller.limits.monthly_nano),
        "requests_per_minute": caller.requests_per_minute,
        "tokens_per_minute": caller.tokens_per_minute,
        "expires": _day(caller.expires_at),
        "created": _day(record.created_at),
        "revoked": _day(record.revoked_at),
    }


def _may(record: KeyRecord) -> str:
    caller = record.caller
    parts = [
        f"{', '.join(caller.models)}" if caller.models else "all models",
        f"${_usd(caller.limits.daily_nano):g} a day" if caller.limits.daily_nano is not None else "",
        f"${_usd(caller.limits.monthly_nano):g} a month" if caller.limits.monthly_nano is not None else "",
        f"{caller.requests_per_minute} requests a minute" if caller.requests_per_minute else "",
        f"{caller.tokens_per_minute} tokens a minute" if caller.tokens_per_minute else "",
        f"until {_day(caller.expires_at)}" if caller.expires_at else "",
    ]
    return " · ".join(filter(None, parts))


def _usd(nano: int | None) -> float | None:
    from mrblue_cli.gateway.model import NANO

    return None if nano is None else nano / NANO


def _day(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_json(document: object) -> None:
    import json

    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
