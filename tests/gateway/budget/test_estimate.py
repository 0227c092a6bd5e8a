"""What a request may use is bounded from above, on every surface, whatever is in the body."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.budget.estimate import DEFAULT_OUTPUT, count_text, estimate
from mrblue_cli.gateway.model import Part, Surface
from tests.gateway.budget.test_counting import wav

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "image_url", "input_audio", "data", "n", "input"])
            | st.text(max_size=5),
            inner | st.sampled_from(["image", "input_audio", "file", "text"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)
bodies = st.dictionaries(
    st.sampled_from(["messages", "input", "tools", "max_tokens", "n", "modalities", "model", "prompt", "instructions"]),
    json_values,
)


def chat(*content, **more):
    return {"model": "m", "messages": [{"role": "user", "content": part} for part in content], **more}


@given(st.sampled_from(list(Surface)), bodies, st.none() | st.integers(0, 10**6))
def test_any_body_has_an_estimate_that_holds_together(surface, body, limit):
    used = estimate(surface, body, limit)
    assert used.estimated
    assert 0 <= used.image_input_tokens + used.audio_input_tokens <= used.input_tokens
    assert 0 <= used.audio_output_tokens <= used.output_tokens
    assert used.seconds >= 0


def test_every_text_of_a_chat_counts_tools_included():
    words = "one two three four five six seven"
    plain = estimate(Surface.CHAT, chat(words), None).input_tokens
    assert plain >= count_text(words)
    twice = estimate(Surface.CHAT, chat(words, words), None).input_tokens
    assert twice >= 2 * count_text(words)
    tools = [{"type": "function", "function": {"name": "f", "description": words, "parameters": {"type": "object"}}}]
    assert estimate(Surface.CHAT, chat(words, tools=tools), None).input_tokens >= plain + count_text(words)
    parts = chat([{"type": "text", "text": words}])
    assert estimate(Surface.CHAT, parts, None).input_tokens >= count_text(words)


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        (Surface.MESSAGES, {"system": "word " * 50, "messages": [{"role": "user", "content": "word " * 50}]}),
        (Surface.RESPONSES, {"instructions": "word " * 50, "input": "word " * 50}),
        (Surface.RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_text", "text": "word " * 100}]}]}),
        (Surface.EMBEDDINGS, {"input": ["word " * 50, "word " * 50]}),
        (Surface.EMBEDDINGS, {"input": list(range(100))}),
    ],
)
def test_text_is_found_in_every_shape(surface, body):
    assert 100 <= estimate(surface, body, None).input_tokens <= 300


@pytest.mark.parametrize(
    ("asked", "limit", "output"),
    [
        ({}, None, DEFAULT_OUTPUT),
        ({}, 4096, 4096),
        ({"max_tokens": 50}, None, 50),
        ({"max_tokens": 50}, 20, 20),
        ({"max_completion_tokens": 70}, 4096, 70),
        ({"max_tokens": 50, "n": 3}, None, 150),
        ({"max_tokens": None}, None, DEFAULT_OUTPUT),
        ({"max_tokens": "many"}, None, DEFAULT_OUTPUT),
        ({"max_tokens": True}, None, DEFAULT_OUTPUT),
        ({"max_tokens": -5}, None, 0),
        ({"n": -5}, 10, 10),
    ],
)
def test_the_output_is_what_is_asked_for_within_the_models_limit(asked, limit, output):
    assert estimate(Surface.CHAT, chat("hi", **asked), limit).output_tokens == output


def test_images_sound_and_files_are_not_counted_as_text():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    used = estimate(Surface.CHAT, chat([picture]), None)
    assert used.image_input_tokens == 4_800
    assert used.input_tokens < 5_000
    picture["image_url"]["detail"] = "low"
    assert estimate(Surface.CHAT, chat([picture]), None).image_input_tokens == 300
    mini = chat([picture], model="gpt-4o-mini-2024-07-18")
    mini["messages"][0]["content"][0]["image_url"].pop("detail")
    assert estimate(Surface.CHAT, mini, None).image_input_tokens == 50_000
    sound = {"type": "input_audio", "input_audio": {"format": "wav", "data": base64.b64encode(wav(10)).decode()}}
    assert estimate(Surface.CHAT, chat([sound]), None).audio_input_tokens >= 320
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 400_000}}
    assert 20_000 < estimate(Surface.CHAT, chat([pdf]), None).input_tokens < 60_000


def test_a_stored_conversation_is_assumed_to_be_long():
    short = estimate(Surface.RESPONSES, {"input": "hi"}, None).input_tokens
    assert estimate(Surface.RESPONSES, {"input": "hi", "previous_response_id": "r"}, None).input_tokens > short + 8000


def test_speech_counts_characters_and_sound():
    used = estimate(Surface.SPEECH, {"input": "Hello there, how are you?", "model": "tts-1"}, None)
    assert used.characters == 25
    assert used.audio_output_tokens == used.output_tokens == 62
    chinese = estimate(Surface.SPEECH, {"input": "你好吗"}, None)
    assert chinese.audio_output_tokens == 21
    assert estimate(Surface.SPEECH, {"input": None}, None).characters == 0


def test_transcription_counts_seconds():
    parts = [Part(name="file", filename="a.wav", data=wav(3)), Part(name="model", data=b"whisper-1")]
    used = estimate(Surface.TRANSCRIPTION, {"prompt": "names"}, None, parts)
    assert used.seconds == pytest.approx(3, rel=0.01)
    assert used.audio_input_tokens >= 96


def test_a_reply_of_a_realtime_session_is_sound():
    used = estimate(Surface.REALTIME, {"instructions": "Be kind."}, None)
    assert used.audio_output_tokens == used.output_tokens == 4096


def test_a_body_as_deep_as_it_likes_is_counted():
    deep = "end"
    for _ in range(100_000):
        deep = [deep]
    assert estimate(Surface.CHAT, {"messages": deep}, None).input_tokens >= 1
    while isinstance(deep, list):  # or the interpreter takes it apart by recursion
        deep = deep.pop()
