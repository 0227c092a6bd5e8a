"""The stock clients read our frames over a real socket, and come to what we meant."""

from __future__ import annotations

import anthropic
import openai
import pytest

from mrblue_cli.gateway.model import Fault, FaultKind, Surface
from mrblue_cli.gateway.surfaces import TRANSLATORS
from mrblue_cli.gateway.surfaces.chat import error, fail_chat, replay_chat
from tests.gateway.surfaces.samples import USED, call_piece, chunk, completion, door, tool_call

MESSAGES, RESPONSES = TRANSLATORS[Surface.MESSAGES], TRANSLATORS[Surface.RESPONSES]
ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
BODY = {"model": "gpt-x", "input": "hi"}
PIECES = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "hm"}),
    chunk({"content": "I "}),
    chunk({"content": "look."}),
    call_piece(0, call_id="call_1", name="weather", arguments='{"city"'),
    call_piece(1, call_id="call_2", name="clock", arguments="{"),
    call_piece(0, arguments=':"Paris"}'),
    call_piece(1, arguments="}"),
    chunk(finish="tool_calls"),
    USED,
]
CALLS = [tool_call(), tool_call("call_2", "clock", "{}")]
ANSWER = completion("I look.", finish="tool_calls", reasoning_content="hm", tool_calls=CALLS)
CUT = Fault(kind=FaultKind.BROKEN, message="The answer was cut.")


def encode(encoder, pieces=PIECES, fault=None):
    frames = [frame for piece in pieces for frame in encoder.feed(piece)]
    return frames + (encoder.fail(fault) if fault else encoder.finish())


@pytest.fixture
def claude():
    clients = []

    def connect(url):
        clients.append(anthropic.Anthropic(base_url=url, api_key="test", max_retries=0))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def gpt():
    clients = []

    def connect(url):
        clients.append(openai.OpenAI(base_url=url, api_key="test", max_retries=0))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


class TestAnthropic:
    def check(self, message):
        assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert message.content[0].thinking == "hm"
        assert message.content[1].text == "I look."
        assert [(call.id, call.name, call.input) for call in message.content[2:]] == [
            ("call_1", "weather", {"city": "Paris"}),
            ("call_2", "clock", {}),
        ]
        assert message.stop_reason == "tool_use"
        assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (
            30,
            60,
            20,
        )

    @pytest.mark.parametrize(
        "frames",
        [encode(MESSAGES.encoder(ASK)), MESSAGES.replay(MESSAGES.from_chat(ANSWER, ASK))],
        ids=["live", "replay"],
    )
    def test_a_stream(self, claude, frames):
        with door(frames) as url, claude(url).messages.stream(**ASK) as stream:
            assert "".join(stream.text_stream) == "I look."
            self.check(stream.get_final_message())

    def test_a_plain_answer(self, claude):
        with door(_json(MESSAGES.from_chat(ANSWER, ASK)), content_type="application/json") as url:
            self.check(claude(url).messages.create(**ASK))

    def test_a_cut_stream_raises(self, claude):
        frames = encode(MESSAGES.encoder(ASK), PIECES[:4], CUT)
        with door(frames) as url, claude(url).messages.stream(**ASK) as stream:
            heard = []
            with pytest.raises(anthropic.APIStatusError, match="was cut"):
                heard.extend(stream.text_stream)
            assert "".join(heard) == "I look."

    @pytest.mark.parametrize(
        ("status", "raised"),
        [
            (400, anthropic.BadRequestError),
            (401, anthropic.AuthenticationError),
            (404, anthropic.NotFoundError),
            (429, anthropic.RateLimitError),
            (529, anthropic.InternalServerError),
        ],
    )
    def test_errors(self, claude, status, raised):
        body = _json(MESSAGES.error(CUT, status))
        with door(body, status=status, content_type="application/json") as url:
            with pytest.raises(raised, match="was cut") as caught:
                claude(url).messages.create(**ASK)
            assert caught.value.body["type"] == "error"


class TestOpenAIResponses:
    def check(self, response):
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        assert response.output_text == "I look."
        assert [(item.call_id, item.arguments) for item in response.output[2:]] == [
            ("call_1", '{"city":"Paris"}'),
            ("call_2", "{}"),
        ]
        assert response.usage.input_tokens_details.cached_tokens == 60
        assert response.status == "completed"

    @pytest.mark.parametrize(
        "frames",
        [encode(RESPONSES.encoder(BODY)), RESPONSES.replay(RESPONSES.from_chat(ANSWER, BODY))],
        ids=["live", "replay"],
    )
    def test_a_stream(self, gpt, frames):
        with door(frames) as url, gpt(url).responses.stream(**BODY) as stream:
            words = [event.delta for event in stream if event.type == "response.output_text.delta"]
            assert "".join(words) == "I look."
            self.check(stream.get_final_response())

    def test_a_stream_of_plain_events(self, gpt):
        with door(encode(RESPONSES.encoder(BODY))) as url:
            found = list(gpt(url).responses.create(**BODY, stream=True))
        assert [event.sequence_number for event in found] == list(range(len(found)))
        self.check(found[-1].response)

    def test_a_plain_answer(self, gpt):
        with door(_json(RESPONSES.from_chat(ANSWER, BODY)), content_type="application/json") as url:
            self.check(gpt(url).responses.create(**BODY))

    @pytest.mark.parametrize("pieces", [PIECES[:4], []], ids=["in the middle", "at once"])
    def test_a_cut_stream_raises(self, gpt, pieces):
        with door(encode(RESPONSES.encoder(BODY), pieces, CUT)) as url:
            with pytest.raises(openai.APIError, match="was cut"):
                list(gpt(url).responses.create(**BODY, stream=True))
            with pytest.raises(openai.APIError, match="was cut"), gpt(url).responses.stream(**BODY) as stream:
                stream.until_done()


class TestOpenAIChat:
    def test_a_replayed_stream(self, gpt):
        ask = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        with door(replay_chat(ANSWER, True)) as url, gpt(url).chat.completions.stream(**ask) as stream:
            final = stream.get_final_completion()
        message = final.choices[0].message
        assert message.content == "I look."
        assert [(call.id, call.function.arguments) for call in message.tool_calls] == [
            ("call_1", '{"city":"Paris"}'),
            ("call_2", "{}"),
        ]
        assert final.choices[0].finish_reason == "tool_calls"
        assert final.usage.prompt_tokens == 100

    def test_a_cut_stream_raises(self, gpt):
        frames = [*replay_chat(ANSWER, False)[:3], *fail_chat(CUT)]
        with door(frames) as url, pytest.raises(openai.APIError, match="was cut"):
            list(gpt(url).chat.completions.create(model="m", messages=[], stream=True))

    def test_an_error(self, gpt):
        body = _json(error(Fault(kind=FaultKind.BAD_REQUEST, message="No.", param="model", code="odd"), 400))
        with door(body, status=400, content_type="application/json") as url:
            with pytest.raises(openai.BadRequestError) as caught:
                gpt(url).chat.completions.create(model="m", messages=[])
            assert (caught.value.param, caught.value.code) == ("model", "odd")


def _json(body):
    import msgspec

    return msgspec.json.encode(body)
