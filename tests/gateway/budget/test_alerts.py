"""Alerts arrive by real mail and real HTTP, are tried again when they do not, and give no secret away."""

from __future__ import annotations

import asyncio
import contextlib
import email
import json
import shutil
import ssl
import subprocess

import aiohttp
import pytest
from aiohttp import web

from mrblue_cli.gateway.budget.alerts import RETRY_AFTER_S, Alerts, aiohttp_post
from mrblue_cli.gateway.budget.model import ALL
from mrblue_cli.gateway.budget.policy import AlertDue
from mrblue_cli.gateway.model import NANO
from mrblue_cli.gateway.options import AlertOptions, BudgetOptions, SmtpOptions
from mrblue_cli.gateway.upstream import Upstream
from tests.fakes.smtp_server import SmtpServer
from tests.gateway.budget.conftest import ask, charge

DUE = AlertDue("2026-11-21", ALL, "daily", 0.8, "notify", 41 * NANO, 50 * NANO)
SECRET = "T0KEN-IN-THE-PATH"


class Naps:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.taken = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@contextlib.asynccontextmanager
async def listener(*statuses):
    """A web server that answers with these, then 200; yields its address and what it was sent."""
    got, answers = [], list(statuses)

    async def take(request):
        got.append((request.headers["content-type"], await request.json()))
        return web.Response(status=answers.pop(0) if answers else 200)

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            yield f"http://127.0.0.1:{port}/hooks/{SECRET}", got, aiohttp_post(session)
    finally:
        await runner.cleanup()


def options(*alerts, **smtp):
    return BudgetOptions(daily_limit=50, alerts=alerts, smtp=SmtpOptions(host="127.0.0.1", **smtp))


async def test_a_webhook_gets_what_happened_as_json():
    async with listener() as (url, got, post):
        await Alerts(options(AlertOptions(threshold=0.8, webhook=url)), post=post).send(DUE)
    [(kind, document)] = got
    assert kind == "application/json"
    assert document.pop("text").startswith("$41.00 of $50.00 spent (daily budget, 2026-11-21).")
    assert document == {
        "event": "budget_alert",
        "budget": "daily",
        "period": "2026-11-21",
        "key": None,
        "threshold": 0.8,
        "action": "notify",
        "spent_usd": 41.0,
        "limit_usd": 50.0,
    }


async def test_a_webhook_is_tried_again_then_given_up_without_its_address(caplog):
    naps = Naps()
    async with listener(500, 503) as (url, got, post):
        await Alerts(options(AlertOptions(threshold=0.8, webhook=url)), post=post, sleep=naps).send(DUE)
        assert len(got) == 3
    assert naps.taken == list(RETRY_AFTER_S[:2])
    assert "error" not in {record.levelname.lower() for record in caplog.records}
    naps.taken.clear()
    async with aiohttp.ClientSession() as session:
        gone = Alerts(options(AlertOptions(threshold=0.8, webhook=url)), post=aiohttp_post(session), sleep=naps)
        await gone.send(DUE)
    assert naps.taken == list(RETRY_AFTER_S)
    assert "could not be delivered: webhook at 127.0.0.1" in caplog.text
    assert SECRET not in caplog.text


async def test_mail_arrives(caplog):
    async with SmtpServer() as server:
        alerts = Alerts(
            options(AlertOptions(threshold=0.8, email="ops@example.org"), port=server.port, sender="gw@example.org")
        )
        await alerts.send(DUE)
    [(sender, recipients, text)] = server.messages
    message = email.message_from_string(text)
    assert "gw@example.org" in sender
    assert recipients == ["ops@example.org"]
    assert message["Subject"] == "mrblue gateway: 80% of the daily budget"
    assert "$41.00 of $50.00" in message.get_payload()
    assert not caplog.records


async def test_a_busy_mail_server_is_tried_again():
    naps = Naps()
    async with SmtpServer(refuse=2) as server:
        await Alerts(options(AlertOptions(threshold=0.8, email="a@b.c"), port=server.port), sleep=naps).send(DUE)
    assert len(server.messages) == 1
    assert naps.taken == list(RETRY_AFTER_S[:2])


