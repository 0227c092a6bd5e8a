"""Profiles are data: strict, in two languages, one's own before ours."""

from __future__ import annotations

import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.settings.build import MAX_PROMPT_CHARS, wanted_session, words_prompt
from mrblue_cli.settings.places import place
from mrblue_cli.settings.profiles import find_profile, profiles
from mrblue_cli.settings.schema import Settings, TalkSection

SMALL = 'title = "Mine"\ninstructions = "Be brief."\n'


def own(name, text):
    folder = place("config") / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["blue", "tattoo", "restaurant"])
def test_ours_speak_both_languages(name):
    english = find_profile(name)
    spanish = find_profile(name, TalkSection(language="es"))
    assert english.language == "en"
    assert spanish.language == "es"
    assert english.instructions != spanish.instructions
    assert english.title != spanish.title
    assert english.tool_names == spanish.tool_names
    assert bool(english.greeting) == bool(spanish.greeting)
    assert english.origin == f"mrblue:{name}.toml"


def test_the_three_are_listed():
    assert [(found.name, found.source) for found in profiles()] == [
        ("blue", "mrblue"), ("restaurant", "mrblue"), ("tattoo", "mrblue"),
    ]  # fmt: skip


def test_ones_own_stand_for_ours_and_beside_them():
    path = own("blue", SMALL)
    own("garage", SMALL + 'greeting = "Hello."\n[es]\ngreeting = "Hola."\n')
    assert find_profile("blue").title == "Mine"
    assert find_profile("blue").origin == str(path)
    assert find_profile("garage").greeting == "Hello."
    assert find_profile("garage", TalkSection(language="es")).greeting == "Hola."
    assert [found.name for found in profiles()] == ["blue", "garage", "restaurant", "tattoo"]
    assert next(found.source for found in profiles() if found.name == "blue") == str(path)


def test_a_profile_may_be_given_by_its_path(tmp_path):
    (tmp_path / "shop.toml").write_text(SMALL + 'tools = ["read_menu", "read_menu"]\n[context]\nmenu = "menu.toml"\n')
    profile = find_profile(str(tmp_path / "shop.toml"))
    assert profile.name == "shop"
    assert profile.tool_names == ("read_menu",)
    assert profile.menu == str(tmp_path / "menu.toml")


def test_what_the_settings_say_wins_over_the_profile_and_their_defaults_do_not():
    own("marta", SMALL + 'language = "es"\nvoice = "coral"\n')
    profile = find_profile("marta")
    assert (profile.language, profile.voice) == ("es", "coral")
    typed = find_profile("marta", TalkSection(language="en", voice="marin"))
    assert (typed.language, typed.voice) == ("en", "marin")
    profile = find_profile("marta", TalkSection(language="pt", voice="sage"))
    assert (profile.language, profile.voice) == ("pt", "sage")
    assert find_profile("blue").voice == ""


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("title = ", "not valid TOML", "docs/profiles.md"),
        (SMALL + 'gretting = "Hi"\n', ", line 3: there is no key 'gretting'", "did you mean 'greeting'?"),
        (SMALL + "[es]\ngreting = 'x'\n", ", line 4: there is no key 'es.greting'", "did you mean 'greeting'?"),
        (SMALL + "[context]\nmenue = 'x'\n", ", line 4: there is no key 'context.menue'", "did you mean 'menu'?"),
        (SMALL + "zebra = 1\n", "there is no key 'zebra'", "known here: title"),
        (SMALL + "tools = 'read_menu'\n", ", line 3: tools: Expected `array`", "docs/profiles.md"),
        (SMALL + "tools = [3]\n", "tools", "docs/profiles.md"),
        ("title = 3\ninstructions = 'x'\n", ", line 1: title: Expected `str`", "docs/profiles.md"),
        ("title = 'x'\n", "there are no instructions", "docs/profiles.md"),
        ("title = 'x'\ninstructions = '  '\n", "there are no instructions", "docs/profiles.md"),
    ],
)
def test_faults_name_file_line_and_key(text, what, hint):
    path = own("mine", text)
    with pytest.raises(ConfigError) as caught:
        find_profile("mine")
    assert caught.value.what.startswith(str(path))
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "what", "hint"),
    [
        ("blu", "there is no profile 'blu'", "did you mean 'blue'?"),
        ("zzz", "there is no profile 'zzz'", "there are: blue, restaurant, tattoo"),
        ("./gone.toml", "gone.toml: there is no such file", "check the name"),
        ("../../etc/passwd", "passwd: is no", ""),
    ],
)
def test_a_name_that_is_not_there(wanted, what, hint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "passwd" in wanted:
        wanted = str(tmp_path / "passwd")
        (tmp_path / "passwd").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError) as caught:
        find_profile(wanted)
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_a_file_without_end_is_not_read_to_it(tmp_path):
    (tmp_path / "big.toml").write_bytes(b"#" * 300_000)
    with pytest.raises(ConfigError) as caught:
        find_profile(str(tmp_path / "big.toml"))
    assert "larger than 256 KiB" in caught.value.what


def test_a_session_is_asked_for_as_the_profile_says():
    from mrblue_cli.assistant.brain import ToolSpec

    tool = ToolSpec("read_menu", "Reads.", {"type": "object", "properties": {}})
    profile = find_profile("restaurant", TalkSection(language="es", voice="sage"))
    profile = profile.equipped((tool,), knowledge=("Menu: soup",), words=("sopa", "pan"))
    session = wanted_session(Settings(), local=False, profile=profile)
    assert session.instructions.endswith("Menu: soup")
    assert session.tools == [
        {"type": "function", "name": "read_menu", "description": "Reads.", "parameters": tool.parameters}
    ]
    assert session.tool_choice == "auto"
    assert session.audio.input.transcription.language == "es"
    assert session.audio.input.transcription.prompt == "sopa, pan."
    assert session.audio.output.voice == "sage"


def test_the_recognisers_prompt_is_kept_short():
    prompt = words_prompt([f"word{number}" for number in range(500)])
    assert prompt.startswith("word0, word1")
    assert len(prompt) <= MAX_PROMPT_CHARS + 2
