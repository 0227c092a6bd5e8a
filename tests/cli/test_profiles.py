"""`mrblue profiles`, as a person runs it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mrblue_cli.cli.main import app
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.places import place


def run(*args):
    return CliRunner().invoke(app, ["profiles", *args], catch_exceptions=True)


def test_the_list_has_ours_and_ones_own_and_says_what_is_wrong():
    folder = place("config") / "profiles"
    folder.mkdir(parents=True)
    (folder / "garage.toml").write_text('title = "Garage"\ninstructions = "Be brief."\n')
    (folder / "broken.toml").write_text("titel = 'x'\n")
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["blue", "broken", "garage", "restaurant", "tattoo"]
    assert "there is no key 'titel'" in lines[1]
    assert "Garage" in lines[2]
    assert "garage.toml" in lines[2]
    rows = json.loads(run("list", "--json").stdout)
    assert rows[0] == {
        "name": "blue",
        "source": "mrblue",
        "title": "Troubleshooting",
        "tools": ["search_knowledge_base", "last_failed_command", "find_dance_partners"],
        "problem": None,
    }
    assert rows[1]["problem"]


def test_show_has_what_a_model_is_told():
    shown = run("show", "restaurant").stdout
    assert "Restaurant orders  (restaurant, mrblue:restaurant.toml)" in shown
    assert "Menu of Trattoria Azul" in shown
    assert "update_order" in shown
    document = json.loads(run("show", "tattoo", "--json").stdout)
    assert document["tools"][0]["parameters"]["required"] == ["subject"]
    assert document["left_out"] == []


def test_show_says_what_a_role_is_not_offered(monkeypatch):
    monkeypatch.setenv("MRBLUE_ASSISTANT_ROLE", "moderator")
    document = json.loads(run("show", "tattoo", "--json").stdout)
    assert document["tools"] == []
    assert document["left_out"] == ["extract_keywords is not offered here (moderator, global)"]


def test_a_name_that_is_not_there():
    result = run("show", "tatoo")
    assert isinstance(result.exception, ConfigError)
    assert "did you mean 'tattoo'?" in result.exception.hint


@pytest.mark.parametrize("option", ["--profile", "--context"])
def test_the_talk_knows_the_options(option):
    assert option in CliRunner().invoke(app, ["talk", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
