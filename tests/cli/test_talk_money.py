"""`mrblue talk --headless` against a server that bills, over a real socket: limit, record, private talks, summary."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from websockets.sync.server import serve

from mrblue_cli.app.talk_costs import costs_file
from mrblue_cli.cli.errors import run
from mrblue_cli.cli.main import app

USAGE = {
    "input_token_details": {"text_tokens": 1000, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 990},
}
"""$0.0676 at gpt-realtime-2.1."""


def answer(socket):
    """Each request for a reply is answered in text, at the price of sound."""
    number = 0
    created = {"type": "realtime", "model": "gpt-realtime-2.1"}
    socket.send(json.dumps({"type": "session.created", "session": created}))
    for frame in socket:
        event = json.loads(frame)
        if event["type"] == "session.update":
            socket.send(json.dumps({"type": "session.updated", "session": event["session"]}))
        elif event["type"] == "response.create":
            number += 1
            name, item = f"resp_{number}", f"item_{number}"
            of = {"response_id": name, "item_id": item, "output_index": 0, "content_index": 0}
            for told in (
                {"type": "response.created", "response": {"id": name, "conversation_id": "c"}},
                {"type": "response.output_text.done", **of, "text": f"Answer {number}."},
                {"type": "response.done", "response": {"id": name, "status": "completed", "usage": USAGE}},
            ):
                socket.send(json.dumps(told))


@pytest.fixture
def server():
    with serve(answer, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture
def talk(capsys, server):
    def call(*args):
        capsys.readouterr()
        words = ["talk", "--headless", "--engine", server, *map(str, args)]
        code = run(lambda: app(words, standalone_mode=False), debug=False)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err)

    return call


def test_the_limit_ends_a_script_politely_and_the_money_is_on_record(talk, capsys):
    texts = ("--text", "one", "--text", "two", "--text", "three")
    done = talk(*texts, "--json", "--max-cost", "0.1", "--metrics-port", "0")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (spent,) = [event for event in events if event["type"] == "spent"]
    assert (spent["turn_usd"], spent["total_usd"], spent["limit_usd"]) == (0.0676, 0.0676, 0.1)
    assert spent["charges"][0]["model"] == "gpt-realtime-2.1"
    assert [event["text"] for event in events if event["type"] == "assistant_transcript"] == ["Answer 1."]
    (turn,) = [event for event in events if event["type"] == "turn"]
    assert turn["cost_usd"] == 0.0676
    summary, end = events[-2:]
    assert (summary["type"], summary["turns"], summary["total_usd"]) == ("summary", 1, 0.0676)
    assert end == {"type": "end", "reason": "max_cost"}
    assert "one more turn would cost about" in done.stderr
    assert "numbers for Prometheus: http://127.0.0.1:" in done.stderr
    run(lambda: app(["cost", "--json", "--by", "profile"], standalone_mode=False), debug=False)
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["blue"]
    run(lambda: app(["cost", "--json", "--by", "model"], standalone_mode=False), debug=False)
    document = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["replies"], row["cost_usd"]) for row in document["rows"]] == [
        ("gpt-realtime-2.1", 1, 0.0676)
    ]


def test_a_private_talk_leaves_no_trace_of_money(talk):
    done = talk("--text", "one", "--private")
    assert done.returncode == 0, done.stderr
    assert not costs_file().exists()


def test_the_text_view_ends_with_the_numbers(talk):
    done = talk("--text", "one")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["        turns: 1", "        $0.0676 spent, 2,000 tokens"]
