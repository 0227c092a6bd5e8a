"""What the gateway is told: frozen values, made by `settings`. Times are seconds, money is US dollars."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from mrblue_cli.gateway.model import Surface


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: unknown keys are refused."""


class ModelOptions(Options, frozen=True, kw_only=True):
    """One model of a provider."""

    name: str
    """What clients ask for."""
    upstream: str = ""
    """Its name (or deployment) at the provider; empty: the same."""
    endpoint: str = ""
    """Full address, when it is not the provider's usual one."""
    surfaces: tuple[Surface, ...] = ()
    """Empty: told from endpoint and name."""
    max_tokens: int | None = None
    temperature: float | None = None
    weight: float = 1.0
    context: int | None = None
    """Tokens it takes; a longer request goes elsewhere without a try."""
    input_price: float | None = None
    """US dollars per million tokens, over the price table."""
    cached_price: float | None = None
    output_price: float | None = None


class KeyOptions(Options, frozen=True, kw_only=True):
    """One key of a provider's pool."""

    secret: str
    weight: float = 1.0

    def __repr__(self) -> str:
        """Without the secret."""
        return f"KeyOptions(weight={self.weight})"


class ProviderOptions(Options, frozen=True, kw_only=True):
    """One provider."""

    name: str
    kind: str
    """Which adapter: openai, groq, anthropic, … or openai-compatible."""
    priority: int = 1
    """Lower is tried first; equal ones share by weight and latency."""
    weight: float = 1.0
    base_url: str = ""
    """Empty: the adapter's own."""
    keys: tuple[KeyOptions, ...] = ()
    models: tuple[ModelOptions, ...] = ()
    """A model named "*" passes any name on."""
    headers: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()


class BreakerOptions(Options, frozen=True, kw_only=True):
    """The circuit breaker of each route."""

    enabled: bool = True
    failure_threshold: int = 5
    """Failures in a row that open it."""
    reset_timeout: float = 60.0
    """Seconds open before one probe is let through."""


class DeadlineOptions(Options, frozen=True, kw_only=True):
    """How long is too long, in seconds."""

    connect: float = 5.0
    first_token: float = 15.0
    """Of a stream, from sending the request to the first real token."""
    idle: float = 20.0
    """Between two pieces of a stream."""
    answer: float = 120.0
    """Of a plain (not streamed) answer."""
    total: float = 600.0
    """Of a request with all its attempts."""


class FailoverOptions(Options, frozen=True, kw_only=True):
    """Retries and fallbacks."""

    enabled: bool = True
    max_retries: int = 3
    """Attempts after the first, over all routes."""
    retry_delay: float = 1.0
    """Base of the jittered exponential backoff before the same route is tried again."""
    max_delay: float = 20.0
    """Longest wait for one retry; a provider that asks for more is left alone until then."""
    models: Literal["any", "same"] = "any"
    """Whether another model may answer a chat request when the asked one cannot. Embeddings never cross models."""
    balance: Literal["latency", "weight"] = "latency"
    """How routes of equal priority share: by weight, or by weight over recent latency."""
    breaker: BreakerOptions = BreakerOptions()
    deadlines: DeadlineOptions = DeadlineOptions()


class CacheOptions(Options, frozen=True, kw_only=True):
    """Exact and semantic cache."""

    enabled: bool = True
    semantic: bool = True
    similarity_threshold: float = 0.95
    ttl: float = 3600.0
    max_size: int = 10_000
    shared_between_keys: bool = False
    """Let one virtual key's answers serve another."""
    error_bound: float | None = None
    """0..1: share of wrong answers among semantic hits that is accepted, learnt per entry. None: threshold, guards."""
    shadow: bool = False
    """Only report what would have been a hit."""
    embedder: str = "auto"
    """auto (the bundled one when installed), none, or the address of an OpenAI-compatible embeddings endpoint."""
    embedder_model: str = ""


class AlertOptions(Options, frozen=True, kw_only=True):
    """What happens at a share of a limit."""

    threshold: float
    action: Literal["notify", "throttle", "block"] = "notify"
    email: str = ""
    webhook: str = ""


class SmtpOptions(Options, frozen=True, kw_only=True):
    """Where mail goes out."""

    host: str = ""
    port: int = 25
    sender: str = "mrblue@localhost"
    user: str = ""
    password: str = ""
    starttls: bool = False

    def __repr__(self) -> str:
        """Without the password."""
        return f"SmtpOptions({self.host}:{self.port})"


class BudgetOptions(Options, frozen=True, kw_only=True):
    """Limits in US dollars; None: no limit. Days and months are UTC."""

    daily_limit: float | None = None
    monthly_limit: float | None = None
    alerts: tuple[AlertOptions, ...] = ()
    throttle_delay: float = 1.0
    """Seconds a throttled request waits."""
    cheaper_model: str = ""
    """A throttled chat request goes here; empty: the cheapest chat model configured."""
    unknown_price: Literal["allow", "block"] = "allow"
    """Models without a price: count tokens and let them pass, or refuse them."""
    smtp: SmtpOptions = SmtpOptions()


class LimitOptions(Options, frozen=True, kw_only=True):
    """Sizes and counts."""

    body_bytes: int = 25 * 1024 * 1024
    """Of a JSON body; images travel inside."""
    upload_bytes: int = 100 * 1024 * 1024
    """Of a form with audio."""
    body_seconds: float = 30.0
    """Between two pieces of a body; a client that is slower is answered 408."""
    concurrent: int = 1000
    """Requests at once; more are answered 503."""


class TelemetryOptions(Options, frozen=True, kw_only=True):
    """OpenTelemetry; off without an endpoint."""

    otlp_endpoint: str = ""
    service_name: str = "mrblue-gateway"


class GatewayOptions(Options, frozen=True, kw_only=True):
    """All of it."""

    providers: tuple[ProviderOptions, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """Names clients may use for a model: ("fast", "llama-3.1-8b-instant"); the right side may be "provider/model"."""
    caching: CacheOptions = CacheOptions()
    budget: BudgetOptions = BudgetOptions()
    failover: FailoverOptions = FailoverOptions()
    limits: LimitOptions = LimitOptions()
    telemetry: TelemetryOptions = TelemetryOptions()
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    redis_url: str = ""
    """Shared cache, budget, breakers and limits; empty: this machine alone."""
    require_key: bool | None = None
    """Whether clients need a virtual key; None: only when listening beyond loopback."""
    state_folder: Path = Path()
    """Ledger, keys and alerts (`gateway.sqlite3`)."""
    demo: bool = False
    log_format: Literal["text", "json"] = "text"