@pytest.fixture
def certificate(tmp_path):
    """A key and a certificate for 127.0.0.1 that nobody vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl")
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return key, made


async def test_mail_goes_out_encrypted_and_logged_in(certificate):
    key, made = certificate
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(made, key)
    async with SmtpServer(tls=offered, login=("mrblue", "hunter2")) as server:
        chosen = options(
            AlertOptions(threshold=0.8, email="a@b.c"),
            port=server.port,
            starttls=True,
            user="mrblue",
            password="hunter2",
        )
        trusted = ssl.create_default_context(cafile=str(made))
        await Alerts(chosen, tls=trusted, sleep=Naps()).send(DUE)
        assert server.encrypted == [True]
        await Alerts(chosen, sleep=Naps()).send(DUE)
        assert len(server.messages) == 1, "a certificate nobody vouches for is not trusted"


async def test_a_refused_login_is_told_without_the_password(caplog):
    async with SmtpServer(login=("mrblue", "right")) as server:
        chosen = options(
            AlertOptions(threshold=0.8, email="a@b.c"), port=server.port, user="mrblue", password="hunter2"
        )
        await Alerts(chosen, sleep=Naps()).send(DUE)
    assert server.messages == []
    assert "login refused (535)" in caplog.text
    assert "hunter2" not in caplog.text


async def test_mail_without_a_server_says_what_is_missing(caplog):
    chosen = BudgetOptions(alerts=(AlertOptions(threshold=0.8, email="a@b.c"),))
    await Alerts(chosen, sleep=Naps()).send(DUE)
    assert "budget.smtp.host" in caplog.text


async def test_only_whom_it_concerns_is_told_and_everybody_of_the_end():
    async with listener() as (url, got, post):
        low, high = url + "/low", url + "/high"
        alerts = Alerts(
            options(
                AlertOptions(threshold=0.5, webhook=low),
                AlertOptions(threshold=0.8, webhook=high),
                AlertOptions(threshold=0.9, webhook=high, action="throttle"),
            ),
            post=post,
        )
        await alerts.send(DUE)
        assert len(got) == 1
        await alerts.send(DUE._replace(threshold=1.0, action="block"))
        assert len(got) == 3


async def test_the_end_is_told_with_what_is_really_spent():
    async with listener() as (url, got, post):
        alerts = Alerts(options(AlertOptions(threshold=0.5, webhook=url)), post=post)
        end = DUE._replace(threshold=1.0, action="block")
        await alerts.send(end)
        await alerts.send(end._replace(spent=end.limit))
    texts = [document["text"] for _, document in got]
    assert "more than what is left are refused" in texts[0]
    assert "Requests that cost money are refused until" in texts[1]


async def test_a_webhook_is_told_again_over_the_connection_to_providers(caplog):
    """The session is the one that providers are asked with; the second message finds the connection still open."""
    upstream = Upstream()
    try:
        async with listener() as (url, got, _):
            alerts = Alerts(options(AlertOptions(threshold=0.8, webhook=url)), post=aiohttp_post(upstream.session))
            for _ in range(3):
                await alerts.send(DUE)
            assert len(got) == 3
    finally:
        await upstream.close()
    assert caplog.text == ""


async def test_a_key_id_cannot_add_headers():
    async with SmtpServer() as server:
        alerts = Alerts(options(AlertOptions(threshold=0.8, email="a@b.c"), port=server.port))
        await alerts.send(DUE._replace(scope="k\r\nBcc: victim@example.org\r\n\r\nspam"))
    message = email.message_from_string(server.messages[0][2])
    assert message["Bcc"] is None


async def test_the_budget_rings_by_itself(open_budget, tmp_path):
    async with listener() as (url, got, post):
        settings = options(AlertOptions(threshold=0.5, webhook=url))
        budget = open_budget(daily_limit=1.0, alerts=settings.alerts)
        budget._alarm = Alerts(settings, post=post).send
        await budget.settle(await ask(budget, 0.6), [charge(6 * NANO // 10)])
        async with asyncio.timeout(5):
            await budget.close()
    assert [json.dumps(document["threshold"]) for _, document in got] == ["0.5"]
