"""Commands speak the language that was typed, else that of the profile or of the settings; codes stay English."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from mrblue_cli.cli.errors import run
from mrblue_cli.cli.language import in_its_language
from mrblue_cli.cli.main import app
from mrblue_cli.core import texts
from mrblue_cli.settings.load import load
from mrblue_cli.settings.places import place


@pytest.fixture
def mrblue(capsys):
    def call(*args):
        capsys.readouterr()
        code = run(lambda: app([*map(str, args)], standalone_mode=False), debug=False)
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err)

    return call


@pytest.fixture
def set_language():
    def write(text):
        file = place("config") / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


TALK = ("talk", "--headless", "--fallback", "text", "--private")


def test_a_talk_in_spanish_from_the_command_line(mrblue):
    done = mrblue(*TALK, "--language", "es", "--text", "dirección ya en uso puerto 3000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("mrblue  motor text")
    assert "Tú      dirección ya en uso puerto 3000" in lines
    assert any(line.startswith("Arreglo Port already in use") for line in lines)
    assert any(line.startswith("Blue    Lo tengo: port already in use.") for line in lines)
    assert any(line.startswith("        turnos: 1") for line in lines)
    assert "mrblue: privado: no se guarda nada de esta conversación" in done.stderr


def test_what_is_typed_wrong_is_told_in_the_language_that_was_typed(mrblue):
    done = mrblue("talk", "--language", "es", "--json")
    assert done.returncode == 2
    assert "mrblue: --input, --output, --text y --json van con --headless" in done.stderr
    assert "add --headless" in mrblue("talk", "--json").stderr


def test_json_keeps_its_keys_and_codes(mrblue):
    done = mrblue(*TALK, "--json", "--language", "es", "--text", "permiso denegado en docker")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"session", "status", "user_transcript", "kb_hit", "assistant_transcript", "end"} <= {
        event["type"] for event in events
    }
    assert {event["state"] for event in events if event["type"] == "status"} <= {
        "connecting", "listening", "thinking", "speaking"
    }  # fmt: skip


def test_the_settings_choose_for_every_command(mrblue, set_language):
    set_language('[talk]\nlanguage = "es"\n')
    assert "Todavía no hay conversaciones guardadas." in mrblue("history", "list").stdout
    assert mrblue("cost").stdout.startswith("Ninguna charla costó nada")
    assert "Resolución de errores" in mrblue("profiles", "list").stdout
    assert "idioma: es" in mrblue("profiles", "show", "tattoo").stdout
    missing = mrblue("history", "show", "xyz")
    assert missing.returncode == 1
    assert "mrblue: ninguna conversación empieza por «xyz»" in missing.stderr


def test_settings_that_cannot_be_used_do_not_keep_the_history_from_its_owner(mrblue, set_language):
    set_language("[talk]\nlanguag = 1\n")
    assert mrblue("history", "list").stdout.startswith("No conversation is kept yet.")


@pytest.mark.parametrize(
    ("typed", "profile", "language"),
    [("", "en", "en"), ("", "es", "es"), ("es", "en", "es"), ("de", "es", "de")],
)
def test_what_is_typed_goes_before_the_profile(tmp_path, typed, profile, language):
    file = tmp_path / "own.toml"
    file.write_text(f'instructions = "Be kind."\nlanguage = "{profile}"\n')
    talk = {"profile": str(file), **({"language": typed} if typed else {})}
    configuration = in_its_language(load(overrides={"talk": talk}))
    assert configuration.settings.talk.language == language
    assert texts.language() == (language if language in texts.LANGUAGES else "en")
