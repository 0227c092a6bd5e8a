"""Precedence, and errors that name file and key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.build import chat_options, engine_options, wanted_session
from mrblue_cli.settings.load import load
from mrblue_cli.settings.schema import Settings
from mrblue_cli.settings.secrets import Secret, find_secret

EXAMPLE = Path(__file__).parent.parent.parent / "config.example.toml"


def write(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_the_example_shows_every_key_with_its_default():
    table = tomllib.loads(EXAMPLE.read_text())
    assert load(file=EXAMPLE, environment={}).settings == Settings()
    for section in Settings.__struct_fields__:
        assert set(table[section]) == set(getattr(Settings(), section).__struct_fields__)


def test_command_line_over_environment_over_file_over_default(tmp_path):
    path = write(tmp_path, '[talk]\nengine = "openai"\nvoice = "ash"\nsilence_ms = 700\n')
    env = {"MRBLUE_TALK_VOICE": "coral", "MRBLUE_TALK_SILENCE_MS": "900", "MRBLUE_ENGINE_VOCABULARY_PROMPT": "false"}
    settings = load(file=path, environment=env, overrides={"talk": {"voice": "sage"}}).settings
    assert (settings.talk.voice, settings.talk.silence_ms, settings.talk.engine) == ("sage", 900, "openai")
    assert settings.engine.vocabulary_prompt is False
    assert settings.talk.language == ""


def test_no_file_is_fine_but_a_named_one_must_exist(tmp_path):
    assert load(environment={"HOME": str(tmp_path)}).settings.talk.engine == "auto"
    with pytest.raises(ConfigError) as caught:
        load(file=tmp_path / "nope.toml", environment={})
    assert "nope.toml" in caught.value.what
    with pytest.raises(ConfigError):
        load(environment={"MRBLUE_CONFIG": str(tmp_path / "gone.toml")})


FAULTS = [
    ("[talk]\nturn_mod = 'x'", "talk.turn_mod", "did you mean 'turn_mode'?"),
    ("[tlk]\nx = 1", "tlk", "did you mean 'talk'?"),
    ("[talk]\nturn_mode = 'telepathy'", "talk.turn_mode", "push-to-talk"),
    ("[talk]\nsilence_ms = 'long'", "talk.silence_ms", "config.example.toml"),
    ("[talk]\nsilence_ms = 5", "talk.silence_ms: 5 is not in 100 to 5000", "correct"),
    ("talk = 3", "talk", "config.example.toml"),
    ("[talk\n", "not valid TOML", "config.example.toml"),
    ("[chat]\napi_key = 'sk-1'", "chat.api_key", "environment"),
]


@pytest.mark.parametrize(("text", "what", "hint"), FAULTS)
def test_a_fault_names_the_file_the_key_and_the_remedy(tmp_path, text, what, hint):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file=path, environment={})
    assert str(path) in caught.value.what
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert "sk-1" not in caught.value.what + caught.value.hint


@given(st.text(max_size=80))
def test_any_text_is_settings_or_one_clear_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("c") / "c.toml"
    path.write_text(text, encoding="utf-8")
    try:
        load(file=path, environment={})
    except ConfigError as error:
        assert str(path) in error.what


def test_the_gateway_stands_in_for_the_chat_endpoint():
    settings = load(environment={"BIFROST_BASE_URL": "http://localhost:8080/"}).settings
    assert settings.chat.base_url == "http://localhost:8080/v1"
    own = load(environment={"BIFROST_BASE_URL": "http://x", "MRBLUE_CHAT_BASE_URL": "http://localhost:1/v1"}).settings
    assert own.chat.base_url == "http://localhost:1/v1"


def test_secrets_do_not_show_themselves():
    secret = find_secret("OPENAI_API_KEY", {"OPENAI_API_KEY": " sk-very-secret "})
    assert secret.reveal() == "sk-very-secret"
    assert secret
    assert "very" not in f"{secret!r}{secret}{[secret]}"
    assert not Secret("", "")


def test_openais_key_goes_to_openai_only():
    key, own = Secret("sk-openai", "environment"), Secret("own", "environment")
    local = load(environment={"MRBLUE_CHAT_BASE_URL": "http://localhost:11434/v1"}).settings
    options = chat_options(local, key, Secret("", ""))
    assert options is not None
    assert options.api_key == ""
    assert chat_options(local, key, own).api_key == "own"
    assert chat_options(Settings(), key, own).api_key == "sk-openai"
    assert chat_options(Settings(), Secret("", ""), own) is None
    assert "sk-openai" not in repr(chat_options(Settings(), key, own))


def test_options_are_built_for_each_part(tmp_path):
    settings = load(environment={"MRBLUE_ENGINE_CACHE_FOLDER": str(tmp_path)}).settings
    assert engine_options(settings, port=7).cache_folder == tmp_path
    remote, local = wanted_session(settings, local=False), wanted_session(settings, local=True)
    assert remote.audio.output.voice == "marin"
    assert remote.audio.input.transcription.model == "gpt-transcribe"
    assert not isinstance(local.audio.output.voice, str)
    missing = load(environment={"MRBLUE_ENGINE_TTS_VOICE": str(tmp_path / "none.onnx")}).settings
    with pytest.raises(ConfigError) as caught:
        engine_options(missing)
    assert "engine.tts_voice" in caught.value.what
