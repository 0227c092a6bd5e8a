"""From options to routes: addresses, surfaces, keys, weights."""

from __future__ import annotations

import pytest

from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import FailoverOptions, GatewayOptions, KeyOptions, ModelOptions, ProviderOptions
from mrblue_cli.gateway.providers.base import Traits
from mrblue_cli.gateway.routing.build import build_table
from mrblue_cli.gateway.routing.routes import Route

S = Surface
OPENAI = Traits(
    native=frozenset({S.CHAT, S.RESPONSES, S.EMBEDDINGS, S.TRANSCRIPTION, S.SPEECH}), base_url="https://api.test/v1"
)
CHATS = Traits(native=frozenset({S.CHAT}), base_url="https://chat.test/v1/", prefill=True)


def built(model: ModelOptions, traits: Traits = OPENAI, **provider: object) -> Route:
    """The route of one model."""
    made = ProviderOptions(name="p", kind="k", models=(model,), **provider)  # type: ignore[arg-type]
    (route,) = build_table(GatewayOptions(providers=(made,)), lambda _kind: traits).routes
    return route


@pytest.mark.parametrize(
    ("name", "surfaces"),
    [
        ("gpt-4o", {S.CHAT, S.RESPONSES}),
        ("gpt-4o-realtime-preview", {S.REALTIME}),
        ("text-embedding-3-small", {S.EMBEDDINGS}),
        ("BAAI/bge-m3", {S.EMBEDDINGS}),
        ("whisper-1", {S.TRANSCRIPTION}),
        ("gpt-4o-mini-transcribe", {S.TRANSCRIPTION}),
        ("tts-1-hd", {S.SPEECH}),
        ("*", set(OPENAI.native)),
    ],
)
def test_names_tell_what_a_model_does(name: str, surfaces: set[Surface]) -> None:
    assert built(ModelOptions(name=name)).surfaces == surfaces


def test_what_is_configured_wins_over_the_name() -> None:
    assert built(ModelOptions(name="whisper-chat", surfaces=(S.CHAT,))).surfaces == {S.CHAT, S.RESPONSES}
    assert built(ModelOptions(name="my-model", upstream="tts-1")).surfaces == {S.SPEECH}


@pytest.mark.parametrize(
    ("endpoint", "url", "whole", "surfaces"),
    [
        ("", "https://api.test/v1", False, {S.CHAT, S.RESPONSES}),
        ("https://api.test/v1/chat/completions", "https://api.test/v1", False, {S.CHAT, S.RESPONSES}),
        ("https://else.test/chat", "https://else.test/chat", True, {S.CHAT}),
        ("https://api.test/v10/chat", "https://api.test/v10/chat", True, {S.CHAT}),
    ],
)
def test_an_address_of_its_own_serves_what_it_is(endpoint: str, url: str, whole: bool, surfaces: set[Surface]) -> None:
    route = built(ModelOptions(name="m", endpoint=endpoint, surfaces=(S.CHAT,)))
    assert (route.targets[0].url, route.targets[0].endpoint, route.surfaces) == (url, whole, surfaces)


def test_each_key_is_a_lane_and_a_provider_without_one_has_one_too() -> None:
    keys = (KeyOptions(secret="one", weight=2.0), KeyOptions(secret="two"))
    pool = built(ModelOptions(name="m", upstream="m-2024", max_tokens=9, temperature=0.3), CHATS, keys=keys)
    assert [(t.api_key, t.model, t.max_tokens, t.temperature) for t in pool.targets] == [
        ("one", "m-2024", 9, 0.3), ("two", "m-2024", 9, 0.3),
    ]  # fmt: skip
    assert (pool.key_weights, pool.prefill, pool.targets[0].url) == ((2.0, 1.0), True, "https://chat.test/v1")
    assert [target.api_key for target in built(ModelOptions(name="m")).targets] == [""]


def test_weights_of_provider_and_model_multiply() -> None:
    assert built(ModelOptions(name="m", weight=0.5), weight=4.0).weight == 2.0


def test_the_policy_decides_whether_other_models_may_answer() -> None:
    provider = ProviderOptions(name="p", kind="k", models=(ModelOptions(name="a"), ModelOptions(name="b")))
    for models, expected in (("any", ["a", "b"]), ("same", ["a"])):
        options = GatewayOptions(providers=(provider,), failover=FailoverOptions(models=models))  # type: ignore[arg-type]
        table = build_table(options, lambda _kind: CHATS)
        assert [one.model for one in table.candidates(S.CHAT, "a")] == expected
