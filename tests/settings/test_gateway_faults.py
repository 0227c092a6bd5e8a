"""Hostile and mistaken configurations: one error that names every place, never a traceback, never a secret."""

from __future__ import annotations

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.cli.errors import exit_code_of
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.gateway import load_gateway
from mrblue_cli.settings.gateway_problems import MOST, looks_secret, shown
from tests.settings.gateway_texts import ISSUE, KEYS, WHOLE, read, refused

P = "providers: [{name: openai"
SECRET = "sk-" + "proj-9f8e7d6c5b4a39281706"

FAULTS = [
    (P + ", models: [{name: a, max_tokens: -1}]}]", "providers[0].models[0].max_tokens", "must be 1 to"),
    (P + ", models: [{name: a, max_tokens: 1.5}]}]", "providers[0].models[0].max_tokens", "must be a whole number"),
    (P + ", models: [{name: a, max_tokens: true}]}]", "providers[0].models[0].max_tokens", "a number, not True"),
    (P + ", models: [{name: a, temperature: .nan}]}]", "providers[0].models[0].temperature", "must be 0 to 2"),
    (P + ", models: [{name: a, maxtokens: 1}]}]", "providers[0].models[0].maxtokens", "did you mean 'max_tokens'?"),
    (P + ", models: [{max_tokens: 1}]}]", "providers[0].models[0].name", "every model needs a name"),
    (P + ", models: [{name: a, surfaces: [chat, telepathy]}]}]", "providers[0].models[0].surfaces", "must be a list"),
    (P + ", models: [{name: a}, {name: a}]}]", "providers[0].models[1].name", "for the same use already"),
    (P + ", models: [3]}]", "providers[0].models[0]", "must be a table, not 3"),
    (P + ", models: []}]", "providers[0].models", "is empty"),
    (P + ", models: all}]", "providers[0].models", "must be a list, not 'all'"),
    (P + ", models: [{name: 'a b'}]}]", "providers[0].models[0].name", "must be a name without blanks"),
    (P + ", models: [{name: no}]}]", "providers[0].models[0].name", "must be a text, not False"),
    (P + "}, {name: OpenAI}]", "providers[1].name", "there is a provider 'OpenAI' already"),
    ("providers: [{name: opnai}]", "providers[0].name", "did you mean 'openai'?"),
    ("providers: [{name: x, kind: antropic}]", "providers[0].kind", "did you mean 'anthropic'?"),
    ("providers: [{priority: 1}]", "providers[0].name", "every provider needs a name"),
    ("providers: [{name: a/b}]", "providers[0].name", "must be letters"),
    ("providers: [{name: lab, kind: openai-compatible}]", "providers[0].base_url", "needs to be told where it is"),
    ("providers: [{name: azure, kind: azure}]", "providers[0].base_url", "needs to be told where it is"),
    ("providers: {name: openai}", "providers", "must be a list, not a table"),
    (P + ", priority: high}]", "providers[0].priority", "must be a number, not 'high'"),
    (P + ", weight: 0}]", "providers[0].weight", "must be 0.001 to 1000, not 0"),
    (P + ", base_url: 'ftp://x'}]", "providers[0].base_url", "begins with https://, http://"),
    (P + ", base_url: 'https://me:pw@x.example'}]", "providers[0].base_url", "user or password"),
    (P + ", base_url: 'https://x.example/#top'}]", "providers[0].base_url", "'#'"),
    (P + ", base_url: 'https://[::1'}]", "providers[0].base_url", "is not an address"),
    (P + ", base_url: 'https://x.example:99999'}]", "providers[0].base_url", "is not an address"),
    (P + ", base_url: 'https://'}]", "providers[0].base_url", "begins with"),
    (P + ", models: [{name: a, endpoint: 'https://x.example/?api_key=abc'}]}]", "models[0].endpoint", "key in it"),
    (P + f", api_key: {SECRET}}}]", "providers[0].api_key", "does not belong in the file"),
    (P + ", api_key: ''}]", "providers[0].api_key", "does not belong in the file"),
    (P + ", api_key: '${A}${B}'}]", "providers[0].api_key", "does not belong in the file"),
    (P + f", key_variables: [{SECRET}]}}]", "providers[0].key_variables[0]", "must be the name of a variable"),
    (P + ", key_variables: [A B]}]", "providers[0].key_variables[0]", "must be the name of a variable"),
    (P + ", key_variables: [X_KEY, X_KEY]}]", "providers[0].key_variables[1]", "names X_KEY twice"),
    (P + ", key_variables: [{variable: X_KEY, wait: 1}]}]", "providers[0].key_variables[0].wait", "no such option"),
    (P + ", key_variables: 7}]", "providers[0].key_variables[0]", "must be the name"),
    (P + f", headers: {{Authorization: Bearer {SECRET}}}}}]", "providers[0].headers.Authorization", "secrets"),
    (P + ", headers: {X-Api-Key: abc}}]", "providers[0].headers.X-Api-Key", "secrets"),
    (P + f", headers: {{X-Plain: {SECRET}}}}}]", "providers[0].headers.X-Plain", "secrets"),
    (P + ', headers: {X-Plain: "a\\r\\nX-Evil: 1"}}]', "providers[0].headers.X-Plain", "one line"),
    (P + ", headers: {'X Plain': a}}]", "providers[0].headers.X Plain", "no name of a header"),
    (P + ", headers: {Host: a}}]", "providers[0].headers.Host", "set by the gateway"),
    (P + ", options: {api_key: abc}}]", "providers[0].options.api_key", "secrets"),
    (P + ", options: {a: [1]}}]", "providers[0].options.a", "must be a text"),
    (P + "}]\ncaching: {similarity_threshold: 95}", "caching.similarity_threshold", "must be 0 to 1, not 95"),
    (P + "}]\ncaching: {max_size: 0}", "caching.max_size", "enabled = false"),
    (P + "}]\ncaching: {ttl: soon}", "caching.ttl", "bare numbers are seconds"),
    (P + "}]\ncaching: {ttl: '-3s'}", "caching.ttl", "must be a number"),
    (P + "}]\ncaching: {ttl: 1e400}", "caching.ttl", "must be"),
    (P + "}]\ncaching: []", "caching", "must be a table, not a list"),
    (P + "}]\ncaching: {embedder: nearby}", "caching.embedder", "begins with"),
    (P + "}]\nbudget: {daily_limit: -1}", "budget.daily_limit", "must be 0 to"),
    (P + "}]\nbudget: {dayly_limit: 1}", "budget.dayly_limit", "did you mean 'daily_limit'?"),
    (P + "}]\nbudget: {alerts: [{threshold: 80}]}", "budget.alerts[0].threshold", "80 % is 0.8"),
    (P + "}]\nbudget: {alerts: [{action: notify}]}", "budget.alerts[0].threshold", "needs a threshold"),
    (P + "}]\nbudget: {alerts: [{threshold: 1, action: shout}]}", "budget.alerts[0].action", "notify, throttle, block"),
    (P + "}]\nbudget: {alerts: [{threshold: 1, email: 'a@b, c@d'}]}", "budget.alerts[0].email", "one mail address"),
    (P + '}]\nbudget: {smtp: {sender: "a@b\\nBcc: x@y"}}', "budget.smtp.sender", "one line"),
    (P + "}]\nbudget: {smtp: {password: abc}}", "budget.smtp.password", "secrets do not belong"),
    (P + "}]\nbudget: {cheaper_model: gpt-5}", "", None),
    (P + ", models: [{name: gpt-4o}]}]\nbudget: {cheaper_model: gpt-4}", "budget.cheaper_model", "'gpt-4o'?"),
    (P + ", models: [{name: gpt-4o}]}]\naliases: {a: gpt-4}", "aliases.a", "there is no model 'gpt-4'"),
    (P + ", models: [{name: gpt-4o}]}]\naliases: {a: b, b: gpt-4o}", "aliases.a", "leads to another alias"),
    (P + ", models: [{name: gpt-4o}]}]\naliases: {'a b': gpt-4o}", "aliases.a b", "without blanks"),
    (P + "}]\nfailover: {retry_delay: -5}", "failover.retry_delay", "milliseconds"),
    (P + "}]\nfailover: {max_retries: 1000}", "failover.max_retries", "must be 0 to 20"),
    (P + "}]\nfailover: {breaker: {}, circuit_breaker: {}}", "failover.circuit_breaker", "another name of breaker"),
    (P + "}]\nfailover: {circuit_breaker: {failure_treshold: 5}}", "failover.circuit_breaker.failure_treshold",
     "did you mean 'failure_threshold'?"),
    (P + "}]\nport: 99999", "port", "must be 0 to 65535"),
    (P + "}]\nhost: 'localhost:80/x'", "host", "must be a name or address"),
    (P + "}]\nredis_url: http://x", "redis_url", "redis://"),
    (P + "}]\nredis_url: redis://:pw@x", "redis_url", "MRBLUE_GATEWAY_REDIS_URL"),
    (P + "}]\ndemo: true", "demo", "there is no such option"),
    (P + f"}}]\n{SECRET}: true", "a key", "there is no such option"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "words"), [row for row in FAULTS if row[2]])
