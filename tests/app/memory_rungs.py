"""A talk's rungs on a server in memory, for conversations with everything else as it is."""

from __future__ import annotations

from mrblue_cli.protocol.session import Session
from mrblue_cli.voice.rungs import Rung, RungName
from tests.fakes.realtime_server import MemoryServer


class MemoryRungs:
    """Stands in for `app.talk_rungs.TalkRungs`."""

    advice = None

    def __init__(self, **server):
        self._server_options = server
        self.server = None

    @property
    def rungs(self):
        return (Rung(RungName.LOCAL, "local", self._connect, Session()),)

    async def _connect(self):
        self.server = MemoryServer(**self._server_options)
        return self.server

    async def close(self):
        pass
