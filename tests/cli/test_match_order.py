"""The order of people in a file, and of what each of them lists, changes not one byte of an answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mrblue_cli.cli.match_options import Typed
from mrblue_cli.cli.match_run import run_match
from mrblue_cli.matcher import registry
from mrblue_cli.matcher.generate import people

LISTS = ("styles", "partners", "blocked", "availability")
MODES = [
    {},
    {"everybody": True, "top": 3},
    {"everybody": True, "top": 3, "diverse": True},
    {"everybody": True, "top": 3, "max_shown": 2},
    {"everybody": True, "missing": "drop", "strict": True, "weight": ["music=0.3", "age=0.2"]},
    {"everybody": True, "weight": ["wishes=0.5", "history=0.5", "preference=0.5"]},
    {"balance": True},
    {"explain": ("u01", "u02")},
    *({"pair": entry.name, "balance": True, "together": True} for entry in registry.family("pair")),
    {"pair": "blossom"},
    {"pair": "roommates", "weight": ["wishes=0.5"]},
    *({"rotate": 3, "method": entry.name, "balance": True, "together": True} for entry in registry.family("rot")),
    {"rotate": 3, "method": "vizing"},
]


def crowd():
    """Eighteen people, each third of them as a second one of another id; all have danced with three others."""
    ids = [f"u{number:02}" for number in range(18)]
    made = [{**person, "id": ids[number], "blocked": []} for number, person in enumerate(people(18, 4))]
    for number in range(0, 18, 3):
        made[number + 1] = {**made[number], "id": ids[number + 1], "partners": [ids[number]]}
        made[number]["partners"] = [ids[number + 1]]
    for number, person in enumerate(made):
        person["history"] = {ids[(number + step) % 18]: step for step in (1, 5, 7)}
        # What is said of a role that is not danced warns with its place in the file, which is another one each time.
        for role in ("leader", "follower"):
            if role not in person["roles"]:
                person.pop(f"{role}_level", None)
        if len(person["roles"]) == 1:
            person.pop("lead_share", None)
    return made


def mixed_up(crowd, seed):
    chance = np.random.default_rng(seed)

    def other_order(items):
        return [items[index] for index in chance.permutation(len(items)).tolist()]

    made = []
    for person in other_order(crowd):
        made.append({key: other_order(value) if key in LISTS else value for key, value in person.items()})
        made[-1]["history"] = dict(other_order(list(person["history"].items())))
    return made


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(str(value) for value in mode.values()) or "best")
def test_input_order_never_changes_output(mode, tmp_path, capsys):
    made = crowd()
    answers = []
    for people_in_order in (made, mixed_up(made, 1), mixed_up(made, 2)):
        source, target = tmp_path / "people.json", tmp_path / "answer.json"
        source.write_text(json.dumps(people_in_order))
        target.unlink(missing_ok=True)
        assert run_match(Typed(file=str(source), as_json=str(target), week="2026-03-30", **mode)) == 0
        answers.append(target.read_bytes())
    capsys.readouterr()
    assert answers[0] == answers[1] == answers[2]
    assert json.loads(answers[0])["users"] == 18
