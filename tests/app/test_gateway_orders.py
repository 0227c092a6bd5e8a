"""What supervisor and workers tell each other arrives whole, however the bytes are cut."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.app.gateway_orders import Failed, Lines, Ready, Reload, Stop, line_of
from mrblue_cli.app.gateway_serving import report_refusal, report_reload
from mrblue_cli.core.errors import ConfigError, InternalError, MissingPart, UsageError
from mrblue_cli.gateway.budget.schema import LedgerError
from mrblue_cli.gateway.gateway import FIXED, reloadable
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import (
    AlertOptions,
    BudgetOptions,
    GatewayOptions,
    KeyOptions,
    ModelOptions,
    ProviderOptions,
    TelemetryOptions,
)

FULL = GatewayOptions(
    providers=(
        ProviderOptions(
            name="p",
            kind="openai",
            keys=(KeyOptions(secret="s\n'\u2028", weight=0.5),),
            models=(ModelOptions(name="m", surfaces=(Surface.CHAT, Surface.SPEECH), input_price=0.1),),
            headers=(("a", "b"),),
        ),
    ),
    aliases=(("fast", "m"),),
    budget=BudgetOptions(daily_limit=1.5, alerts=(AlertOptions(threshold=0.8, email="a@b"),)),
    state_folder=Path("/var/lib/mrblue"),
)
MESSAGES = [Stop(), Stop(now=True), Reload(FULL), Ready(), Failed("ConfigError", "two\nlines", "hint")]


@given(st.lists(st.sampled_from(MESSAGES), max_size=6), st.data())
def test_messages_survive_any_cut(messages, data):
    sent = b"".join(map(line_of, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    lines, heard = Lines(), []
    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        heard += lines.feed(sent[begin:end])
    assert heard == messages


def test_what_nobody_of_ours_says_is_not_obeyed():
    with pytest.raises(msgspec.DecodeError):
        Lines().feed(b'{"type":"obey"}\n')


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LedgerError("no ledger", hint="h"), ConfigError),
        (MissingPart("no part", hint="h"), MissingPart),
        (UsageError("no port", hint="h"), UsageError),
        (InternalError("no idea", hint="h"), InternalError),
    ],
)
def test_an_error_keeps_its_kind_and_words_on_the_other_side(error, kind):
    (heard,) = Lines().feed(line_of(Failed.of(error)))
    assert isinstance(heard, Failed)
    again = heard.error()
    assert type(again) is kind
    assert (again.what, again.hint) == (error.what, "h")


def test_a_reload_leaves_alone_what_cannot_change():
    """Above all where it listens: whether clients need a key depends on that."""
    running = GatewayOptions(host="10.0.0.1", port=80, workers=3, redis_url="redis://a", state_folder=Path("/a"))
    wanted = msgspec.structs.replace(FULL, host="127.0.0.1", telemetry=TelemetryOptions(otlp_endpoint="http://c"))
    made = reloadable(running, wanted)
    assert [getattr(made, name) for name in FIXED] == [getattr(running, name) for name in FIXED]
    assert (made.providers, made.budget, made.aliases) == (FULL.providers, FULL.budget, FULL.aliases)


def test_what_a_reload_tells():
    said: list[tuple[str, str]] = []

    def say(text: str, *, level: str = "info") -> None:
        said.append((level, text))

    report_reload(say, FULL, FULL)
    report_reload(say, FULL, msgspec.structs.replace(FULL, port=1, host="::1"))
    report_refusal(say, ConfigError("f: 2 things are wrong\n    a: b\n    c: d", hint="see docs"))
    report_refusal(say, ConfigError("f.toml: gone"))
    assert said == [
        ("info", "reloaded: 1 provider, 1 model"),
        ("warning", "reloaded: 1 provider, 1 model; only a restart changes host, port"),
        (
            "error",
            "reload refused, the configuration before stays in force: f: 2 things are wrong: a: b; c: d (see docs)",
        ),
        ("error", "reload refused, the configuration before stays in force: f.toml: gone"),
    ]