def test_a_fault_is_named_with_its_place_and_remedy(tmp_path, text, path, words):
    error = refused(tmp_path, text, "c.yaml")
    assert str(tmp_path / "c.yaml") in error.what
    lines = [problem.line() for problem in error.problems]
    assert any(problem.path.endswith(path) and words in problem.line() for problem in error.problems), lines
    assert SECRET not in error.what + error.hint + repr(error.problems)
    assert exit_code_of(error) == 3


def test_a_model_passed_on_by_star_may_be_named_anywhere(tmp_path):
    text = P + "}]\nbudget: {cheaper_model: gpt-5}\naliases: {a: openai/whatever}"
    assert read(tmp_path, text, "c.yaml").options.budget.cheaper_model == "gpt-5"


def test_all_faults_are_listed_at_once_up_to_a_bound(tmp_path):
    error = refused(tmp_path, P + ", priority: x, weight: -1}]\nport: x\ncaching: {ttl: x}", "c.yaml")
    assert [problem.path for problem in error.problems] == [
        "port", "providers[0].priority", "providers[0].weight", "caching.ttl",
    ]  # fmt: skip
    assert error.what.splitlines()[0].endswith("4 things are wrong")
    many = ", ".join(f"{{name: m{place}, weight: x}}" for place in range(MOST + 7))
    error = refused(tmp_path, P + f", models: [{many}]}}]", "c.yaml")
    assert len(error.problems) == MOST + 7
    assert len(error.what.splitlines()) == MOST + 2
    assert "and 7 more" in error.what


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 20)}]}}\n" for a, b in zip("abcdef", "bcdefg", strict=True)
)
BROKEN = {
    "billion laughs": (LAUGHS, "aliases"),
    "laughing merges": (MERGES, "aliases"),
    "itself": ("a: &a [*a]\n", "contains itself"),
    "double key": ("port: 1\nport: 2\n", "port stands twice in one table (line 2, column 1)"),
    "double key below": ("providers: [{name: a, name: b}]", "name stands twice"),
    "number as key": ("1: x\n", "a key that is no text"),
    "list as key": ("? [a]\n: x\n", "a key that is no text"),
    "null as key": ("~: x\n", "a key that is no text"),
    "object": ("a: !!python/object/apply:os.system [echo]\n", "could not determine a constructor"),
    "list": ("- a\n", "no table of options"),
    "word": ("hello\n", "no table of options"),
    "two documents": ("a: 1\n---\nb: 2\n", "but found another document (line 2"),
    "deep": ("a: " + "[" * 60 + "]" * 60, "nested too deeply"),
    "very deep": ("a: " + "[" * 50_000, "nested too deeply"),
    "deep tables": ("{a: " * 3000 + "}" * 3000, "nested too deeply"),
    "open quote": ("a: 'x\n", "found unexpected end of stream (line 2"),
    "tab": ("a:\n\tb: 1\n", "(line 2"),
    "long number": ("port: " + "9" * 5000, "a number or date that is none"),
    "no date": ("port: 2024-99-99\n", "a number or date that is none"),
    "control": ("a: \x01\n", "characters that no YAML may hold"),
    "unknown alias": ("a: *gone\n", "undefined alias"),
    "secret near the fault": (f"api_key: {SECRET}\n  b: 'x\n", ""),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_yaml_that_means_harm_is_refused(tmp_path, text, words):
    # A bomb would be noticed by the limit of time that every test has.
    error = refused(tmp_path, text, "c.yaml")
    assert words in error.what
    assert SECRET not in error.what


TOML = {
    "double": ("port = 1\nport = 2\n", "Cannot overwrite"),
    "cut": ("[gateway\n", "not valid TOML"),
    "deep": ("a = " + "[" * 5000, "nested too deeply"),
    "long number": ("port = " + "9" * 5000, "beyond all bounds"),
    "nul": ("a = \x00", "not valid TOML"),
    "infinite": ("[[providers]]\nname = 'openai'\nweight = inf\n", "must be 0.001 to 1000"),
    "date": ("port = 2024-01-01\n", "port: must be a number"),
    "secret": (f"[[providers]]\nname = 'openai'\napi_key = '{SECRET}'\n", "does not belong in the file"),
    "escape in a key": ('"\\u001b[31m" = 1\nport = 1\n', "a key: there is no such option"),
}


@pytest.mark.parametrize(("text", "words"), TOML.values(), ids=TOML)
def test_toml_that_means_harm_is_refused(tmp_path, text, words):
    error = refused(tmp_path, text)
    assert words in error.what
    assert SECRET not in error.what
    assert error.what.replace("\n", "").isprintable()


def test_bytes_that_are_no_text_are_refused(tmp_path):
    for data in (b"\xff\xfe\x00", "port = 1".encode("utf-16"), b"\x80abc"):
        path = tmp_path / "c.toml"
        path.write_bytes(data)
        with pytest.raises(ConfigError) as caught:
            load_gateway(path, environment=KEYS)
        assert "UTF-8" in caught.value.what


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30),
    st.sampled_from(
        ["openai", "https://x.example/v1/chat/completions", "${OPENAI_API_KEY}", "1500ms", "notify", SECRET]
    ),
)  # fmt: skip
NAMES = st.sampled_from(
    ["gateway", "providers", "name", "kind", "models", "priority", "weight", "base_url", "endpoint", "max_tokens",
     "headers", "options", "api_key", "key_variables", "caching", "ttl", "budget", "alerts", "threshold", "smtp",
     "failover", "circuit_breaker", "breaker", "deadlines", "retry_delay", "limits", "telemetry", "aliases", "host",
     "port", "redis_url", "require_key", "state_folder", "email", "webhook", "surfaces"]
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, st.text(max_size=6)), inner, max_size=5)
    ),
    max_leaves=25,
)


