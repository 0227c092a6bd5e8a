"""Every entry of the catalogue can be asked for by name, and its answer is whole in each format."""

from __future__ import annotations

import json

import pytest

from mrblue_cli.matcher import registry
from mrblue_cli.matcher.recipe import SLOTS
from tests.cli.test_match_formats import check_pair

CHOICES = [
    (f"--{slot}", entry.name)
    for slot, spec in SLOTS.items()
    if slot not in {"role", "wishes"}
    for family in spec.families
    for entry in registry.family(family)
]
WAYS = [("--aggregate", entry.name) for entry in registry.family("agg")]
WAYS += [("--fuse", entry.name) for entry in registry.family("two")]


@pytest.mark.parametrize(("option", "name"), CHOICES, ids=str)
def test_each_criterion(match, option, name):
    slot = option.removeprefix("--")
    done = match("--sample", "--for", "ines", "--top", 3, option, name, "--weight", f"{slot}=0.3", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["matches"]) == 3
    for pair in document["matches"]:
        check_pair(pair)
        assert pair["breakdown"][slot]["weight"] > 0
    assert any(pair["breakdown"][slot]["known"] for pair in document["matches"])


@pytest.mark.parametrize(("option", "name"), WAYS, ids=str)
def test_each_way_to_add_up(match, option, name):
    done = match("--sample", "--for", "ines", "--weight", "wishes=0.2", option, name, "--json")
    assert done.returncode == 0, done.stderr
    for pair in json.loads(done.stdout)["matches"]:
        assert 0 <= pair["overall"] <= 100
    assert match("--sample", "--pair", "total", "--balance", option, name).returncode == 0
    assert match("--sample", "--csv", option, name).returncode == 0


@pytest.mark.parametrize("name", [entry.name for entry in registry.family("pair")])
def test_each_pairing(match, name):
    done = match("--sample", "--pair", name, "--balance", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["method"] == name
    dancing = [identity for pair in document["pairs"] for identity in (pair["a"], pair["b"])]
    assert len(dancing) == len(set(dancing))
    assert len(dancing) + len(document["sits_out"]) == document["users"]
    shown = match("--sample", "--pair", name, "--balance", "--together")
    assert [line.split()[2:6] for line in shown.stdout.splitlines() if "couple;" in line] == [
        ["João", "Pires", "Marta", "Kowalska"],
        ["Paul", "Wendt", "Inês", "Duarte"],
    ]
    assert f"Pairs by {name}" in shown.stdout
    small_print = shown.stdout[shown.stdout.index("sits out") :]
    assert "smaller id" in small_print or "settled by id" in small_print


@pytest.mark.parametrize("name", [entry.name for entry in registry.family("rot")])
def test_each_rotation(match, name):
    done = match("--sample", "--rotate", 4, "--method", name, "--balance", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["method"] == name
    assert len(document["tandas"]) == 4
    met = [frozenset((pair["a"], pair["b"])) for tanda in document["tandas"] for pair in tanda["pairs"]]
    assert len(met) == len(set(met))
    assert "For each dancer" in match("--sample", "--rotate", 4, "--method", name, "--balance", "--html").stdout
