"""What a valid configuration may still get wrong: units, ties, thresholds never reached, doors left open."""

from __future__ import annotations

from collections import defaultdict

from mrblue_cli.gateway.access.auth import is_loopback
from mrblue_cli.gateway.options import BudgetOptions, FailoverOptions, GatewayOptions
from mrblue_cli.settings.gateway_problems import Findings, nearest, shown


def review(options: GatewayOptions, found: Findings, *, milliseconds: bool) -> None:
    """Add notes, and problems for names that lead nowhere."""
    _door(options, found)
    _priorities(options, found)
    _names(options, found)
    _caching(options, found)
    _failover(options.failover, found, milliseconds)
    _budget(options.budget, found)


def _door(options: GatewayOptions, found: Findings) -> None:
    if is_loopback(options.host):
        return
    if options.require_key is False:
        found.note(
            "require_key", f"is false: anyone who reaches {options.host}:{options.port} can spend your money",
            warning=True,
        )  # fmt: skip
    else:
        found.note("host", f"listens on {options.host}, beyond this machine: clients need a virtual key "
                   f"(mrblue gateway keys create NAME --state {options.state_folder})")  # fmt: skip


def _priorities(options: GatewayOptions, found: Findings) -> None:
    groups = defaultdict(list)
    for provider in options.providers:
        groups[provider.priority].append(provider.name)
    for priority, names in sorted(groups.items()):
        if len(names) > 1:
            how = "by weight" if options.failover.balance == "weight" else "by weight and recent latency"
            found.note("providers", f"{', '.join(names)} have the same priority {priority}: they share requests {how}")


def _names(options: GatewayOptions, found: Findings) -> None:
    """Aliases and the cheaper model must lead to a model."""
    names = {model.name for provider in options.providers for model in provider.models}
    full = {f"{provider.name}/{model.name}" for provider in options.providers for model in provider.models}
    own_names = {provider.name for provider in options.providers}
    aliases = dict(options.aliases)

    def leads_somewhere(target: str) -> bool:
        owner, _, _ = target.partition("/")
        return target in names or target in full or "*" in names or (owner in own_names and f"{owner}/*" in full)

    for alias, target in options.aliases:
        if target in aliases and target not in names:
            found.problem(f"aliases.{alias}", f"leads to another alias, {shown(target)}", "name the model itself")
        elif not leads_somewhere(target):
            found.problem(f"aliases.{alias}", f"there is no model {shown(target)}", nearest(target, names | full))
        if alias in names:
            found.note(f"aliases.{alias}", f"hides the model of that name: requests for it go to {target}")
    cheaper = options.budget.cheaper_model
    if cheaper and not leads_somewhere(aliases.get(cheaper, cheaper)):
        found.problem("budget.cheaper_model", f"there is no model {shown(cheaper)}", nearest(cheaper, names | full))


def _caching(options: GatewayOptions, found: Findings) -> None:
    caching = options.caching
    if caching.enabled and caching.semantic and caching.error_bound is None and caching.similarity_threshold < 0.85:
        found.note("caching.similarity_threshold", f"{caching.similarity_threshold:g} is low: different questions will "
                   "share answers; 0.95 is the default")  # fmt: skip
    if caching.shared_between_keys and caching.enabled:
        found.note("caching.shared_between_keys", "an answer given to one key may be shown to another")
    if caching.error_bound == 0:
        found.note("caching.error_bound", "0 accepts no wrong answer at all: semantic hits will not happen")


def _failover(failover: FailoverOptions, found: Findings, milliseconds: bool) -> None:
    deadlines = failover.deadlines
    for path, length, usual in (
        ("failover.retry_delay", failover.retry_delay, 1.0),
        ("failover.breaker.reset_timeout", failover.breaker.reset_timeout, 60.0),
        ("failover.deadlines.first_token", deadlines.first_token, 15.0),
        ("failover.deadlines.answer", deadlines.answer, 120.0),
    ):
        if not milliseconds and length >= usual * 100:
            found.note(path, f"{length:g} seconds? Times in TOML are seconds; {usual:g} is the default")
        if milliseconds and 0 < length <= usual / 100:
            found.note(path, f"{length * 1000:g} milliseconds? Times in YAML are milliseconds; {usual * 1000:g} is the "
                       "default")  # fmt: skip
    if not failover.enabled:
        found.note("failover.enabled", "a provider that fails is not replaced: its error goes to the client")
        return
    if failover.retry_delay > failover.max_delay:
        found.note("failover.retry_delay", f"is longer than max_delay ({failover.max_delay:g} s), which cuts it")
    for name in ("connect", "first_token", "idle", "answer"):
        length = getattr(deadlines, name)
        if length > deadlines.total:
            found.note(f"failover.deadlines.{name}", f"{length:g} s is never reached: all attempts together end after "
                       f"{deadlines.total:g} s")  # fmt: skip


def _budget(budget: BudgetOptions, found: Findings) -> None:
    daily, monthly = budget.daily_limit, budget.monthly_limit
    if daily is not None and monthly is not None and daily > monthly:
        found.note("budget.daily_limit", f"${daily:g} a day is never reached: the month ends at ${monthly:g}")
    for name, limit in (("daily_limit", daily), ("monthly_limit", monthly)):
        if limit == 0:
            found.note(f"budget.{name}", "0 lets nothing pass that costs money", warning=True)
    if budget.alerts and daily is None and monthly is None:
        found.note("budget.alerts", "are never reached: no limit is set", warning=True)
    blocks = min((alert.threshold for alert in budget.alerts if alert.action == "block"), default=1.0)
    seen = set()
    for place, alert in enumerate(budget.alerts):
        path = f"budget.alerts[{place}]"
        if alert in seen:
            found.note(path, "says the same as one before it")
        seen.add(alert)
        if alert.threshold > blocks:
            found.note(path, f"is never reached: requests are refused from {blocks:.0%} on")
        if alert.threshold == 0:
            found.note(path, "a threshold of 0 is reached at once")
        if alert.email and not budget.smtp.host:
            found.note(path, f"no mail goes to {alert.email}: budget.smtp.host is not set", warning=True)
