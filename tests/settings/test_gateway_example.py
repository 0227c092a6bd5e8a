"""config.example.toml shows every option of the gateway with its default."""

from __future__ import annotations

import re
import tomllib

import msgspec

from mrblue_cli.gateway.options import (
    AlertOptions,
    BreakerOptions,
    BudgetOptions,
    CacheOptions,
    DeadlineOptions,
    FailoverOptions,
    GatewayOptions,
    LimitOptions,
    ModelOptions,
    ProviderOptions,
    SmtpOptions,
    TelemetryOptions,
)
from mrblue_cli.settings.gateway import load_gateway
from tests.settings.test_load import EXAMPLE

TEXT = EXAMPLE.read_text()
TABLE = tomllib.loads(TEXT)["gateway"]
COMMENTS = re.compile(r"(?m)^# (?=\[\[|[a-z_]+ = |  |\]$)")
OPENED = tomllib.loads(COMMENTS.sub("", TEXT.partition("mrblue gateway\n")[2]))["gateway"]
"""With what stands there as a comment."""

SECTIONS = {
    (): (GatewayOptions, {"demo"}),
    ("caching",): (CacheOptions, set()),
    ("budget",): (BudgetOptions, set()),
    ("budget", "smtp"): (SmtpOptions, {"password"}),
    ("failover",): (FailoverOptions, set()),
    ("failover", "breaker"): (BreakerOptions, set()),
    ("failover", "deadlines"): (DeadlineOptions, set()),
    ("limits",): (LimitOptions, set()),
    ("telemetry",): (TelemetryOptions, set()),
}


def at(table, path):
    for key in path:
        table = table[key]
    return table


def test_every_option_is_shown():
    for path, (kind, elsewhere) in SECTIONS.items():
        extra = {"password_variable"} if kind is SmtpOptions else set()
        assert set(at(OPENED, path)) == set(kind.__struct_fields__) - elsewhere | extra, path
    (provider,) = OPENED["providers"]
    assert set(provider) == set(ProviderOptions.__struct_fields__) - {"keys"} | {"key_variables"}
    assert set(provider["models"][1]) == set(ModelOptions.__struct_fields__)
    assert set(OPENED["budget"]["alerts"][0]) == set(AlertOptions.__struct_fields__)


def test_what_is_not_a_comment_is_the_default():
    env = {"OPENAI_API_KEY": "k", "XDG_DATA_HOME": "/d"}
    options = load_gateway(EXAMPLE, environment=env).options
    plain = load_gateway(None, environment={**env, "XDG_CONFIG_HOME": "/nowhere"}).options
    assert options == plain
    for path, (kind, _) in SECTIONS.items():
        for key, value in at(TABLE, path).items():
            if not isinstance(value, dict) and key != "state_folder":
                assert value == getattr(kind(), key), (path, key)


def test_the_comments_are_a_configuration_that_works(tmp_path):
    path = tmp_path / "c.json"
    path.write_bytes(msgspec.json.encode({"gateway": OPENED}))
    env = {"OPENAI_API_KEY": "k", "OPENAI_API_KEY_2": "l", "SMTP_PASSWORD": "p"}
    loaded = load_gateway(path, environment=env)
    assert [len(provider.keys) for provider in loaded.options.providers] == [2]
    assert loaded.options.budget.alerts[0].email == "ops@example.org"
