"""One request, many spellings: one key. Two requests: two keys."""

from __future__ import annotations

import copy
import json
import random
import re
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.cache.keys import LONGEST_QUESTION, RequestKey, Uncacheable, request_key
from mrblue_cli.gateway.model import Surface

HEX = re.compile(r"[0-9a-f]{64}\Z")

FULL: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "What is the capital of Perú?"},
    ],
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 100,
    "seed": 7,
    "stop": ["END"],
    "tools": [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}],
    "tool_choice": "required",
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "verbosity": "low",
}


def key(body: dict[str, Any], surface: Surface = Surface.CHAT, owner: str = "k") -> RequestKey:
    found = request_key(surface, body, owner)
    assert isinstance(found, RequestKey), found
    assert HEX.match(found.exact)
    return found


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hello there"}], **more}


def refusal(surface: Surface, body: dict[str, Any]) -> str:
    found = request_key(surface, body, "k")
    assert isinstance(found, Uncacheable), found
    return found.reason


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with its keys in another order, except where order is told to a model (`properties`)."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: value[name] if name == "properties" else shuffled(value[name], chance) for name in names}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | names
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": names}),
    min_size=1,
    max_size=4,
)
bodies = st.builds(
    lambda rest, turns, model: {**rest, "messages": turns, "model": model},
    st.dictionaries(
        st.sampled_from(["temperature", "top_p", "seed", "stop", "tools_x", "odd", "logit_bias"]), values, max_size=4
    ),
    messages,
    names,
)


