"""Both layouts become the same options; precedence; keys by name; what is left out and why."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import AlertOptions, GatewayOptions, ModelOptions
from mrblue_cli.settings.gateway import demo_gateway, load_gateway
from mrblue_cli.settings.load import load
from mrblue_cli.settings.memo import ask_settings
from tests.settings.gateway_texts import ISSUE, KEYS, WHOLE, read, refused

CHAT = (Surface.CHAT,)


def test_the_users_yaml_is_read_as_it_stands(tmp_path):
    loaded = read(tmp_path, ISSUE, "config.yaml")
    options = loaded.options
    assert [(item.name, item.kind, item.priority) for item in options.providers] == [
        ("openai", "openai", 1), ("groq", "groq", 2), ("anthropic", "anthropic", 3),
    ]  # fmt: skip
    # Addresses that are the provider's usual ones become its base URL, so that every shape it knows can be asked for.
    assert options.providers[0].models == (
        ModelOptions(name="gpt-4o", max_tokens=4096, temperature=0.7, surfaces=CHAT),
        ModelOptions(name="gpt-4o-realtime", surfaces=(Surface.REALTIME,)),
        ModelOptions(name="whisper-1", surfaces=(Surface.TRANSCRIPTION,)),
    )
    assert options.providers[2].models == (ModelOptions(name="claude-3-5-sonnet", max_tokens=4096, surfaces=CHAT),)
    assert {item.base_url for item in options.providers} == {""}
    assert [key.secret for key in options.providers[0].keys] == [KEYS["OPENAI_API_KEY"]]
    assert (options.caching.ttl, options.caching.max_size) == (3600.0, 10_000)
    assert (options.budget.daily_limit, options.budget.monthly_limit) == (50.0, 1500.0)
    assert options.budget.alerts == (
        AlertOptions(threshold=0.8, action="notify", email="ops@example.org"),
        AlertOptions(threshold=0.95, action="throttle"),
    )
    assert (options.failover.retry_delay, options.failover.breaker.reset_timeout) == (1.0, 60.0)
    assert [note.path for note in loaded.notes] == ["budget.alerts[0]"]


def test_every_option_of_the_toml_layout_arrives(tmp_path):
    env = {**KEYS, "MAIL_PASSWORD": "hunter2"}
    options = read(tmp_path, WHOLE, env=env).options
    assert (options.host, options.port, options.workers, options.require_key) == ("127.0.0.1", 9090, 2, True)
    assert (options.redis_url, options.log_format) == ("redis://localhost:6379/0", "json")
    assert options.state_folder == Path("/var/lib/mrblue")
    assert options.aliases == (("fast", "llama-3.1-8b-instant"), ("best", "openai/gpt-4o"))
    first, second = options.providers
    assert [(key.secret, key.weight) for key in first.keys] == [
        (KEYS["OPENAI_API_KEY"], 1.0), (KEYS["GROQ_API_KEY"], 0.5),
    ]  # fmt: skip
    assert first.models[1].context == 128_000
    assert (first.models[1].input_price, first.models[1].cached_price) == (2.5, 1.0)
    assert first.headers == (("OpenAI-Organization", "org-example"),)
    assert (second.base_url, second.keys) == ("http://127.0.0.1:8000/v1", ())
    assert second.models[0] == ModelOptions(name="llama-3.1-8b-instant", upstream="meta/llama", surfaces=CHAT)
    assert second.models[1].surfaces == (Surface.EMBEDDINGS,)
    assert second.options == (("verbose", "true"), ("region", "eu"), ("tries", "2"))
    assert (options.caching.ttl, options.caching.error_bound) == (7200.0, 0.01)
    assert (options.budget.throttle_delay, options.budget.unknown_price) == (0.5, "block")
    smtp = options.budget.smtp
    assert (smtp.host, smtp.port, smtp.user, smtp.password, smtp.starttls) == (
        "mail.example.org", 587, "mrblue", "hunter2", True,
    )  # fmt: skip
    failover = options.failover
    assert (failover.max_retries, failover.retry_delay, failover.models, failover.balance) == (
        5,
        0.25,
        "same",
        "weight",
    )
    assert failover.breaker.reset_timeout == 30.0
    assert (failover.deadlines.first_token, failover.deadlines.total, failover.deadlines.idle) == (2.5, 300.0, 20.0)
    assert options.limits.concurrent == 10
    assert options.telemetry.otlp_endpoint == "http://localhost:4318"
    assert "hunter2" not in repr(options)
    assert KEYS["OPENAI_API_KEY"] not in repr(options)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ISSUE, "gateway.conf"),
        (ISSUE, "gateway.toml"),
        (WHOLE, "gateway.yaml"),
        (WHOLE, "config"),
        ('{"providers": [{"name": "openai"}]}', "gateway.json"),
        ("gateway:\n  providers: [{name: openai}]\n", "gateway.yml"),
        ('[[providers]]\nname = "openai"\n', "own.toml"),
        ("\ufeff" + WHOLE, "gateway.toml"),
        (WHOLE.replace("\n", "\r\n"), "gateway.toml"),
    ],
)
def test_the_layout_is_told_by_content_and_not_by_name(tmp_path, text, name):
    assert read(tmp_path, text, name).options.providers[0].name == "openai"


def test_anchors_and_merges_of_yaml_work(tmp_path):
    text = """\
