"""Whole talks by text in virtual time: each profile does its real job with no model, no key and no sound."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.app.profiles import equip
from mrblue_cli.app.talk import Conversation
from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.settings.load import load
from mrblue_cli.settings.places import place
from mrblue_cli.voice import events as ev
from mrblue_cli.voice.headless import Type
from tests.fakes.virtual_time import LoopClock, run_virtual

BASE = load_base()
WHOLE = "one large margherita; one large margherita without olives; and four small cokes"


class Held:
    """A talk that was held."""

    def __init__(self, *texts, profile="blue", tools=None, assistant=None, **talk):
        overrides = {
            "talk": {"fallback": ["text"], "profile": profile, **talk},
            "history": {"keep": False},
            "tools": tools or {},
            "assistant": assistant or {},
        }
        self.events = []

        async def main():
            conversation = Conversation(load(overrides=overrides), self.events.append, clock=LoopClock())
            await conversation.run_script([Type(text) for text in texts], output=None)

        run_virtual(main(), 600)

    @property
    def answers(self):
        return [event.text for event in self.events if isinstance(event, ev.AssistantTranscript) and event.final]

    @property
    def tools(self):
        ended = (event for event in self.events if isinstance(event, ev.ToolRan))
        return [(event.name, str(event.status)) for event in ended if event.status is not ev.ToolStatus.RUNNING]

    @property
    def turns(self):
        return [event for event in self.events if isinstance(event, ev.TurnMeasured)]


def orders():
    path = place("data") / "orders.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_an_order_from_the_first_word_to_the_kitchen():
    talk = Held(
        "two large margheritas, one without olives, and three small cokes please, oh and make that four cokes",
        "no, that's all",
        "yes please",
        profile="restaurant",
    )
    assert talk.answers == [
        f"So far: {WHOLE}. Anything else?",
        f"So that is {WHOLE}. It comes to 32 dollars. Is that right?",
        f"Your order is placed: {WHOLE}. Thank you.",
    ]
    assert talk.tools == [("update_order", "done"), ("read_order", "done"), ("send_order", "done")]
    assert len(talk.turns) == 3
    ((order),) = orders()
    assert order["total"] == "32.00"
    assert talk.events[-1] == ev.Ended("done")


def test_a_change_after_the_reading_is_read_back_again_before_it_goes():
    talk = Held(
        "a large coke", "that's it", "no, make it small", "that's it", "yes", profile="restaurant",
    )  # fmt: skip
    assert "Is that right?" in talk.answers[1]
    assert talk.answers[2] == "So far: one small coke. Anything else?"
    assert talk.answers[3] == "So that is one small coke. It comes to 2 dollars. Is that right?"
    assert [line["size"] for order in orders() for line in order["lines"]] == ["small"]


def test_what_is_open_is_asked_before_anything_is_read_back():
    talk = Held("a hawaiian and two pizzas", "that's all", "pepperoni", "medium", "that's all", profile="restaurant")
    assert "I do not find hawaiian on the menu" in talk.answers[0]
    assert "Which pizza would you like" in talk.answers[0]
    assert talk.answers[1].startswith("Which pizza would you like")
    assert "Which size" in talk.answers[2]
    assert talk.answers[4].startswith("So that is two medium pepperoni pizzas.")
    assert orders() == []


def test_the_menu_is_told_when_it_is_asked_about():
    talk = Held("how much is a tiramisu?", "what salads do you have?", profile="restaurant")
    assert talk.answers == [
        "Tiramisu: 5.50 dollars.",
        "Caesar salad: 8 dollars; with cheese and dressing. green salad: 6 dollars; with onions and dressing.",
    ]


def test_ones_own_menu_is_used(tmp_path):
    menu = tmp_path / "menu.toml"
    menu.write_text('[[item]]\nid = "soup"\nname = { en = "soup" }\nprice = "4"\n')
    talk = Held("two soups and a pizza", profile="restaurant", context=str(menu))
    assert talk.answers == ["So far: two soups. I do not find pizza on the menu."]
    with pytest.raises(ConfigError) as caught:
        Held("x", profile="restaurant", context=str(tmp_path / "gone.toml"))
    assert "gone.toml" in caught.value.what


def test_a_tattoo_from_the_idea_to_its_keywords():
    talk = Held("I'd like a tattoo", "a wolf howling at the moon", "make it watercolor", profile="tattoo")
    assert talk.answers[0] == "What should the tattoo show?"
    assert "I have noted: wolf howling at the moon" in talk.answers[1]
    assert "watercolor" in talk.answers[2]
    assert "wolf" in talk.answers[2]
    assert talk.tools == [("extract_keywords", "done")] * 2


def test_errors_are_answered_as_ever_and_dancers_are_found():
    talk = Held("address already in use port 3000", "find a dance partner for Ines", "what was my last error")
    assert talk.answers[0].startswith("Found it: port already in use.")
    assert talk.answers[1].startswith("For Inês Duarte I would ask")
    assert talk.answers[2].startswith("No failed command is known")
    assert talk.tools == [("find_dance_partners", "done"), ("last_failed_command", "failed")]
    assert any(isinstance(event, ev.KbHit) for event in talk.events)


def test_a_role_without_the_right_is_not_offered_the_tool():
    talk = Held(
        "a tiramisu", "that's all", "yes", profile="restaurant", assistant={"role": "moderator", "mode": "global"}
    )
    assert talk.answers[-1] == "I may not send orders here."
    assert orders() == []


def test_a_profile_that_is_not_there_is_told_before_anything_begins():
    with pytest.raises(ConfigError) as caught:
        Held("x", profile="restorant")
    assert caught.value.hint.startswith("did you mean 'restaurant'?")


def test_text_for_the_model_is_put_into_the_instructions(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("The staging server is called heron.")
    settings = load(overrides={"talk": {"context": str(notes)}}).settings
    profile = equip(settings, BASE, lambda line: None).profile
    assert profile.instructions.endswith("notes.txt:\nThe staging server is called heron.")
    restaurant = equip(load(overrides={"talk": {"profile": "restaurant"}}).settings, BASE, lambda line: None)
    assert "margherita" in restaurant.profile.instructions
    assert "margherita" in restaurant.profile.words
    assert [tool.name for tool in restaurant.profile.tools] == ["update_order", "read_order", "read_menu", "send_order"]