class TestSpellings:
    @given(bodies, st.randoms(use_true_random=False))
    def test_the_order_of_keys_says_nothing(self, body: dict[str, Any], chance: random.Random) -> None:
        assert request_key(Surface.CHAT, shuffled(body, chance)) == request_key(Surface.CHAT, body)

    @given(bodies, st.booleans())
    def test_escapes_and_blanks_of_the_json_say_nothing(self, body: dict[str, Any], ascii_only: bool) -> None:
        text = json.dumps(body, ensure_ascii=ascii_only, indent=2)
        assert request_key(Surface.CHAT, msgspec.json.decode(text)) == request_key(Surface.CHAT, body)

    @given(messages, st.sampled_from(["", " ", "\n", "\t \n"]))
    def test_white_space_behind_a_text_says_nothing(self, turns: list[dict[str, str]], blank: str) -> None:
        padded = [{**turn, "content": turn["content"] + blank} for turn in turns if turn["role"] != "assistant"]
        plain = [turn for turn in turns if turn["role"] != "assistant"]
        body = {"model": "m", "messages": plain}
        assert request_key(Surface.CHAT, {**body, "messages": padded}) == request_key(Surface.CHAT, body)

    @given(names)
    def test_composed_and_decomposed_text_is_the_same(self, text: str) -> None:
        one, other = (
            chat(messages=[{"role": "user", "content": "x" + unicodedata.normalize(form, text)}])
            for form in ("NFC", "NFD")
        )
        assert request_key(Surface.CHAT, one) == request_key(Surface.CHAT, other)

    @pytest.mark.parametrize(
        "same",
        [
            {"stream": True, "stream_options": {"include_usage": True}},
            {"user": "u-1", "safety_identifier": "s", "metadata": {"a": "b"}, "prompt_cache_key": "p"},
            {"store": False},
            {"service_tier": "flex"},
            {"n": 1},
            {"n": 1.0},
            {"presence_penalty": 0.0, "frequency_penalty": 0},
            {"temperature": None, "tools": None},
            {"tools": [], "tool_choice": "none"},
            {"response_format": {"type": "text"}},
            {"logprobs": False, "parallel_tool_calls": True, "logit_bias": {}, "stop": []},
            {"modalities": ["text"]},
            {"messages": [{"content": [{"text": "Hello there", "type": "text"}], "role": "user"}]},
            {"messages": [{"role": "user", "content": "  Hello there \n", "name": None}]},
            {"messages": [{"role": "user", "content": [
                {"type": "text", "text": "Hello there\n", "cache_control": {"type": "ephemeral"}}]}]},
        ],
    )  # fmt: skip
    def test_chat(self, same: dict[str, Any]) -> None:
        assert key(chat(**same)) == key(chat())

    def test_numbers_and_lists_of_one(self) -> None:
        assert key(chat(temperature=1.0)) == key(chat(temperature=1))
        assert key(chat(stop="END")) == key(chat(stop=["END"]))
        assert key(chat(max_completion_tokens=5)) == key(chat(max_tokens=5))
        tools = FULL["tools"]
        assert key(chat(tools=tools, tool_choice="auto")) == key(chat(tools=tools))

    def test_responses(self) -> None:
        plain = key({"model": "m", "input": "Hello"}, Surface.RESPONSES)
        for asked in (
            [{"role": "user", "content": "Hello "}],
            [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
        ):
            body = {"model": "m", "input": asked, "truncation": "disabled", "background": False, "stream": True}
            assert key({**body, "text": {"format": {"type": "text"}}}, Surface.RESPONSES) == plain

    def test_messages(self) -> None:
        plain = {
            "model": "m",
            "max_tokens": 9,
            "system": "Be kind.",
            "messages": [{"role": "user", "content": "Hello"}],
        }
        marked = copy.deepcopy(plain) | {
            "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
            "metadata": {"user_id": "u"},
            "stop_sequences": [],
            "thinking": {"type": "disabled"},
        }
        assert key(marked, Surface.MESSAGES) == key(plain, Surface.MESSAGES)
        tool = {"name": "t", "input_schema": {"type": "object"}}
        cached = {**tool, "cache_control": {"type": "ephemeral"}}
        assert key({**plain, "tools": [cached]}, Surface.MESSAGES) == key({**plain, "tools": [tool]}, Surface.MESSAGES)

    def test_embeddings_and_speech(self) -> None:
        one, many = (
            {"model": "e", "input": "a"},
            {"model": "e", "input": ["a"], "encoding_format": "float", "user": "u"},
        )
        assert key(one, Surface.EMBEDDINGS) == key(many, Surface.EMBEDDINGS)
        tokens, lists = {"model": "e", "input": [1, 2]}, {"model": "e", "input": [[1, 2]]}
        assert key(tokens, Surface.EMBEDDINGS) == key(lists, Surface.EMBEDDINGS)
        spoken = {"model": "tts-1", "input": "Hello", "voice": "alloy"}
        spelled = {**spoken, "input": "Hello\n", "response_format": "mp3", "speed": 1.0}
        assert key(spoken, Surface.SPEECH) == key(spelled, Surface.SPEECH)


class TestDifferences:
    @pytest.mark.parametrize("name", sorted(set(FULL) - {"messages"}))
    def test_every_field_that_shapes_the_answer_counts(self, name: str) -> None:
        whole, without = key(FULL), {field: value for field, value in FULL.items() if field != name}
        if name == "model":
            without["model"] = "other"
        other = key(without)
        assert other.exact != whole.exact
        assert other.partition != whole.partition

    @given(bodies, st.data())
    def test_a_small_change_is_seen_unless_the_normal_form_says_it_is_none(
        self, one: dict[str, Any], data: Any
    ) -> None:
        other = copy.deepcopy(one)
        turn = data.draw(st.sampled_from(other["messages"]))
        place = data.draw(st.integers(0, len(turn["content"])))
        more = data.draw(st.sampled_from([" ", "\n", "a", "\u0301", "", "\0"]))
        turn["content"] = turn["content"][:place] + more + turn["content"][place:]
        if data.draw(st.booleans()):
            other[data.draw(st.sampled_from(["seed", "stop", "odd", "logit_bias"]))] = data.draw(values)
        ours, theirs = request_key(Surface.CHAT, one), request_key(Surface.CHAT, other)
        if isinstance(ours, RequestKey) and isinstance(theirs, RequestKey):
            assert (ours.exact == theirs.exact) == (_plain(one) == _plain(other))

    @given(st.lists(names.filter(lambda text: text.strip() == text), min_size=2, max_size=5, unique=True))
    def test_every_earlier_word_is_in_the_partition(self, texts: list[str]) -> None:
        turns = [{"role": "user", "content": text} for text in texts]
        ours = request_key(Surface.CHAT, {"model": "m", "messages": [*turns, {"role": "user", "content": "last"}]})
        swapped = [turns[1], turns[0], *turns[2:], {"role": "user", "content": "last"}]
        theirs = request_key(Surface.CHAT, {"model": "m", "messages": swapped})
        assert isinstance(ours, RequestKey)
        assert isinstance(theirs, RequestKey)
        if unicodedata.normalize("NFC", texts[0]) != unicodedata.normalize("NFC", texts[1]):
            assert ours.partition != theirs.partition

    def test_only_the_question_is_left_out_of_the_partition(self) -> None:
        other = copy.deepcopy(FULL)
        other["messages"][-1]["content"] = "What is the capital of Chile?"
        ours, theirs = key(FULL), key(other)
        assert ours.partition == theirs.partition
        assert ours.exact != theirs.exact
        assert theirs.question == "What is the capital of Chile?"

    def test_owner_and_surface(self) -> None:
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
        found = [key(body), key(body, owner="other"), key(body, Surface.MESSAGES)]
        assert len({one.exact for one in found}) == len({one.partition for one in found}) == 3

    def test_an_absent_temperature_is_not_one(self) -> None:
        """Configuration fills it in per model, and providers have other defaults."""
        assert key(chat(temperature=1)).exact != key(chat()).exact

    def test_the_order_of_a_schemas_properties(self) -> None:
        def asked(*names: str) -> RequestKey:
            schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
            return key(chat(response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}))

        assert asked("thought", "answer").exact != asked("answer", "thought").exact

    def test_true_is_not_one_and_text_is_not_a_number(self) -> None:
        found = {key(chat(odd=value)).exact for value in (True, 1, "1", [1], {"1": 1}, "true")}
        assert len(found) == 6

    def test_blanks_between_parts_count(self) -> None:
        def parts(*texts: str) -> RequestKey:
            return key(chat(messages=[{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]))

        assert parts("not ", "able").exact != parts("not", "able").exact

    def test_indentation_of_code_counts(self) -> None:
        def said(text: str) -> RequestKey:
            return key(chat(messages=[{"role": "user", "content": text}]))

        assert said("    a\nb").exact != said("a\nb").exact
        assert said("\na\nb\n").exact == said("a\nb").exact

    def test_a_prefill_keeps_its_end(self) -> None:
        def filled(text: str) -> RequestKey:
            return key(chat(messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": text}]))

        assert filled("1, 2,").exact != filled("1, 2, ").exact

    def test_embedding_texts_are_taken_to_the_byte(self) -> None:
        assert key({"model": "e", "input": "a"}, Surface.EMBEDDINGS) != key(
            {"model": "e", "input": "a "}, Surface.EMBEDDINGS
        )

    def test_what_a_responses_answer_repeats(self) -> None:
        """The answer of this surface tells metadata and user: a kept one must not tell another's."""
        body = {"model": "m", "input": "x"}
        for more in ({"metadata": {"a": "b"}}, {"user": "u"}, {"store": False}):
            assert key({**body, **more}, Surface.RESPONSES).exact != key(body, Surface.RESPONSES).exact


def _plain(body: dict[str, Any]) -> Any:
    """An independent, slow rendering of what the normal form promises for `bodies`."""

    def settle(value: Any) -> Any:
        if isinstance(value, str):
            return unicodedata.normalize("NFC", value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, dict):
            return {name: settle(item) for name, item in value.items()}
        return [settle(item) for item in value] if isinstance(value, list) else value

    def text(turn: dict[str, str]) -> str:
        said = unicodedata.normalize("NFC", turn["content"])
        if turn["role"] == "assistant":
            return said
        return said.rstrip().lstrip("\r\n" if "\n" in said.rstrip() else None)

    rest = {name: settle(value) for name, value in body.items() if name != "messages" and value is not None}
    if rest.get("stop") == []:
        del rest["stop"]
    if rest.get("logit_bias") == {}:
        del rest["logit_bias"]
    if isinstance(rest.get("stop"), str):
        rest["stop"] = [rest["stop"]]
    return json.dumps([rest, [(turn["role"], text(turn)) for turn in body["messages"]]], sort_keys=True)


class TestExactOnly:
    @pytest.mark.parametrize(
        ("why", "body"),
        [
            ("several-answers", chat(n=2)),
            ("not-text", chat(messages=[{"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}])),
            ("tool-results", chat(messages=[
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]},
                {"role": "tool", "tool_call_id": "c", "content": "42"},
                {"role": "user", "content": "and now?"}])),
            ("no-question", chat(messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}])),
            ("no-question", chat(messages=[{"role": "user", "content": "  "}])),
            ("no-question", chat(messages=[])),
            ("long-question", chat(messages=[{"role": "user", "content": "x" * (LONGEST_QUESTION + 1)}])),
            ("code", chat(messages=[{"role": "user", "content": "why?\n```\nx = 1\n```"}])),
        ],
    )  # fmt: skip
    def test_chat(self, why: str, body: dict[str, Any]) -> None:
        found = key(body)
        assert (found.exact_only, found.partition, found.question) == (why, "", "")

    def test_the_content_of_an_image_counts(self) -> None:
        def picture(data: str) -> str:
            part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
            return key(chat(messages=[{"role": "user", "content": [part]}])).exact

        assert picture("AAAA") != picture("AAAB")

    def test_tool_results_of_the_other_surfaces(self) -> None:
        items = [{"type": "function_call_output", "call_id": "c", "output": "1"}, {"role": "user", "content": "so?"}]
        assert key({"model": "m", "input": items}, Surface.RESPONSES).exact_only == "tool-results"
        turn = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]}
        assert key({"model": "m", "max_tokens": 1, "messages": [turn]}, Surface.MESSAGES).exact_only == "tool-results"

    def test_several_text_parts_are_one_question(self) -> None:
        parts = [{"type": "text", "text": "Look:"}, {"type": "text", "text": "why?"}]
        assert key(chat(messages=[{"role": "user", "content": parts}])).question == "Look:\nwhy?"

    def test_the_semantic_half_can_be_spared(self) -> None:
        found = request_key(Surface.CHAT, FULL, "k", semantic=False)
        assert isinstance(found, RequestKey)
        assert (found.exact, found.partition) == (key(FULL).exact, "")


MEANT = ["model", "messages", "input", "tools", "stop", "system", "tool_choice", "modalities", "store", "instructions"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("why", "body"),
        [
            ("audio-output", chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})),
            ("store", chat(store=True)),
            ("hosted-tool", chat(web_search_options={})),
            ("hosted-tool", chat(tools=[{"type": "web_search"}])),
            ("malformed", chat(messages="x")),
            ("malformed", chat(messages=["x"])),
            ("malformed", chat(messages=[{"role": "user", "content": 7}])),
            ("malformed", chat(messages=[{"role": "user", "content": ["x"]}])),
            ("malformed", chat(model=None)),
            ("malformed", chat(tools="x")),
            ("unreadable", chat(odd="\ud800")),
        ],
    )
    def test_chat(self, why: str, body: dict[str, Any]) -> None:
        assert refusal(Surface.CHAT, body) == why

    @pytest.mark.parametrize(
        ("why", "more"),
        [
            ("conversation", {"previous_response_id": "resp_1"}),
            ("conversation", {"conversation": "conv_1"}),
            ("conversation", {"input": [{"type": "item_reference", "id": "msg_1"}]}),
            ("background", {"background": True}),
            ("store", {"store": True}),
            ("stored-prompt", {"prompt": {"id": "pmpt_1"}}),
            ("hosted-tool", {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}),
            ("malformed", {"input": 3}),
        ],
    )
    def test_responses(self, why: str, more: dict[str, Any]) -> None:
        assert refusal(Surface.RESPONSES, {"model": "m", "input": "x", **more}) == why

    def test_messages(self) -> None:
        body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
        assert refusal(Surface.MESSAGES, {**body, "mcp_servers": [{"url": "https://x"}]}) == "hosted-tool"
        assert (
            refusal(Surface.MESSAGES, {**body, "tools": [{"type": "web_search_20250305", "name": "w"}]})
            == "hosted-tool"
        )
        client = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
        assert key({**body, "tools": [client]}, Surface.MESSAGES).partition

    def test_surfaces_without_a_cache(self) -> None:
        assert refusal(Surface.REALTIME, chat()) == "surface"
        assert refusal(Surface.TRANSCRIPTION, {"model": "whisper-1"}) == "surface"

    def test_speech_without_text(self) -> None:
        assert refusal(Surface.SPEECH, {"model": "tts-1", "voice": "alloy"}) == "malformed"

    def test_nesting_without_end(self) -> None:
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        assert refusal(Surface.CHAT, chat(odd=deep)) == "unreadable"

    @given(st.sampled_from(list(Surface)), st.dictionaries(st.sampled_from(MEANT), values))
    def test_no_body_makes_it_fail(self, surface: Surface, body: dict[str, Any]) -> None:
        found = request_key(surface, body)
        assert isinstance(found, RequestKey | Uncacheable)
        reason = found.reason if isinstance(found, Uncacheable) else found.exact_only
        assert re.fullmatch(r"[a-z-]*", reason)
