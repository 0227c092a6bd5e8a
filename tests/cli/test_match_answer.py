"""How people, reasons and numbers are told, whatever the format."""

from __future__ import annotations

import csv
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.app.match import BEST, Searching, everyone
from mrblue_cli.app.match_floor import balanced, paired, rotated
from mrblue_cli.cli.match_answer import Answer, clean, many, reason_of, two
from mrblue_cli.cli.match_csv import harmless, lines
from mrblue_cli.cli.match_heat import MOST, heat_map
from mrblue_cli.cli.match_json import document, number, pair_of
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.cli.match_view import head, sheet, summary, tie_rule
from mrblue_cli.matcher.model import label_of
from tests.matches import both, case, follower, leader


def answer(users, mode=Mode.BEST, **parts):
    found = case(users)
    return Answer(case=found, mode=mode, top=5, **{name: make(found) for name, make in parts.items()})


def lists(found):
    return everyone(found, BEST, Searching())


KIM = [leader("l1", 5, name="Kim"), follower("f1", 5, name="Kim"), follower("f2", 4, name="Eva"), leader("l2", 3)]


def test_a_name_that_two_have_is_told_with_its_id():
    told = answer(KIM)
    rows = told.case.community.rows
    assert told.called(rows["l1"]) == "Kim (l1)"
    assert told.called(rows["f2"]) == "Eva"
    assert told.called(rows["l2"]) == "l2"
    assert told.full(rows["f2"]) == "Eva (f2)"
    assert told.full(rows["l2"]) == "l2"


def test_who_leads_is_told_by_name():
    told = answer([leader("l", 5, name="Leo"), both("b", 5, 5, name="Bo"), both("c", 5, 5, name="Cy"), leader("m")])
    rows = told.case.community.rows
    assert told.leader(told.case.pair(rows["l"], rows["b"])) == "Leo"
    assert told.leader(told.case.pair(rows["b"], rows["c"])) == "either"
    assert told.leader(told.case.pair(rows["l"], rows["m"])) == "nobody can"


def test_couples_come_by_the_name_of_who_leads():
    people = [leader("l1", 3, name="Zoe"), leader("l2", 6, name="adam"), follower("f1", 3), follower("f2", 6)]
    told = answer(people, Mode.PAIR, paired=lambda found: paired(found, "total"))
    assert [told.names(couple) for couple in told.couples(told.paired.dance)] == [("adam", "f2"), ("Zoe", "f1")]
    assert summary(told, told.paired.dance).startswith("2 pairs, total ")


def test_a_star_marks_two_who_may_swap():
    told = answer([both("a", 5, 5), both("b", 5, 5)], Mode.PAIR, paired=lambda found: paired(found, "blossom"))
    [couple] = told.paired.dance.couples
    assert told.names(couple) == ("a*", "b*")
    assert "*" not in summary(told, told.paired.dance)


def test_who_takes_which_role_tonight_is_told():
    people = [both("a", 5, 5, name="Ana"), both("b", 5, 5, name="Bea"), leader("l", 5), leader("m", 5)]
    told = answer(people, Mode.PAIR, balanced=balanced)
    assert told.tonight == "of those who dance both, Ana and Bea follow"
    one = answer([both("a", 5, 5, name="Ana"), follower("f", 5)], Mode.PAIR, balanced=balanced)
    assert one.tonight == "of those who dance both, Ana leads"
    assert answer(KIM, Mode.PAIR, balanced=balanced).tonight == ""
    assert answer(KIM).tonight == ""


def test_the_reason_does_not_repeat_the_column_of_leaders():
    found = case([leader("l", 5, name="Leo"), follower("f", 5), both("b", 5, 5), both("c", 5, 5)])
    rows = found.community.rows
    plain = reason_of(found.pair(rows["l"], rows["f"]))
    assert "Leo leads" not in plain
    assert "same level" in plain
    assert "both dance both roles" in reason_of(found.pair(rows["b"], rows["c"]))


def test_a_reason_reaches_no_terminal_unclean():
    found = case([leader("l", 5, name="Leo"), follower("f", 5)])
    assert reason_of(found.pair(0, 1)).isprintable()


@given(st.text())
def test_clean_text_is_one_printable_line(text):
    cleaned = clean(text)
    assert cleaned.isprintable() or cleaned == ""
    assert len(cleaned) == len(text)


@pytest.mark.parametrize(
    ("count", "what", "told"),
    [(0, "pair", "0 pairs"), (1, "pair", "1 pair"), (1, "person", "1 person"), (1234, "person", "1,234 people")],
)
def test_counts_are_told_in_words(count, what, told):
    assert many(count, what) == told


@given(st.floats(0, 100))
def test_a_number_is_printed_as_it_is_labelled(value):
    assert float(two(value)) == number(value) == round(value, 2)
    label = label_of(value, 1.0)
    assert label == ("excellent" if float(two(value)) > 80 else "good" if float(two(value)) > 60 else "fair")


