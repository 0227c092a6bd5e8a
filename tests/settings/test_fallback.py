"""The order of the ways to talk, as people write it; and whose key goes where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.batch import speech_options
from mrblue_cli.settings.fallback import fallback_order
from mrblue_cli.settings.load import load
from mrblue_cli.settings.schema import BatchSection, ChatSection, Settings
from mrblue_cli.settings.secrets import Secret
from mrblue_cli.voice.rungs import RungName

NAMES = [str(name) for name in RungName]
NOTHING = Secret("", "")


@pytest.mark.parametrize(
    ("written", "order"),
    [
        (["batch,text"], ["batch", "text"]),
        ([" Batch , TEXT ,"], ["batch", "text"]),
        (["local", "batch"], ["local", "batch"]),
        (["text,batch,text"], ["text", "batch"]),
        (["none"], []),
        ([], []),
        ([""], []),
    ],
)
def test_lists_as_people_write_them(written, order):
    assert list(fallback_order(written)) == order


@pytest.mark.parametrize(
    ("written", "hint"),
    [("bach", "'batch'"), ("phone", "realtime, batch"), ("none,text", "none alone"), ("a" * 99, "")],
)
def test_what_is_no_way_is_named(written, hint):
    with pytest.raises(ConfigError) as caught:
        fallback_order([written])
    assert hint in caught.value.hint
    assert len(caught.value.what) < 100


@given(st.lists(st.sampled_from(NAMES), max_size=9))
def test_each_way_stands_once_where_it_came_first(names):
    order = fallback_order([",".join(names)])
    assert list(order) == sorted(set(names), key=names.index)


def test_the_environment_and_the_gateways_address_count():
    environment = {"MRBLUE_TALK_FALLBACK": "batch,text", "BIFROST_BASE_URL": "http://127.0.0.1:8080/"}
    settings = load(environment=environment).settings
    assert fallback_order(settings.talk.fallback) == (RungName.BATCH, RungName.TEXT)
    assert settings.batch.base_url == settings.chat.base_url == "http://127.0.0.1:8080/v1"
    assert fallback_order(load(environment={}).settings.talk.fallback) == tuple(RungName)


def test_an_address_of_ones_own_is_not_replaced_by_the_gateways():
    settings = load(overrides={"batch": {"base_url": "http://a/v1"}}, environment={"BIFROST_BASE_URL": "http://b"})
    assert (settings.settings.batch.base_url, settings.settings.chat.base_url) == ("http://a/v1", "http://b/v1")


def test_each_key_goes_to_its_own_address_only():
    openai, batch, chat = (Secret(f"sk-{name}", "environment") for name in ("openai", "batch", "chat"))
    assert speech_options(Settings(), NOTHING, batch, chat) is None
    own = speech_options(Settings(), openai, batch, chat)
    assert (own.base_url, own.api_key, own.voice) == (None, "sk-openai", "marin")
    assert "sk-" not in repr(own)
    there = Settings(batch=BatchSection(base_url="http://there/v1", voice="joe"))
    assert speech_options(there, openai, NOTHING, chat).api_key == ""
    assert speech_options(there, openai, batch, chat).api_key == "sk-batch"
    assert speech_options(there, NOTHING, NOTHING, NOTHING).voice == "joe"
    both = Settings(batch=BatchSection(base_url="http://there/v1/"), chat=ChatSection(base_url="http://there/v1"))
    assert speech_options(both, openai, NOTHING, chat).api_key == "sk-chat"


def test_a_key_that_would_break_its_header_is_refused():
    with pytest.raises(ConfigError):
        speech_options(Settings(), Secret("sk bad\n", "environment"), NOTHING, NOTHING)
