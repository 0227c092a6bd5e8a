"""The gateway's sections apart from providers: which values each option takes, and in which unit."""

from __future__ import annotations

import re
from typing import Any

from mrblue_cli.gateway.options import (
    AlertOptions,
    BreakerOptions,
    BudgetOptions,
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    LimitOptions,
    SmtpOptions,
    TelemetryOptions,
)
from mrblue_cli.settings.gateway_credentials import FindSecret
from mrblue_cli.settings.gateway_fields import (
    Bad,
    Field,
    Source,
    build,
    choice,
    flag,
    number,
    seconds,
    text,
    url,
    whole,
)
from mrblue_cli.settings.gateway_problems import shown

_DAY = 86_400.0
_MONEY = number(0, 1e9, "US dollars")
_SHARE = number(0, 1, "a share: 80 % is 0.8")
_MIB = 1024 * 1024


def _mail(value: Any) -> str:
    line = text(254)(value)
    if line and not re.fullmatch(r"[^\s@<>,;:\"()\\]{1,64}@[A-Za-z0-9.-]{1,253}", line):
        raise Bad(f"must be one mail address, not {shown(value)}", "several people: use a list address of yours")
    return str(line)


def times(milliseconds: bool) -> dict[str, dict[str, Field]]:
    """The fields of `failover` and its tables, with bare times in the layout's unit."""

    def span(low: float, high: float) -> Field:
        return seconds(low, high, milliseconds=milliseconds)

    return {
        "failover": {
            "enabled": flag,
            "max_retries": whole(0, 20),
            "retry_delay": span(0, 3600),
            "max_delay": span(0, 3600),
            "models": choice("any", "same"),
            "balance": choice("latency", "weight"),
        },
        "failover.breaker": {
            "enabled": flag,
            "failure_threshold": whole(1, 10_000),
            "reset_timeout": span(0.001, _DAY),
        },
        "failover.deadlines": {
            "connect": span(0.001, 600),
            "first_token": span(0.001, 3600),
            "idle": span(0.001, 3600),
            "answer": span(0.001, 3600),
            "total": span(0.001, _DAY),
        },
    }


CACHING: dict[str, Field] = {
    "enabled": flag,
    "semantic": flag,
    "similarity_threshold": _SHARE,
    "ttl": seconds(0.001, 3650 * _DAY),
    "max_size": whole(1, 10_000_000, "to switch it off: enabled = false"),
    "shared_between_keys": flag,
    "error_bound": _SHARE,
    "shadow": flag,
    "embedder": url("https", "http", words=("auto", "none")),
    "embedder_model": text(200),
}
LIMITS: dict[str, Field] = {
    "body_bytes": whole(1024, 1024 * _MIB),
    "upload_bytes": whole(1024, 10 * 1024 * _MIB),
    "body_seconds": seconds(0.001, 3600),
    "concurrent": whole(1, 1_000_000),
}
TELEMETRY: dict[str, Field] = {
    "otlp_endpoint": url("https", "http"),
    "service_name": text(100, empty=False),
}
_ALERT: dict[str, Field] = {
    "threshold": _SHARE,
    "action": choice("notify", "throttle", "block"),
    "email": _mail,
    "webhook": url("https", "http"),
}
_SMTP: dict[str, Field] = {
    "host": text(253),
    "port": whole(1, 65_535),
    "sender": _mail,
    "user": text(200),
    "starttls": flag,
}


def budget_fields(milliseconds: bool) -> dict[str, Field]:
    """The plain fields of `budget`."""
    return {
        "daily_limit": _MONEY,
        "monthly_limit": _MONEY,
        "throttle_delay": seconds(0, 600, milliseconds=milliseconds),
        "cheaper_model": text(200),
        "unknown_price": choice("allow", "block"),
    }


def read_caching(source: Source) -> CacheOptions:
    """`caching`."""
    return build(source, CacheOptions, CACHING)


def read_limits(source: Source) -> LimitOptions:
    """`limits`."""
    return build(source, LimitOptions, LIMITS)


def read_telemetry(source: Source) -> TelemetryOptions:
    """`telemetry`."""
    return build(source, TelemetryOptions, TELEMETRY)


def read_failover(source: Source) -> FailoverOptions:
    """`failover`; its breaker may also be named `circuit_breaker`."""
    fields = times(source.milliseconds)
    table = dict(source.table)
    if "circuit_breaker" in table:
        if "breaker" in table:
            source.found.problem(source.at("circuit_breaker"), "is another name of breaker: give one of the two")
        name = "circuit_breaker"
    else:
        name = "breaker"
    breaker = build(source.under(name), BreakerOptions, fields["failover.breaker"])
    deadlines = build(source.under("deadlines"), DeadlineOptions, fields["failover.deadlines"])
    table.pop("circuit_breaker", None)
    rest = Source(table, source.path, source.found, source.milliseconds, source.origins)
    return build(rest, FailoverOptions, fields["failover"], breaker=breaker, deadlines=deadlines)


def read_budget(source: Source, secret: FindSecret) -> BudgetOptions:
    """`budget` with its alerts and the way mail goes out."""
    alerts = []
    for item in source.tables("alerts"):
        if item.table.get("threshold") is None:
            item.check_names(set(_ALERT))
            item.found.problem(item.at("threshold"), "every alert needs a threshold", "threshold = 0.8")
        else:
            # A wrong threshold is a problem already; the rest of the alert is still read.
            table = {key: value for key, value in item.table.items() if key != "threshold"}
            rest = Source(table, item.path, item.found, item.milliseconds, item.origins)
            threshold = item.value("threshold", _SHARE, 1.0)
            alerts.append(build(rest, AlertOptions, _ALERT_REST, threshold=threshold))
    smtp = _smtp(source.under("smtp"), secret)
    return build(source, BudgetOptions, budget_fields(source.milliseconds), alerts=tuple(alerts), smtp=smtp)


_ALERT_REST = {key: field for key, field in _ALERT.items() if key != "threshold"}


def _smtp(source: Source, secret: FindSecret) -> SmtpOptions:
    password = ""
    table = dict(source.table)
    if "password" in table:
        source.found.problem(
            source.at("password"), "secrets do not belong in the file", 'name its variable: password_variable = "…"'
        )
        del table["password"]
    name = table.pop("password_variable", None)
    if name is not None:
        variable = source.value(
            "password_variable",
            text(128, empty=False, pattern=r"[A-Za-z_][A-Za-z0-9_]*", what="the name of a variable"),
            "",
        )
        password = secret(variable).reveal() if variable else ""
        if variable and not password:
            source.found.note(source.at("password_variable"), f"no password in {variable}", warning=True)
    rest = Source(table, source.path, source.found, source.milliseconds, source.origins)
    return build(rest, SmtpOptions, _SMTP, password=password)
