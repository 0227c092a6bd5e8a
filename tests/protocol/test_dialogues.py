"""Whole dialogues in the words of the wire, written after the public guides and field reports; the client must follow
them to the letter.

Each file holds one step a line: `server` (an event as it arrives), `act` (what the person or the player does), `sends`
(all that has left since the last `sends`) and `says` (all notices since the last `says`; fields left out are not
compared). `silence:200` stands for 200 ms of audio in base64.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from mrblue_cli.core.ids import CountingIds
from mrblue_cli.protocol.client import ClientConversation
from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.notices import AudioKey, Ownership, Played, ReplyAudio
from mrblue_cli.protocol.session import Session
from tests.protocol.pair import MS, silence

DIALOGUES = sorted((Path(__file__).parent.parent / "data" / "dialogues").glob("*.jsonl"))


class Player:
    """Plays one dialogue; nothing may be left over at its end."""

    def __init__(self, head):
        self.codec = BetaCodec() if head.get("dialect") == "beta" else GaCodec()
        desired = Session(instructions="be brief")
        self.client = ClientConversation(desired, ownership=Ownership(head["ownership"]), ids=CountingIds())
        self.sent, self.said = [], []

    def step(self, step):
        if "sends" in step:
            assert self.sent == step["sends"]
            self.sent = []
        elif "says" in step:
            assert len(self.said) == len(step["says"]), self.said
            for said, expected in zip(self.said, step["says"], strict=True):
                assert {name: said.get(name) for name in expected} == expected
            self.said = []
        else:
            outcome = self.receive(step["server"]) if "server" in step else self.act(dict(step))
            self.sent += [json.loads(self.codec.encode_client(event)) for event in outcome.send]
            self.said += [told(notice) for notice in outcome.notices]

    def receive(self, table):
        return self.client.receive(self.codec.decode_server(json.dumps(table)))

    def act(self, step):
        method = getattr(self.client, step.pop("act"))
        if "ms" in step:
            return method(silence(step["ms"]))
        if "played" in step:
            step["played"] = tuple(
                Played(AudioKey(p["response_id"], p["item_id"], p["content_index"]), p["played_ms"], complete=False)
                for p in step["played"]
            )
        return method(**step)


def with_audio(text):
    return re.sub(r"silence:(\d+)", lambda found: base64.b64encode(silence(int(found[1]))).decode(), text)


def told(notice):
    if isinstance(notice, ReplyAudio):
        return {"kind": "ReplyAudio", "ms": len(notice.pcm) // MS}
    return {"kind": type(notice).__name__, **asdict(notice)}


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_dialogue(path):
    head, *steps = [json.loads(line) for line in with_audio(path.read_text(encoding="utf-8")).splitlines()]
    player = Player(head)
    for number, step in enumerate(steps, start=2):
        try:
            player.step(step)
        except AssertionError as error:
            raise AssertionError(f"{path.name}, line {number}: {error}") from None
    assert player.sent == []
    assert player.said == []


def test_there_are_dialogues():
    assert len(DIALOGUES) >= 10