def options_or_one_error(path):
    try:
        return load_gateway(path, environment=KEYS)
    except ConfigError as error:
        assert str(path) in error.what
        assert SECRET not in error.what + error.hint
        assert "\x1b" not in error.what
        return None


@given(st.dictionaries(NAMES, TREES, max_size=6))
def test_any_tree_is_options_or_one_clear_error(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("c") / "c.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    options_or_one_error(path)
    options_or_one_error(path.rename(path.with_suffix(".toml")))


@given(st.text(max_size=200))
def test_any_text_is_options_or_one_clear_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("c") / "c.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    options_or_one_error(path)


@given(st.sampled_from([ISSUE, WHOLE]), st.integers(0, 3000), st.integers(0, 20), st.text(max_size=5))
def test_a_damaged_file_is_options_or_one_clear_error(tmp_path_factory, text, at, length, instead):
    path = tmp_path_factory.mktemp("c") / "c.yaml"
    path.write_text(text[:at] + instead + text[at + length :], encoding="utf-8", errors="surrogatepass")
    options_or_one_error(path)


@given(st.sampled_from(["host", "port", "caching.ttl", "failover.retry_delay", "require_key", "budget.daily_limit",
                        "redis_url", "limits.concurrent"]), st.text(max_size=20))  # fmt: skip
def test_any_variable_is_a_value_or_one_clear_error(tmp_path_factory, key, text):
    path = tmp_path_factory.getbasetemp() / "variables.yaml"
    path.write_text(ISSUE)
    variable = f"MRBLUE_GATEWAY_{key.replace('.', '_')}".upper()
    try:
        load_gateway(path, environment={**KEYS, variable: text})
    except ConfigError as error:
        assert variable in error.what


NOTES = [
    ("[failover]\nretry_delay = 1000\n", "toml", "failover.retry_delay", "1000 seconds? Times in TOML are seconds"),
    ("[failover]\nretry_delay = 100\n", "toml", "failover.retry_delay", "longer than max_delay"),
    ("[failover.breaker]\nreset_timeout = 60000\n", "toml", "failover.breaker.reset_timeout", "60000 seconds?"),
    ("failover: {retry_delay: 1}", "yaml", "failover.retry_delay", "1 milliseconds? Times in YAML are milliseconds"),
    ("failover: {circuit_breaker: {reset_timeout: 60}}", "yaml", "failover.breaker.reset_timeout", "60 milliseconds?"),
    ("failover: {enabled: false}", "yaml", "failover.enabled", "is not replaced"),
    ("failover: {deadlines: {answer: '20m'}}", "yaml", "failover.deadlines.answer", "never reached"),
    ("caching: {similarity_threshold: 0.5}", "yaml", "caching.similarity_threshold", "0.5 is low"),
    ("caching: {error_bound: 0}", "yaml", "caching.error_bound", "no wrong answer at all"),
    ("caching: {shared_between_keys: true}", "yaml", "caching.shared_between_keys", "another"),
    ("budget: {daily_limit: 50, monthly_limit: 10}", "yaml", "budget.daily_limit", "$50 a day is never reached"),
    ("budget: {daily_limit: 0}", "yaml", "budget.daily_limit", "lets nothing pass"),
    ("budget: {alerts: [{threshold: 0.5}]}", "yaml", "budget.alerts", "never reached: no limit is set"),
    ("budget: {daily_limit: 1, alerts: [{threshold: 0.5, action: block}, {threshold: 0.9}]}", "yaml",
     "budget.alerts[1]", "never reached: requests are refused from 50% on"),
    ("budget: {daily_limit: 1, alerts: [{threshold: 0.5}, {threshold: 0.5}]}", "yaml", "budget.alerts[1]", "same as"),
    ("budget: {daily_limit: 1, alerts: [{threshold: 0}]}", "yaml", "budget.alerts[0]", "reached at once"),
    ("budget: {daily_limit: 1, smtp: {password_variable: NO_MAIL}}", "yaml", "budget.smtp.password_variable",
     "no password in NO_MAIL"),
    ("host: 0.0.0.0", "yaml", "host", "clients need a virtual key"),
    ("host: 0.0.0.0\nrequire_key: false", "yaml", "require_key", "can spend your money"),
    ("aliases: {'*': openai/x}", "yaml", "aliases.*", "hides the model"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "layout", "path", "words"), NOTES)
def test_what_is_valid_and_perhaps_not_meant_is_noted(tmp_path, text, layout, path, words):
    head = "[[providers]]\nname = 'openai'\n" if layout == "toml" else "providers: [{name: openai}]\n"
    notes = read(tmp_path, head + text, f"c.{layout}").notes
    assert any(note.path == path and words in note.text for note in notes), notes


def test_where_keys_go_is_noted(tmp_path):
    text = """\
providers:
  - {name: openai, base_url: 'http://proxy.example/v1'}
  - {name: groq, base_url: 'https://proxy.example/v1', key_variables: [GROQ_API_KEY]}
  - {name: anthropic}
"""
    lines = [note.line() for note in read(tmp_path, text, "c.yaml").notes]
    assert "providers[0]: keys travel unencrypted to proxy.example (http://)" in lines
    assert any("providers[0]: OPENAI_API_KEY goes to proxy.example" in line for line in lines)
    assert not [line for line in lines if line.startswith(("providers[1]", "providers[2]"))]
    assert any("openai, groq, anthropic have the same priority 1" in line for line in lines)


@pytest.mark.parametrize("value", [SECRET, "gsk_abcdefgh", "AIzaSyA", "Bearer abc", "x" * 40, "xai-123"])
def test_what_may_be_a_secret_is_not_shown(value):
    assert looks_secret(value)
    assert value not in shown(value)


def test_values_are_shown_short_and_printable():
    assert shown("\x1b[31m") == "'\\x1b[31m'"
    assert len(shown("word " * 50)) <= 40
    assert "beyond" in shown(10**5000)
    assert msgspec.json.encode(shown({"a": 1})) == b'"a table"'
