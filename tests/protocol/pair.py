"""Both sides of a conversation joined in memory, over either codec: what one sends, the other must read."""

from __future__ import annotations

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol import commands as cmd
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.notices import Ownership
from mrblue_cli.protocol.server import ServerConversation
from mrblue_cli.protocol.server_events import Unknown
from mrblue_cli.protocol.session import Audio, AudioOutput, Session

MS = 48
"""Bytes of wire audio per millisecond."""


def silence(ms):
    return bytes(ms * MS)


class ClientIds(CountingIds):
    """Counts like the server's ids, in a space of its own."""

    def new(self, prefix):
        return f"client_{super().new(prefix)}"


class ConversationPair:
    """A client and a server with a codec between them. Nothing moves by itself: `exchange` carries it across."""

    def __init__(self, ownership=Ownership.SERVER, codec=None):
        self.codec = codec or GaCodec()
        desired = Session(instructions="be brief", audio=Audio(output=AudioOutput(voice="joe")))
        self.client = ClientConversation(desired, ownership=ownership, ids=ClientIds())
        self.server = ServerConversation(
            Session(type="realtime", model="test-model", output_modalities=["audio"]),
            ids=CountingIds(),
            expires_at=3600,
        )
        self.to_server = []
        self.to_client = []
        self.client_sent = []
        self.server_sent = []
        self.notices = []
        self.commands = []
        self.from_server(self.server.open())

    def from_server(self, outcome):
        self.server_sent += outcome.send
        self.to_client += outcome.send
        self.commands += outcome.commands
        return outcome

    def from_client(self, outcome):
        self.client_sent += outcome.send
        self.to_server += outcome.send
        self.notices += outcome.notices
        return outcome

    def deliver_to_client(self):
        while self.to_client:
            text = self.codec.encode_server(self.to_client.pop(0))
            if text is not None:
                event = self.codec.decode_server(text)
                assert not isinstance(event, Unknown), text
                self.from_client(self.client.receive(event))

    def deliver_to_server(self):
        while self.to_server:
            event = self.codec.decode_client(self.codec.encode_client(self.to_server.pop(0)))
            self.from_server(self.server.receive(event))

    def exchange(self):
        while self.to_client or self.to_server:
            self.deliver_to_client()
            self.deliver_to_server()

    def started(self):
        return [command for command in self.commands if isinstance(command, cmd.StartReply)]

    def speak(self, text="Found it.", ms=1000):
        """The engine's part of a whole reply, up to but without its end."""
        response_id = self.started()[-1].response_id
        self.from_server(self.server.reply_text(response_id, text))
        self.from_server(self.server.reply_audio(response_id, silence(ms)))
        return response_id

    def kinds(self, kind):
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def errors(self):
        return [event.error.code for event in self.server_sent if type(event).__name__ == "Error"]
