"""A mail server on loopback: enough of RFC 5321 for a client to hand over a message, with STARTTLS and login."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from typing import Self


class SmtpServer:
    """Keeps what it is handed. `refuse` answers that many sessions with 421 first."""

    def __init__(self, *, refuse: int = 0, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None):
        self.messages: list[tuple[str, list[str], str]] = []
        self.sessions = 0
        self.encrypted: list[bool] = []
        self._refuse = refuse
        self._tls = tls
        self._login = login
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        if self.sessions <= self._refuse:
            writer.write(b"421 busy\r\n")
        else:
            await self._converse(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients, secure, known = "", [], False, self._login is None

        def say(*lines: str) -> None:
            last = len(lines) - 1
            for number, line in enumerate(lines):
                code, _, rest = line.partition(" ")
                writer.write(f"{code}{' ' if number == last else '-'}{rest}\r\n".encode())

        say("220 ready")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    offers = ["250 hello"]
                    if self._tls is not None and not secure:
                        offers.append("250 STARTTLS")
                    if self._login is not None:
                        offers.append("250 AUTH PLAIN")
                    say(*offers)
                case "STARTTLS":
                    say("220 go")
                    await writer.start_tls(self._tls)
                    secure = True
                case "AUTH":
                    given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                    known = tuple(given) == self._login
                    say("235 welcome" if known else "535 no")
                case "MAIL":
                    sender = rest
                    say("250 ok" if known else "530 who are you")
                case "RCPT":
                    recipients.append(rest[4:-1])
                    say("250 ok")
                case "DATA":
                    say("354 go on")
                    text = (await reader.readuntil(b"\r\n.\r\n")).decode()[:-5]
                    self.messages.append((sender, recipients, text))
                    self.encrypted.append(secure)
                    say("250 kept")
                case "RSET":
                    say("250 ok")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("500 what")