base: &base {priority: 2}
"""
    assert "base" in refused(tmp_path, text + "providers: [{name: openai}]\n", "a.yaml").problems[0].path
    text = """\
providers:
  - &one {name: openai, priority: 2, models: [{name: gpt-4o}]}
  - {<<: *one, name: groq}
"""
    assert [item.priority for item in read(tmp_path, text, "a.yaml").options.providers] == [2, 2]


SURFACES = [
    ("gpt-4o", "", CHAT),
    ("gpt-4o-mini-tts", "", (Surface.SPEECH,)),
    ("tts-1-hd", "", (Surface.SPEECH,)),
    ("whisper-large-v3", "", (Surface.TRANSCRIPTION,)),
    ("gpt-4o-transcribe", "", (Surface.TRANSCRIPTION,)),
    ("gpt-realtime-2.1", "", (Surface.REALTIME,)),
    ("text-embedding-3-small", "", (Surface.EMBEDDINGS,)),
    ("own", "wss://x.example/any", (Surface.REALTIME,)),
    ("own", "https://x.example/v1/audio/speech", (Surface.SPEECH,)),
    ("own", "https://x.example/v1/responses", (Surface.RESPONSES,)),
    ("own", "https://x.example/v1/embeddings/", (Surface.EMBEDDINGS,)),
    ("whisper-chat", "https://x.example/v1/chat/completions?api-version=1", CHAT),
    ("own", "https://x.example/v1/messages", CHAT),
    ("text-embedding-3", "https://x.example/strange", (Surface.EMBEDDINGS,)),
]


@pytest.mark.parametrize(("name", "endpoint", "surfaces"), SURFACES)
def test_surfaces_are_told_from_address_and_name(tmp_path, name, endpoint, surfaces):
    model = {"name": name, "endpoint": endpoint}
    text = f"providers: [{{name: openai, models: [{msgspec.json.encode(model).decode()}]}}]"
    assert read(tmp_path, text, "c.yaml").options.providers[0].models[0].surfaces == surfaces


FOLDED = [
    ("openai", ["https://api.openai.com/v1/chat/completions", ""], "", ["", ""]),
    ("openai", ["https://proxy.example/v1/chat/completions"], "https://proxy.example/v1", [""]),
    ("openai", ["https://a.example/v1/embeddings", ""], "", ["https://a.example/v1/embeddings", ""]),
    ("openai", ["https://a.example/v1/embeddings", "https://b.example/v1/chat/completions"], "",
     ["https://a.example/v1/embeddings", "https://b.example/v1/chat/completions"]),
    ("groq", ["https://api.groq.com/openai/v1/chat/completions?x=1"], "",
     ["https://api.groq.com/openai/v1/chat/completions?x=1"]),
    ("anthropic", ["https://api.anthropic.com/v1/messages"], "", [""]),
    ("anthropic", ["https://proxy.example/v1/messages"], "", ["https://proxy.example/v1/messages"]),
    ("gemini", ["https://generativelanguage.googleapis.com/v1beta/models/gemini-pro:generateContent"], "", [""]),
    ("my-own", ["ws://127.0.0.1:9/v1/realtime", "http://127.0.0.1:9/v1/audio/speech"], "http://127.0.0.1:9/v1",
     ["", ""]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "base", "kept"), FOLDED)
def test_addresses_become_a_base_url_where_they_say_no_more(tmp_path, name, given, base, kept):
    models = [{"name": f"m{place}", **({"endpoint": url} if url else {})} for place, url in enumerate(given)]
    text = msgspec.json.encode({"providers": [{"name": name, "models": models}]}).decode()
    provider = read(tmp_path, text, "c.json", {**KEYS, "GEMINI_API_KEY": "k"}).options.providers[0]
    assert provider.base_url == base
    assert [model.endpoint for model in provider.models] == kept


def test_a_model_listed_once_for_each_use_is_one_model(tmp_path):
    text = """\
