"""Telling people that a budget runs low: by webhook and by mail. (The log line is the budget's own.)

Everything here runs behind the requests. What cannot be delivered is tried again a few times and then logged, without
the address's path (webhook addresses are secrets) and without the mail server's password.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from mrblue_cli.gateway.budget.model import ALL, dollars
from mrblue_cli.gateway.budget.policy import LIMIT_REACHED, AlertDue
from mrblue_cli.gateway.model import NANO
from mrblue_cli.gateway.options import AlertOptions, BudgetOptions, SmtpOptions

if TYPE_CHECKING:
    import aiohttp

RETRY_AFTER_S = (1.0, 5.0, 25.0)
SMTP_TIMEOUT_S = 15.0
WEBHOOK_TIMEOUT_S = 10.0
_SMTP_OVER_TLS = 465
_log = logging.getLogger("mrblue.gateway.budget")

Post = Callable[[str, bytes], Awaitable[int]]
"""Posts JSON to an address; returns the HTTP status, raises `OSError` (or what its library does) when it cannot."""
Sleep = Callable[[float], Awaitable[object]]


class Alerts:
    """Sends alerts to whom the configuration names."""

    def __init__(
        self, options: BudgetOptions, *, post: Post | None = None, sleep: Sleep = asyncio.sleep,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """`post` carries webhooks (`aiohttp_post`); `tls`: what the mail server's certificate is checked against."""
        self._options = options
        self._post = post
        self._sleep = sleep
        self._tls = tls

    def configure(self, options: BudgetOptions) -> None:
        """Send to other people from now on."""
        self._options = options

    async def send(self, alert: AlertDue) -> None:
        """Deliver one alert to all it concerns, with retries. Never raises: what fails is logged."""
        webhooks, mails = self._addresses(alert)
        jobs = [self._insist(f"webhook at {_host(url)}", partial(self._webhook, url, alert)) for url in webhooks]
        if mails:
            where = f"mail server {self._options.smtp.host}:{self._options.smtp.port}"
            jobs.append(self._insist(where, partial(self._mail, mails, alert)))
        await asyncio.gather(*jobs)

    def _addresses(self, alert: AlertDue) -> tuple[list[str], list[str]]:
        """Whoever wanted to know of a threshold also learns that the limit itself is reached."""
        chosen = [one for one in self._options.alerts if _concerns(one, alert)]
        return (
            list(dict.fromkeys(one.webhook for one in chosen if one.webhook)),
            list(dict.fromkeys(one.email for one in chosen if one.email)),
        )

    async def _insist(self, where: str, deliver: Callable[[], Awaitable[None]]) -> None:
        for delay in (*RETRY_AFTER_S, None):
            try:
                await deliver()
            except Exception as error:  # noqa: BLE001 - whatever a network library raises
                why = str(error) if isinstance(error, _NotDelivered) else type(error).__name__
            else:
                return
            if delay is None:
                _log.error("a budget alert could not be delivered: %s: %s", where, why)
                return
            _log.warning("a budget alert is tried again in %g s: %s: %s", delay, where, why)
            await self._sleep(delay)

    async def _webhook(self, url: str, alert: AlertDue) -> None:
        if self._post is None:
            raise _NotDelivered("no way to post is set up")
        status = await self._post(url, msgspec.json.encode(_document(alert)))
        if not 200 <= status < 300:
            raise _NotDelivered(f"answered {status}")

    async def _mail(self, recipients: list[str], alert: AlertDue) -> None:
        smtp = self._options.smtp
        if not smtp.host:
            raise _NotDelivered("no mail server is configured (budget.smtp.host)")
        message = EmailMessage()
        message["Subject"] = _one_line(f"mrblue gateway: {_subject(alert)}")
        message["From"] = smtp.sender
        message["To"] = ", ".join(recipients)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="mrblue.local")
        message.set_content(_text(alert) + "\n")
        await asyncio.to_thread(_deliver, smtp, message, self._tls)


class _NotDelivered(Exception):
    """Why not, in words that hold no secret."""


def aiohttp_post(session: aiohttp.ClientSession) -> Post:
    """Webhooks over an aiohttp session. Redirects are not followed: the address is what the operator wrote."""

    async def post(url: str, body: bytes) -> int:
        headers = {"content-type": "application/json"}
        # The gateway's session leaves deadlines to its users: a server that is silent would hold the alert for ever.
        async with (
            asyncio.timeout(WEBHOOK_TIMEOUT_S),
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status

    return post


def _deliver(smtp: SmtpOptions, message: EmailMessage, tls: ssl.SSLContext | None) -> None:
    """Hand a message to the mail server (RFC 5321), over TLS from the start on port 465 (RFC 8314)."""
    secure = tls or ssl.create_default_context()
    try:
        with _connected(smtp, secure) as server:
            if smtp.starttls and smtp.port != _SMTP_OVER_TLS:
                server.starttls(context=secure)
            if smtp.user:
                server.login(smtp.user, smtp.password)
            server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise _NotDelivered(f"login refused ({error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused:
        raise _NotDelivered("every recipient was refused") from None
    except smtplib.SMTPResponseException as error:
        raise _NotDelivered(f"answered {error.smtp_code}") from None
    except smtplib.SMTPNotSupportedError:
        raise _NotDelivered("does not offer what is configured (STARTTLS or login)") from None
    except OSError as error:
        raise _NotDelivered(type(error).__name__) from None


def _connected(smtp: SmtpOptions, secure: ssl.SSLContext) -> smtplib.SMTP:
    if smtp.port == _SMTP_OVER_TLS:
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SMTP_TIMEOUT_S, context=secure)
    return smtplib.SMTP(smtp.host, smtp.port, timeout=SMTP_TIMEOUT_S)


def _concerns(one: AlertOptions, alert: AlertDue) -> bool:
    return (alert.threshold, alert.action) in {(one.threshold, one.action), (LIMIT_REACHED, "block")}


def _document(alert: AlertDue) -> dict[str, object]:
    return {
        "event": "budget_alert",
        "text": _text(alert),
        "budget": alert.what,
        "period": alert.period,
        "key": None if alert.scope == ALL else alert.scope,
        "threshold": alert.threshold,
        "action": alert.action,
        "spent_usd": alert.spent / NANO,
        "limit_usd": alert.limit / NANO,
    }


def _subject(alert: AlertDue) -> str:
    of = "" if alert.scope == ALL else f" of key {alert.scope}"
    if (alert.threshold, alert.action) == (LIMIT_REACHED, "block"):
        return f"{alert.what} budget{of} used up"
    return f"{alert.threshold:.0%} of the {alert.what} budget{of}"


def _text(alert: AlertDue) -> str:
    of = "" if alert.scope == ALL else f" of key {alert.scope}"
    follows = {
        "notify": "Requests go on as before.",
        "throttle": "Requests are slowed down, and near the limit sent to a cheaper model.",
        "block": "Requests that cost money are refused until the next period (UTC).",
    }[alert.action]
    if alert.action == "block" and alert.threshold == LIMIT_REACHED and alert.spent < alert.limit:
        follows = "Requests that may cost more than what is left are refused until the next period (UTC)."
    spent = f"{dollars(alert.spent)} of {dollars(alert.limit)} spent ({alert.what} budget{of}, {alert.period})."
    return f"{spent} {follows}"


def _one_line(text: str) -> str:
    """Key ids come from people; a line break would begin a new header."""
    return "".join(_printable(text))[:200]


def _printable(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() else " "


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
