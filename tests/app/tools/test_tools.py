"""The tools of troubleshooting and of the tattoo studio, called as a model calls them."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.app.tools.dancers import dancers_file
from mrblue_cli.app.tools.registry import build_tools
from mrblue_cli.app.tools.surroundings import Surroundings
from mrblue_cli.app.tools.tattoo import KeywordParameters, document_of
from mrblue_cli.assistant.breadcrumbs import Breadcrumb, Breadcrumbs
from mrblue_cli.assistant.tools import Status, ToolBox
from mrblue_cli.core.errors import UsageError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.places import breadcrumbs_file
from mrblue_cli.settings.profiles import find_profile
from mrblue_cli.settings.schema import Settings, ToolsSection
from tests.app.tools.stand_in import OK, StandIn

BASE = load_base()


def box(profile, **settings):
    around = Surroundings(Settings(tools=ToolsSection(**settings)), find_profile(profile), BASE)
    return ToolBox(build_tools(around, pytest.fail, {}))


async def called(tools, tool, /, **arguments):
    outcome = await tools.call(tool, json.dumps(arguments))
    return outcome, json.loads(outcome.output)


async def test_an_error_is_looked_up_with_its_steps():
    outcome, found = await called(
        box("blue"), "search_knowledge_base", text="EADDRINUSE: address already in use :::3000"
    )
    assert outcome.status is Status.DONE
    assert found["confident"] is True
    assert found["hits"][0]["id"] == "node/port-in-use"
    assert any("3000" in step for step in found["hits"][0]["solutions"][0]["steps"])
    assert found["say"].startswith("Found it")
    assert len(found["hits"]) <= 3


async def test_what_is_not_known_is_not_claimed():
    outcome, found = await called(box("blue"), "search_knowledge_base", text="the cat sat on the mat")
    assert outcome.status is Status.DONE
    assert found["confident"] is False
    assert "no entry" in found["say"]


def failed(command, output, status=1):
    metadata = {"command": command, "status": status, "output": output}
    Breadcrumbs(breadcrumbs_file()).add(Breadcrumb("/tmp", "run", 1.0, metadata))


async def test_the_last_failure_is_read_redacted_and_looked_up():
    failed("npm start --token=abc123secretvalue", "Error: listen EADDRINUSE: address already in use :::3000\n")
    outcome, found = await called(box("blue"), "last_failed_command")
    assert outcome.status is Status.DONE
    assert found["hits"][0]["id"] == "node/port-in-use"
    assert outcome.say.startswith("Your last failed command: npm start")
    assert "Found it: port already in use" in outcome.say
    assert "abc123secretvalue" not in outcome.output


async def test_a_failure_that_nobody_knows_is_told_as_it_ended():
    failed("frobnicate --all", "working\nthe frob could not be nicated today\n")
    outcome, found = await called(box("blue"), "last_failed_command")
    assert found["confident"] is False
    assert outcome.say.endswith("It ended with: the frob could not be nicated today")


async def test_no_failure_is_said_with_a_way_to_have_one_known():
    outcome, found = await called(box("blue"), "last_failed_command")
    assert outcome.status is Status.FAILED
    assert found["ok"] is False
    assert "no failed command" in outcome.say
    assert "mrblue run" in outcome.say


@pytest.mark.parametrize(
    ("said", "meant"), [("ines", "Inês Duarte"), ("Inez", "Inês Duarte"), ("Paul Wendt", "Paul Wendt")]
)
async def test_partners_come_with_reasons(said, meant):
    outcome, found = await called(box("blue"), "find_dance_partners", name=said)
    assert outcome.status is Status.DONE
    assert found["for"] == meant
    assert len(found["partners"]) == 3
    assert found["sample"] is True
    assert outcome.say.startswith(f"For {meant} I would ask {found['partners'][0]['name']}")
    assert all(partner["why"] for partner in found["partners"])


async def test_a_name_that_nobody_has_is_answered_with_the_nearest():
    outcome, _ = await called(box("blue"), "find_dance_partners", name="Xaverius")
    assert outcome.status is Status.FAILED
    assert "nobody called Xaverius" in outcome.say
    assert "the nearest" in outcome.say


async def test_several_of_a_name_are_asked_about(tmp_path):
    people = [
        {"id": f"a{n}", "name": f"Ana {name}", "roles": [role], f"{role}_level": 5}
        for n, (name, role) in enumerate([("Ruiz", "leader"), ("Costa", "follower"), ("Lima", "follower")])
    ]
    file = tmp_path / "dancers.json"
    file.write_text(json.dumps(people))
    tools = box("blue", dancers_file=str(file))
    outcome, _ = await called(tools, "find_dance_partners", name="Ana")
    assert outcome.status is Status.REFUSED
    assert outcome.say.startswith("there are several: Ana ")
    outcome, found = await called(tools, "find_dance_partners", name="Ana Ruiz")
    assert {partner["name"] for partner in found["partners"]} == {"Ana Costa", "Ana Lima"}


async def test_a_file_that_is_not_there_is_told():
    outcome, _ = await called(box("blue", dancers_file="/nowhere/dancers.json"), "find_dance_partners", name="Ana")
    assert "is not there" in outcome.say


def test_a_model_names_files_only_beside_the_configured_one(tmp_path):
    configured = str(tmp_path / "dancers.json")
    assert dancers_file(configured, "") == tmp_path / "dancers.json"
    assert dancers_file(configured, "friday.json") == tmp_path / "friday.json"
    assert dancers_file("", "") is None
    for name in ("../secret.json", "/etc/passwd", ".hidden", "..", "a/b"):
        with pytest.raises(UsageError):
            dancers_file(configured, name)
    with pytest.raises(UsageError):
        dancers_file("", "friday.json")


# The tattoo studio ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "operation"),
    [
        ({"subject": "wolf"}, "design"),
        ({"subject": "wolf", "body_zone": "arm"}, "design"),
        ({"subject": "wolf", "body_zone": "arm", "preview": True}, "body_preview"),
        ({"subject": "wolf", "preview": True}, "design"),
    ],
)
def test_a_preview_needs_a_wish_and_a_place(given, operation):
    document = document_of(KeywordParameters(**given), "flux")
    assert document["operation"] == operation
    assert set(document) == {"operation", "keywords", "model_choice"}
    assert "preview" not in document["keywords"]
    assert document["keywords"]["subject"] == "wolf"


async def test_keywords_are_posted_and_confirmed_aloud():
    async with StandIn((503, {}, {}), OK) as service:
        tools = box("tattoo", tga_url=service.url, tga_model="gpt-image-1")
        outcome, found = await called(
            tools, "extract_keywords", subject=" wolf ", artist_refs=["Dr. Woo"], body_zone="back", style="realism"
        )
    assert outcome.status is Status.DONE
    assert outcome.say == "Done: I have asked for a design: wolf, realism, Dr. Woo, back."
    assert service.asked[-1][2] == {
        "operation": "design",
        "keywords": {"subject": "wolf", "style": "realism", "artist_refs": ["Dr. Woo"], "body_zone": "back"},
        "model_choice": "gpt-image-1",
    }
    assert (found["tries"], found["answer"]) == (2, {"job": "7"})
    assert len(service.done) == 1


async def test_asked_again_after_trouble_the_key_is_the_same_and_after_success_another():
    async with StandIn((400, {}, {}), OK) as service:
        tools = box("tattoo", tga_url=service.url)
        outcome, _ = await called(tools, "extract_keywords", subject="wolf")
        assert outcome.status is Status.FAILED
        assert "refused it" in outcome.say
        for _ in range(2):
            outcome, _ = await called(tools, "extract_keywords", subject="wolf")
            assert outcome.status is Status.DONE
    first, second, third = service.keys
    assert first == second != third


async def test_without_an_address_the_keywords_are_shown_with_what_to_do():
    outcome, found = await called(box("tattoo"), "extract_keywords", subject="wolf", preview=True, body_zone="arm")
    assert outcome.status is Status.DONE
    assert found["sent"] is False
    assert found["keywords"] == {"subject": "wolf", "body_zone": "arm"}
    assert "set TGA_URL" in outcome.say


@pytest.mark.parametrize("arguments", [{}, {"subject": ""}, {"subject": "   "}, {"subject": "wolf", "colour": "red"}])
async def test_what_does_not_fit_is_refused(arguments):
    outcome, found = await called(box("tattoo"), "extract_keywords", **arguments)
    assert outcome.status is Status.REFUSED
    assert found["ok"] is False
