"""What a provider's error means: status, headers and body in, one `Fault` out. Never raises, never shows a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from mrblue_cli.gateway.model import Fault, FaultKind
from mrblue_cli.gateway.providers.patience import patience
from mrblue_cli.gateway.providers.wire import rows, string, table

MAX_MESSAGE = 600
_MASK = "[hidden]"
_SECRETS = re.compile(
    r"""(?ix)
    \b(?:sk|pk|rk|gsk|xai|mrb|csk|pplx|hf|nvapi|fw|tgp|org|proj|key)[-_][\w\-*.]{6,}   # keys and accounts with a prefix
    | \bAIza[\w\-]{10,} | \bya29\.[\w\-.]+ | \beyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]+)?     # Google's keys, JSON web tokens
    | (?<=bearer\s)\S+ | (?<=basic\s)[\w+/=]{8,}
    | (?:(?<=api.key[=:])|(?<=api.key\s[=:]\s)|(?<=api.key:\s)|(?<=token=)|(?<=key=)|(?<=password=)|(?<=secret=))\S+
    | \b(?=[\w]*\d)(?=[\w]*[a-z])[A-Za-z0-9]{24,}\b     # anything else as long and mixed
    | (?<=://)[^\s/@]+@ | \b[\w.-]+:[^\s/@:]+@(?=[\w\[])                               # a password in an address
    """
)
_INTERNAL = re.compile(
    r"""(?ix)(?<![\w.-])(?:
    (?:127|10)(?:\.\d{1,3}){3} | 192\.168(?:\.\d{1,3}){2} | 172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}
    | 169\.254(?:\.\d{1,3}){2} | localhost | [\w-]+(?:\.[\w-]+)*\.(?:internal|local|svc)(?:\.[\w.-]+)?
    )(?::\d+)?(?![\w.]*\w)"""
)
_CONTEXT = re.compile(
    r"""(?ix) maximum\ context\ length | context\ (?:window|limit) | context_length_exceeded | context\ size
    | prompt\ is\ too\ long | maximum\ prompt\ length | too\ many\ (?:input\ )?tokens | too\ large\ for\ model
    | input\ token\ count | input\ is\ too\ long | reduce\ the\ length | request\ too\ large
    | (?:input|prompt)\ too\ long | inputs`?\ tokens?\ \+\ `?max_new_tokens
    | exceeds?\ the\ (?:model's\ )?(?:maximum\ )?(?:number\ of\ )?(?:input\ )?tokens
    """
)
_TOO_LARGE = re.compile(r"(?i)request too large|maximum context length")  # in a 429, other words mean tokens per minute
_FILTER = re.compile(
    r"""(?ix) content[_\ ](?:filter|management\ policy|policy) | safety\ system | responsibleaipolicyviolation
    | violat\w+\ (?:our|the)\ (?:usage|content|safety)\ polic | flagged\ (?:by|for|as) | moderation_(?:blocked|flagged)
    | requires\ moderation """
)
_QUOTA = re.compile(
    r"""(?ix) insufficient[_\ ](?:quota|balance|credits?|funds) | credit\ balance
    | exceeded\ your\ (?:current|monthly)\ quota
    | plan\ and\ billing | billing_hard | payment\ required | out\ of\ credits | spending\ limit
    | run\ out\ of\ credits | used\ all\ available\ credits"""
)
_KEY = re.compile(
    r"(?i)(?:incorrect|invalid|expired|missing|no) (?:api[ _-]?key|access token|auth)|api[ _]key (?:not|is in)"
)
_MODEL = re.compile(
    r"""(?ix) model[\ _](?:not[\ _](?:found|available|exist)|decommissioned) | decommissioned
    | (?:model|deployment)\S*\ .{0,120}?(?:does\ not\ exist|is\ not\ found|not\ found|has\ been\ deprecated)
    | (?:invalid|unknown)[\ _]model | not\ a\ valid\ model | deploymentnotfound | is\ not\ found\ for\ api\ version"""
)
_FILTER_CODES = {"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation"}
_CONTEXT_CODES = {"context_length_exceeded", "string_above_max_length", "request_too_large", "context_window_exceeded"}
_MODEL_CODES = {"model_not_found", "model_decommissioned", "deploymentnotfound", "model_not_available", "invalid_model"}
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "credit_limit"}

_BY_STATUS: dict[int, FaultKind] = {
    400: FaultKind.BAD_REQUEST,
    401: FaultKind.AUTH,
    402: FaultKind.QUOTA,
    403: FaultKind.AUTH,
    404: FaultKind.NOT_FOUND,
    405: FaultKind.NOT_FOUND,
    407: FaultKind.CONNECT,
    408: FaultKind.TIMEOUT,
    409: FaultKind.SERVER,  # a lock at the provider; its own clients try again
    410: FaultKind.NOT_FOUND,
    413: FaultKind.CONTEXT_TOO_LONG,
    421: FaultKind.CONNECT,
    425: FaultKind.OVERLOADED,
    429: FaultKind.RATE_LIMITED,
    498: FaultKind.AUTH,  # Cohere: a token that it no longer knows
    499: FaultKind.TIMEOUT,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
    522: FaultKind.TIMEOUT,
    524: FaultKind.TIMEOUT,
    529: FaultKind.OVERLOADED,
}
_BY_WORD: dict[str, FaultKind] = {
    "authentication_error": FaultKind.AUTH,
    "billing_error": FaultKind.QUOTA,
    "insufficient_quota": FaultKind.QUOTA,
    "insufficient_system_resource": FaultKind.OVERLOADED,
    "invalid_request_error": FaultKind.BAD_REQUEST,
    "not_found_error": FaultKind.NOT_FOUND,
    "overloaded": FaultKind.OVERLOADED,
    "overloaded_error": FaultKind.OVERLOADED,
    "permission_error": FaultKind.AUTH,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "request_too_large": FaultKind.CONTEXT_TOO_LONG,
    "service_unavailable": FaultKind.OVERLOADED,
    "slow_down": FaultKind.RATE_LIMITED,
    "timeout_error": FaultKind.TIMEOUT,
    "unavailable": FaultKind.OVERLOADED,
}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an error body says, whatever its shape."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    words: str = ""
    """Everything in it that may tell the kind, for the patterns."""


def mask(text: str) -> str:
    """The text without what looks like a key, an account or an address inside someone's network."""
    return _INTERNAL.sub("[address]", _SECRETS.sub(_MASK, text))


def tidy(text: str) -> str:
    """One line that may be shown: masked, without control characters, not longer than `MAX_MESSAGE`."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text[: MAX_MESSAGE * 4]).split())
    line = mask(line)
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1].rstrip() + "…"


def read(body: bytes) -> Said:
    """What the body says. HTML and other texts that are not JSON say nothing: they name machines, not causes."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Said()
    return read_value(value)


def read_value(value: Any) -> Said:
    """What a decoded error body says: OpenAI's shape, Anthropic's, Gemini's list, Mistral's, FastAPI's `detail`, …"""
    if isinstance(value, list):  # Gemini answers streams with a list of one
        value = value[0] if value else {}
    outer = table(value)
    inner = outer.get("error", outer)
    if not isinstance(inner, dict):
        inner = {**outer, "message": inner}
    message = _message(inner) or _message(outer)
    detail = table(inner.get("innererror"))
    meta = table(inner.get("metadata"))
    code = inner.get("code", "")
    kind = inner.get("type") or inner.get("status") or ""
    more = [
        string(detail.get("code")),
        string(meta.get("raw"))[:2000],
        "moderation_flagged" if meta.get("reasons") else "",
    ]
    return Said(
        message=message,
        type=string(kind),
        code=str(code) if isinstance(code, str | int) and not isinstance(code, bool) else "",
        param=string(inner.get("param")) or None,
        words=" ".join([message[:4000], string(kind), str(code)[:200], *more]),
    )


def _message(value: dict[str, Any]) -> str:
    for name in ("message", "detail", "error", "title"):
        said = value.get(name)
        if isinstance(said, str):
            return said
        if isinstance(said, dict) and isinstance(said.get("message"), str):
            return string(said["message"])
        problems = rows(table(said).get("detail") if isinstance(said, dict) else said)
        if problems:  # FastAPI: one entry for each field that is wrong
            return "; ".join(_problem(problem) for problem in problems[:5])
    return ""


def _problem(problem: dict[str, Any]) -> str:
    where = problem.get("loc")
    path = ".".join(str(step) for step in where) if isinstance(where, list) else ""
    return f"{path}: {string(problem.get('msg'))}" if path else string(problem.get("msg"))


def kind_of(status: int, said: Said) -> FaultKind:
    """The kind, from the most telling sign to the least: code, words, status."""
    code, words = said.code.lower(), said.words
    request = status in {0, 400, 403, 404, 413, 422, 429}
    if code in _FILTER_CODES or (request and _FILTER.search(words)):
        return FaultKind.CONTENT_FILTER
    if code in _CONTEXT_CODES or (request and _too_long(status, words)):
        return FaultKind.CONTEXT_TOO_LONG
    if code in _QUOTA_CODES or (status in {0, 400, 403, 429} and _QUOTA.search(words)):
        return FaultKind.QUOTA
    if code in _MODEL_CODES or (request and status != 429 and _MODEL.search(words)):
        return FaultKind.NOT_FOUND
    if status in {0, 400, 403, 422} and _KEY.search(words):
        return FaultKind.AUTH
    if code == "capacity_exceeded":  # Groq says so with 498
        return FaultKind.OVERLOADED
    if status in _BY_STATUS and status != 400:
        return _BY_STATUS[status]
    for word in (code, said.type.lower()):
        if word in _BY_WORD:
            return _BY_WORD[word]
    if 300 <= status < 400:
        return FaultKind.NOT_FOUND
    return FaultKind.BAD_REQUEST if 400 <= status < 500 else FaultKind.SERVER


def _too_long(status: int, words: str) -> bool:
    pattern = _TOO_LARGE if status == 429 else _CONTEXT
    return status != 403 and pattern.search(words) is not None


_PLAIN: dict[FaultKind, str] = {
    FaultKind.AUTH: "the provider does not accept our key",
    FaultKind.BAD_REQUEST: "the provider does not accept the request",
    FaultKind.CONTEXT_TOO_LONG: "the request is too large for the provider",
    FaultKind.NOT_FOUND: "the provider does not know this model or address",
    FaultKind.OVERLOADED: "the provider is too busy",
    FaultKind.QUOTA: "the account at the provider has no money or quota left",
    FaultKind.RATE_LIMITED: "the provider's rate limit is reached",
    FaultKind.TIMEOUT: "the provider took too long",
}


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Fault:
    """The fault of a non-2xx answer. Header names are lower case."""
    return fault_of(status, headers, read(body))


def fault_of(status: int, headers: Mapping[str, str], said: Said, kind: FaultKind | None = None) -> Fault:
    """The fault of what was said; `kind` where the adapter knows better."""
    kind = kind or kind_of(status, said)
    waits = kind in {FaultKind.RATE_LIMITED, FaultKind.QUOTA, FaultKind.OVERLOADED, FaultKind.SERVER, FaultKind.TIMEOUT}
    if 300 <= status < 400:
        message = f"the provider answers with a redirect ({status}); check its base_url"
    else:
        message = tidy(said.message) or f"{_PLAIN.get(kind, 'the provider failed')} (HTTP {status})"
    return Fault(
        kind=kind,
        message=message,
        status=status or None,
        type=tidy(said.type)[:80],
        code=tidy(said.code)[:80] or None,
        param=tidy(said.param)[:200] if said.param else None,
        retry_after=patience(headers, said.message) if waits else None,
    )


def fault_in_stream(value: Any) -> Fault:
    """An error that a provider reports inside a stream of 200; its code may be an HTTP status."""
    said = read_value(value)
    status = int(said.code) if said.code.isascii() and said.code.isdigit() and len(said.code) == 3 else 0
    fault = fault_of(status, {}, said)
    return msgspec.structs.replace(fault, message=tidy(said.message) or "the provider broke off with an error")