providers:
  - name: openai
    models:
      - {name: gpt-4o, endpoint: https://api.openai.com/v1/chat/completions}
      - {name: gpt-4o, endpoint: https://api.openai.com/v1/responses%s}
"""
    models = read(tmp_path, text % "", "c.yaml").options.providers[0].models
    assert models == (ModelOptions(name="gpt-4o", surfaces=(Surface.CHAT, Surface.RESPONSES)),)
    assert "twice with different options" in refused(tmp_path, text % ", max_tokens: 5", "c.yaml").what


def test_command_line_over_environment_over_file(tmp_path):
    env = {**KEYS, "MRBLUE_GATEWAY_PORT": "7001", "MRBLUE_GATEWAY_HOST": "::1", "MRBLUE_GATEWAY_REQUIRE_KEY": "no",
           "MRBLUE_GATEWAY_CACHING_ENABLED": "false", "MRBLUE_GATEWAY_BUDGET_DAILY_LIMIT": "2.5",
           "MRBLUE_GATEWAY_REDIS_URL": "redis://:pw@cache:6379", "MRBLUE_GATEWAY_LIMITS_CONCURRENT": "3"}  # fmt: skip
    options = read(tmp_path, WHOLE, env=env, port=7002, workers=None, caching={"semantic": False}).options
    assert (options.port, options.host, options.require_key, options.workers) == (7002, "::1", False, 2)
    assert (options.caching.enabled, options.caching.semantic, options.caching.ttl) == (False, False, 7200.0)
    assert (options.budget.daily_limit, options.budget.monthly_limit) == (2.5, 100.0)
    assert (options.redis_url, options.limits.concurrent) == ("redis://:pw@cache:6379", 3)


def test_variables_and_command_line_count_seconds_whatever_the_file_counts(tmp_path):
    env = {**KEYS, "MRBLUE_GATEWAY_FAILOVER_RETRY_DELAY": "2", "MRBLUE_GATEWAY_FAILOVER_BREAKER_RESET_TIMEOUT": "7"}
    failover = read(tmp_path, ISSUE, "c.yaml", env, failover={"max_delay": 9}).options.failover
    assert (failover.retry_delay, failover.max_delay, failover.breaker.reset_timeout) == (2.0, 9.0, 7.0)
    assert failover.breaker.failure_threshold == 5


def test_a_wrong_variable_is_named_itself(tmp_path):
    error = refused(tmp_path, WHOLE, env={**KEYS, "MRBLUE_GATEWAY_PORT": "many"})
    assert "MRBLUE_GATEWAY_PORT: must be a number, not 'many'" in error.what


def test_one_file_serves_ask_and_gateway(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[ask]\ntop = 5\n" + WHOLE)
    assert load(file=path, environment={}).settings.ask.top == 5
    assert ask_settings(path, {"XDG_CACHE_HOME": str(tmp_path)}).top == 5
    assert load_gateway(None, environment={**KEYS, "MRBLUE_CONFIG": str(path)}).options.port == 9090
    home = tmp_path / "mrblue"
    home.mkdir(exist_ok=True)
    shutil.copy(path, home / "config.toml")
    loaded = load_gateway(None, environment={**KEYS, "XDG_CONFIG_HOME": str(tmp_path)})
    assert (loaded.options.port, loaded.file) == (9090, home / "config.toml")


def test_asking_is_not_stopped_by_a_gateway_that_is_wrong_but_knows_the_section(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("gateway = 7\n")
    assert load(file=path, environment={}).settings.ask.top == 3
    assert "gateway: must be a table" in refused(tmp_path, "gateway = 7\n").what
    path.write_text("[gatewy]\n")
    with pytest.raises(ConfigError) as caught:
        load(file=path, environment={})
    assert "gateway" in caught.value.hint
    assert "did you mean 'gateway'?" in refused(tmp_path, "[gatewy]\n").hint


def test_without_configuration_the_keys_in_the_environment_decide(tmp_path):
    env = {"XDG_CONFIG_HOME": str(tmp_path), "GROQ_API_KEY": "g", "OPENAI_API_KEY": "o", "MISTRAL_API_KEY": "two words"}
    loaded = load_gateway(None, environment=env)
    assert [(item.name, item.priority) for item in loaded.options.providers] == [("openai", 1), ("groq", 2)]
    assert loaded.options.providers[0].models == (ModelOptions(name="*"),)
    assert loaded.file is None
    assert "OPENAI_API_KEY is set" in loaded.notes[0].text
    with pytest.raises(ConfigError) as caught:
        load_gateway(None, environment={"XDG_CONFIG_HOME": str(tmp_path)})
    assert "--demo" in caught.value.hint


def test_a_provider_without_a_key_is_left_out_and_said(tmp_path):
    loaded = read(tmp_path, ISSUE, "c.yaml", {"GROQ_API_KEY": "g"})
    assert [item.name for item in loaded.options.providers] == ["groq"]
    assert [(state.name, state.left_out) for state in loaded.providers] == [
        ("openai", True), ("groq", False), ("anthropic", True),
    ]  # fmt: skip
    warnings = [note.line() for note in loaded.notes if note.warning]
    assert "providers[0]: openai is left out: no key in OPENAI_API_KEY" in warnings
    error = refused(tmp_path, ISSUE, "c.yaml", {"UNRELATED": "x"})
    assert "OPENAI_API_KEY, GROQ_API_KEY, ANTHROPIC_API_KEY" in error.what
    assert "--demo" in error.hint


POOLS = [
    ("api_key: '${OPENAI_API_KEY}'", ["OPENAI_API_KEY"]),
    ("api_key_env: OPENAI_API_KEY", ["OPENAI_API_KEY"]),
    ("key_variables: OPENAI_API_KEY", ["OPENAI_API_KEY"]),
    ("key_variables: [GROQ_API_KEY, '${OPENAI_API_KEY}']", ["GROQ_API_KEY", "OPENAI_API_KEY"]),
    ("api_key: '${GROQ_API_KEY}', key_variables: [MISSING_ONE, OPENAI_API_KEY]", ["GROQ_API_KEY", "OPENAI_API_KEY"]),
]


@pytest.mark.parametrize(("line", "variables"), POOLS)
def test_keys_are_named_in_three_ways(tmp_path, line, variables):
    loaded = read(tmp_path, f"providers: [{{name: openai, {line}}}]", "c.yaml")
    assert [key.secret for key in loaded.options.providers[0].keys] == [KEYS[name] for name in variables]
    assert [key.variable for key in loaded.providers[0].keys if key.origin] == variables


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "ключ", "\x1b[31m"])
def test_a_key_that_no_header_can_carry_is_not_used(tmp_path, value):
    error = refused(tmp_path, "providers: [{name: openai}]", "c.yaml", {"OPENAI_API_KEY": value})
    assert "no key was found" in error.what
    assert value not in error.what + error.hint


def test_the_demo_needs_nothing(tmp_path):
    env = {"XDG_DATA_HOME": str(tmp_path), "MRBLUE_GATEWAY_PORT": "7001"}
    options = demo_gateway(environment=env, overrides={"host": "::1"})
    assert [(item.kind, item.keys) for item in options.providers] == [("scripted", ())]
    assert (options.demo, options.host, options.port) == (True, "::1", 7001)
    assert options.failover.breaker.reset_timeout <= 5, "who provokes faults can go on soon"
    assert options.state_folder == tmp_path / "mrblue" / "gateway-demo"
    served = {surface for model in options.providers[0].models for surface in model.surfaces}
    assert served == set(Surface) - {Surface.REALTIME, Surface.RESPONSES, Surface.MESSAGES}
    loaded = load_gateway(Path("/no/such/file"), environment=env, overrides={"demo": True, "port": 1})
    assert (loaded.options.demo, loaded.options.port) == (True, 1)


@pytest.mark.parametrize(
    ("provider", "path"), [("{name: opnai}", "providers[0].name"), ("{name: lab, kind: azzure}", "providers[0].kind"),
                           ("{name: lab, kind: openai-compatible, base_url: 'ftp://x'}", "providers[0].base_url")],
)  # fmt: skip
def test_what_only_follows_from_a_fault_is_no_second_one(tmp_path, provider, path):
    error = refused(tmp_path, f"providers: [{provider}]", "c.yaml")
    assert [problem.path for problem in error.problems] == [path]


def test_defaults_are_those_of_the_options(tmp_path):
    options = read(
        tmp_path, "providers: [{name: openai}]", "c.yaml", {"OPENAI_API_KEY": "k", "XDG_DATA_HOME": "/d"}
    ).options
    plain = GatewayOptions(providers=options.providers, state_folder=Path("/d/mrblue"))
    assert options == plain


def test_what_is_no_file_of_settings_is_said_so(tmp_path):
    for path, what in ((tmp_path, "is a folder"), (tmp_path / "gone.toml", "no such file"), (Path("a\0b"), "cannot")):
        with pytest.raises(ConfigError) as caught:
            load_gateway(path, environment=KEYS)
        assert what in caught.value.what
    subprocess.run(["truncate", "-s", "2G", str(tmp_path / "huge.toml")], check=True)
    with pytest.raises(ConfigError) as caught:
        load_gateway(tmp_path / "huge.toml", environment=KEYS)
    assert "larger than" in caught.value.what