def test_what_is_not_known_is_no_number():
    assert two(None) == "-"
    assert number(None) is None
    assert number(float("nan")) is None
    assert str(number(-0.0001)) == "0.0"


def test_the_tie_rule_is_told_once():
    assert tie_rule("") == "ties are settled by id, never by the order of the file"
    assert tie_rule("seven swans") == "seven swans; ties are settled by id, never by the order of the file"
    for note in ("ties by lot", "the smaller id first"):
        assert tie_rule(note) == note


def test_the_head_counts_and_names_the_week():
    assert head(answer(KIM)) == "4 people · free times as in the week of Monday 2026-03-30"


def test_a_dancers_evening():
    people = [both("a", 5, 5), both("b", 5, 5), follower("f", 5)]
    told = answer(people, Mode.ROTATE, rotated=lambda found: rotated(found, 2))
    evening = sheet(told)
    assert set(evening) == {0, 1, 2}
    for row, partners in evening.items():
        assert len(partners) == 2
        for number_, partner in enumerate(partners):
            dance = told.rotated.tandas[number_]
            assert (partner == "sits out") == (row in dance.sits_out)
            leads = [couple for couple in dance.couples if couple.leader == row]
            assert partner.endswith(" (lead)") == bool(leads)


@given(st.text(max_size=4))
def test_no_cell_is_a_formula(text):
    cell = harmless(text)
    assert cell[:1] not in set("=+-@\t\r")
    assert cell in {text, f"'{text}"}


def test_csv_of_many_comes_in_pieces_and_equals_the_whole():
    people = [leader(f"l{n:03}", 1 + n % 9) for n in range(200)] + [follower(f"f{n:03}", 1 + n % 7) for n in range(200)]
    found = case(people)
    told = Answer(case=found, mode=Mode.ALL, top=60, lists=everyone(found, 60, Searching()))
    pieces = list(lines(told))
    assert len(pieces) >= 3
    rows = list(csv.reader("".join(pieces).splitlines()))
    assert len(rows) == 1 + 400 * 60
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [row[1] for row in rows[1:]] == sorted(row[1] for row in rows[1:])


def test_json_of_everybody_comes_person_by_person():
    told = answer(KIM, Mode.ALL, lists=lists)
    pieces = list(document(told))
    assert len(pieces) > 4
    assert sum(piece.startswith((", \n", "\n")) for piece in pieces) >= 4


def test_a_pair_says_what_keeps_it_apart_only_when_something_does():
    found = case([leader("l", 5, blocked=frozenset({"f"})), follower("f", 5), follower("g", 5)])
    rows = found.community.rows
    assert "barred" in pair_of(found.pair(rows["l"], rows["f"]))
    assert "barred" not in pair_of(found.pair(rows["l"], rows["g"]))
    assert "barred" not in pair_of(found.pair(rows["f"], rows["g"]))


class Cells(HTMLParser):
    """Titles and classes of the cells of a heat map."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "td":
            self.found.append(dict(attrs))


def test_a_better_pair_is_never_paler():
    people = [leader(f"l{n}", n + 1) for n in range(6)] + [follower(f"f{n}", n + 1) for n in range(6)]
    told = answer(people, lists=lists)
    cells = [cell for cell in Cells("".join(heat_map(told))).found if "title" in cell]
    assert len(cells) == 36
    shades = sorted((float(cell["title"].rpartition(" ")[2]), int(cell["class"][1:])) for cell in cells)
    assert [shade for _, shade in shades] == sorted(shade for _, shade in shades)
    assert all(0 <= shade <= 20 for _, shade in shades)


@pytest.mark.parametrize("people", [[], [leader("l")], [follower("f")], [leader("l"), leader("m")]])
def test_without_both_roles_there_is_no_heat_map(people):
    assert list(heat_map(answer(people, lists=lists))) == []


def test_the_best_pairs_are_in_the_heat_map_of_many():
    people = [leader(f"l{n:03}", 1) for n in range(MOST + 20)] + [follower(f"f{n:03}", 9) for n in range(MOST + 20)]
    people += [leader("x", 5), follower("y", 5)]
    found = case(people)
    told = Answer(case=found, mode=Mode.BEST, top=5, lists=everyone(found, 5, Searching()))
    text = "".join(heat_map(told))
    assert "x + y: " in text
    assert text.count('scope="row"') == MOST
    by_pairing = Answer(case=found, mode=Mode.PAIR, top=5, paired=paired(found, "greedy"))
    assert "x + y: " in "".join(heat_map(by_pairing))


def test_who_dances_both_stands_on_both_sides_and_not_with_themself():
    told = answer([both("a", 5, 5), both("b", 5, 5)], lists=lists)
    cells = [cell.get("title", "") for cell in Cells("".join(heat_map(told))).found]
    assert [cell.partition(":")[0] for cell in cells if cell] == ["a + b", "b + a"]
    assert np.isclose(float(cells[-2].rpartition(" ")[2]), float(two(told.case.pair(0, 1).overall)))
