"""Configurations that several tests read."""

from __future__ import annotations

import pytest

from mrblue_cli.settings.gateway import load_gateway
from mrblue_cli.settings.gateway_problems import GatewayConfigError

KEYS = {
    "OPENAI_API_KEY": "sk-openai-0123456789",
    "GROQ_API_KEY": "gsk_groq0123456789",
    "ANTHROPIC_API_KEY": "sk-ant-01",
}

ISSUE = """\
providers:
  - {name: openai, priority: 1, models: [
      {name: gpt-4o, max_tokens: 4096, temperature: 0.7, endpoint: https://api.openai.com/v1/chat/completions},
      {name: gpt-4o-realtime, endpoint: wss://api.openai.com/v1/realtime},
      {name: whisper-1, endpoint: https://api.openai.com/v1/audio/transcriptions}]}
  - {name: groq, priority: 2, models: [
      {name: llama-3.1-8b-instant, max_tokens: 8000, endpoint: https://api.groq.com/openai/v1/chat/completions}]}
  - {name: anthropic, priority: 3, models: [
      {name: claude-3-5-sonnet, max_tokens: 4096, endpoint: https://api.anthropic.com/v1/messages}]}
caching: {enabled: true, similarity_threshold: 0.95, ttl: 3600, max_size: 10000}
budget: {daily_limit: 50, monthly_limit: 1500, alerts: [
    {threshold: 0.8, action: notify, email: ops@example.org}, {threshold: 0.95, action: throttle}]}
failover: {enabled: true, max_retries: 3, retry_delay: 1000,
    circuit_breaker: {enabled: true, failure_threshold: 5, reset_timeout: 60000}}
"""

WHOLE = """\
[gateway]
host = "127.0.0.1"
port = 9090
workers = 2
redis_url = "redis://localhost:6379/0"
require_key = true
log_format = "json"
state_folder = "/var/lib/mrblue"

[gateway.aliases]
fast = "llama-3.1-8b-instant"
best = "openai/gpt-4o"

[[gateway.providers]]
name = "openai"
priority = 1
weight = 2.5
key_variables = ["OPENAI_API_KEY", {variable = "GROQ_API_KEY", weight = 0.5}]
models = ["gpt-4o-mini", {name = "gpt-4o", context = 128000, input_price = 2.5, output_price = 10.0, cached_price = 1}]
headers = {"OpenAI-Organization" = "org-example"}

[[gateway.providers]]
name = "lab"
kind = "openai-compatible"
priority = 2
base_url = "http://127.0.0.1:8000/v1/"
models = [{name = "llama-3.1-8b-instant", upstream = "meta/llama", surfaces = ["chat"]}, "nomic-embed-text"]
options = {verbose = true, region = "eu", tries = 2}

[gateway.caching]
similarity_threshold = 0.97
ttl = "2h"
error_bound = 0.01

[gateway.budget]
daily_limit = 5
monthly_limit = 100
cheaper_model = "fast"
throttle_delay = 0.5
unknown_price = "block"

[[gateway.budget.alerts]]
threshold = 0.5
email = "ops@example.org"
webhook = "https://hooks.example.org/x"

[gateway.budget.smtp]
host = "mail.example.org"
port = 587
user = "mrblue"
password_variable = "MAIL_PASSWORD"
starttls = true

[gateway.failover]
max_retries = 5
retry_delay = 0.25
models = "same"
balance = "weight"

[gateway.failover.breaker]
reset_timeout = 30

[gateway.failover.deadlines]
first_token = "2500ms"
total = "5m"

[gateway.limits]
concurrent = 10

[gateway.telemetry]
otlp_endpoint = "http://localhost:4318"
"""


def read(tmp_path, text, name="gateway.toml", env=None, **overrides):
    """Load a configuration from text, with keys for the usual providers."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_gateway(path, environment=KEYS if env is None else env, overrides=overrides)


def refused(tmp_path, text, name="gateway.toml", env=None, **overrides):
    """The error that a configuration meets."""
    with pytest.raises(GatewayConfigError) as caught:
        read(tmp_path, text, name, env, **overrides)
    return caught.value
