"""Function calls on the server's side: the order of the guide, what stays in the conversation, what may be called."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.protocol import client_events as c
from mrblue_cli.protocol import notices as n
from mrblue_cli.protocol.codec import GaCodec
from mrblue_cli.protocol.codec_beta import BetaCodec
from mrblue_cli.protocol.items import Item
from mrblue_cli.protocol.session import Session
from tests.protocol.pair import ConversationPair, silence

LOOK = {"type": "function", "name": "look", "description": "looks", "parameters": {"type": "object"}}
WAVE = {**LOOK, "name": "wave"}


@pytest.fixture(params=[GaCodec, BetaCodec], ids=["ga", "beta"])
def pair(request):
    pair = ConversationPair(codec=request.param())
    pair.exchange()
    pair.from_client(pair.client.update_session(Session(tools=[LOOK, WAVE])))
    pair.from_client(pair.client.send_text("what is it?"))
    pair.exchange()
    pair.server_sent.clear()
    return pair


def reply_of(pair):
    return pair.started()[-1].response_id


def names(pair, since=0):
    return [type(event).__name__ for event in pair.server_sent[since:]]


def test_a_call_without_words_comes_in_the_order_of_the_guide(pair):
    pair.from_server(pair.server.reply_call(reply_of(pair), "look", '{"for": "it"}'))
    pair.from_server(pair.server.reply_finished(reply_of(pair)))
    assert names(pair) == [
        "OutputItemAdded",
        "ItemAdded",
        "FunctionArgumentsDelta",
        "FunctionArgumentsDone",
        "ItemDone",
        "OutputItemDone",
        "ResponseDone",
    ]
    added, done = pair.server_sent[0].item, pair.server_sent[-1].response
    assert (added.status, added.arguments) == ("in_progress", "")
    assert [item.arguments for item in done.output] == ['{"for": "it"}']
    pair.exchange()
    (call,) = pair.kinds(n.ToolCall)
    assert (call.name, json.loads(call.arguments)) == ("look", {"for": "it"})


def test_words_come_first_and_end_before_the_calls(pair):
    reply = reply_of(pair)
    pair.from_server(pair.server.reply_text(reply, "Let me see."))
    pair.from_server(pair.server.reply_audio(reply, silence(200)))
    pair.from_server(pair.server.reply_call(reply, "look", "{}"))
    pair.from_server(pair.server.reply_call(reply, "wave", ""))
    late = pair.server.reply_text(reply, "Too late.") + pair.server.reply_audio(reply, silence(20))
    assert late.send == ()
    pair.from_server(pair.server.reply_finished(reply))
    kinds = names(pair)
    assert kinds.index("ContentPartDone") < kinds.index("FunctionArgumentsDone")
    assert kinds.count("AudioDone") == kinds.count("AudioTranscriptDone") == 1
    done = pair.server_sent[-1].response
    assert [item.type for item in done.output] == ["message", "function_call", "function_call"]
    indexes = [event.output_index for event in pair.server_sent if type(event).__name__ == "OutputItemDone"]
    assert indexes == [0, 1, 2]
    assert done.usage["output_token_details"]["text_tokens"] >= len("Let me see. {}") // 4
    assert [item.type for item in pair.server.history[-3:]] == ["message", "function_call", "function_call"]
    pair.exchange()
    assert [call.name for call in pair.kinds(n.ToolCall)] == ["look", "wave"]


def test_outputs_are_taken_in_and_answered(pair):
    pair.from_server(pair.server.reply_call(reply_of(pair), "look", "{}"))
    pair.from_server(pair.server.reply_finished(reply_of(pair)))
    pair.exchange()
    (call,) = pair.kinds(n.ToolCall)
    pair.from_client(pair.client.supply_tool_output(call.call_id, '{"say": "a cat"}'))
    pair.exchange()
    assert len(pair.started()) == 2
    assert [item.type for item in pair.server.history] == ["message", "function_call", "function_call_output"]
    assert pair.errors() == []
    pair.speak("It is a cat.")
    pair.from_server(pair.server.reply_finished(reply_of(pair)))
    pair.exchange()
    assert pair.kinds(n.ReplyText)[-1].text == "It is a cat."


def test_a_cancelled_reply_runs_nothing(pair):
    pair.from_server(pair.server.reply_call(reply_of(pair), "look", "{}"))
    pair.from_client(pair.client.interrupt())
    pair.exchange()
    assert pair.server_sent[-1].response.status == "cancelled"
    assert pair.kinds(n.ToolCall) == []
    assert pair.server.reply_call(reply_of(pair), "wave", "{}").send == ()


def test_a_message_deleted_before_the_call_stays_deleted(pair):
    reply = reply_of(pair)
    pair.from_server(pair.server.reply_text(reply, "Let me see."))
    spoken = pair.server.history[-1].key
    pair.server.receive(c.DeleteItem(item_id=spoken))
    outcome = pair.server.reply_call(reply, "look", "{}") + pair.server.reply_finished(reply)
    told = [event.item.key for event in outcome.send if type(event).__name__ == "ItemDone"]
    assert told == [pair.server.history[-1].key]
    assert spoken not in [item.key for item in pair.server.history]


def test_out_of_band_calls_stay_out_of_the_conversation(pair):
    pair.server.receive(c.CreateResponse(response=c.ResponseRequest(conversation="none")))
    before = pair.server.history
    started = pair.server.receive(c.CreateResponse(response=c.ResponseRequest(conversation="none")))
    outcome = pair.server.reply_call(started.commands[0].response_id, "look", "{}")
    assert not [event for event in outcome.send if type(event).__name__ in {"ItemAdded", "ItemDone"}]
    assert pair.server.history == before


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["look", "wave"]),
        ({"tool_choice": "none"}, []),
        ({"tool_choice": {"type": "function", "name": "wave"}}, ["wave"]),
        ({"tools": [WAVE]}, ["wave"]),
        ({"tools": []}, []),
    ],
)
def test_what_may_be_called_is_the_sessions_or_the_requests(pair, request_, expected):
    request = c.ResponseRequest(conversation="none", **request_)
    outcome = pair.server.receive(c.CreateResponse(response=request))
    assert [tool["name"] for tool in outcome.commands[0].tools] == expected


def test_paid_models_stand_in_the_usage_of_a_cancelled_reply_too(pair):
    reply = reply_of(pair)
    pair.server.reply_used(reply, "chat-1", input_tokens=7, cached_tokens=3, output_tokens=2)
    pair.server.reply_used(reply, "voice-1", characters=12)
    outcome = pair.server.receive(c.CancelResponse())
    usage = outcome.send[-1].response.usage
    assert usage["models"] == [
        {"model": "chat-1", "input_tokens": 7, "output_tokens": 2, "input_token_details": {"cached_tokens": 3}},
        {"model": "voice-1", "characters": 12},
    ]
    assert (usage["input_tokens"], usage["total_tokens"]) == (7, 9)
    assert usage["input_token_details"]["cached_tokens"] == 3
    pair.server.reply_used(reply, "late", characters=1)


def test_an_output_for_a_call_that_nobody_made_is_kept_all_the_same(pair):
    item = Item(type="function_call_output", call_id="call_unknown", output="{}")
    outcome = pair.server.receive(c.CreateItem(item=item))
    assert [type(event).__name__ for event in outcome.send] == ["ItemAdded", "ItemDone"]
