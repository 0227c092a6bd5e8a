"""Whom to talk to: named, found by key, or this machine."""

from __future__ import annotations

import pytest

from mrblue_cli.app.talk import read_wav
from mrblue_cli.app.talk_rungs import choose_engine
from mrblue_cli.core.errors import ConfigError, InputFileError
from mrblue_cli.settings.load import load


def chosen(engine, monkeypatch, **env):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return choose_engine(load(overrides={"talk": {"engine": engine}}))


def test_auto_is_openai_with_a_key_and_this_machine_without(monkeypatch):
    assert chosen("auto", monkeypatch).name == "local"
    with_key = chosen("auto", monkeypatch, OPENAI_API_KEY="sk-1")
    assert with_key.name == "openai"
    assert "gpt-realtime-2.1" in with_key.endpoint.url


def test_local_stays_local_with_a_key(monkeypatch):
    engine = chosen("local", monkeypatch, OPENAI_API_KEY="sk-1")
    assert (engine.name, engine.endpoint) == ("local", None)


def test_an_address_of_openai_keeps_its_model(monkeypatch):
    engine = chosen("wss://api.openai.com/v1/realtime?model=gpt-realtime-2", monkeypatch, OPENAI_API_KEY="sk-1")
    assert engine.endpoint.url.endswith("model=gpt-realtime-2")


def test_another_address_never_gets_openais_key(monkeypatch):
    engine = chosen("ws://127.0.0.1:9", monkeypatch, OPENAI_API_KEY="sk-1")
    assert "sk-1" not in str(engine.endpoint.headers)
    own = chosen("ws://127.0.0.1:9", monkeypatch, MRBLUE_REALTIME_API_KEY="own")
    assert ("Authorization", "Bearer own") in own.endpoint.headers


def test_openai_without_a_key_is_a_configuration_error(monkeypatch):
    with pytest.raises(ConfigError):
        chosen("openai", monkeypatch)


def test_recordings_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputFileError) as caught:
        read_wav(tmp_path)
    assert str(tmp_path) in caught.value.what
