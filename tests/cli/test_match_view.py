"""The tables of `mrblue match`, read as a person reads them."""

from __future__ import annotations

import io

import pytest

from mrblue_cli.app.match import BEST, How, Searching, case_of, everyone, explained, one
from mrblue_cli.app.match_files import Loaded, Skipped
from mrblue_cli.app.match_floor import balanced, paired, rotated
from mrblue_cli.cli.match_answer import HONESTY, Answer
from mrblue_cli.cli.match_html import page
from mrblue_cli.cli.match_options import Mode
from mrblue_cli.cli.match_view import SHOWN_FIRST, SHOWN_WHOLE, show
from mrblue_cli.matcher.compiled import Community
from tests.matches import WEEK, both, case, follower, leader

FLOOR = [
    leader("l1", 3, name="Leo"), leader("l2", 6, name="Lia"), both("b", 5, 5, name="Bo"),
    follower("f1", 3, name="Fay"), follower("f2", 6, name="Fee"), follower("f3", 8, name="Flo"),
]  # fmt: skip


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self):
        return True


def shown(answer, out=None):
    out = out or io.StringIO()
    show(answer, out)
    return out.getvalue()


def best(users, top=5):
    found = case(users)
    return Answer(case=found, mode=Mode.BEST, top=top, lists=everyone(found, max(top, BEST), Searching()))


def test_honesty_comes_first_in_every_mode():
    found = case(FLOOR)
    parts = {
        Mode.BEST: {"lists": everyone(found, 5, Searching())},
        Mode.ALL: {"lists": everyone(found, 5, Searching())},
        Mode.ONE: {"lists": one(found, "b", 5, Searching())},
        Mode.PAIR: {"paired": paired(found, "greedy")},
        Mode.ROTATE: {"rotated": rotated(found, 2)},
        Mode.BALANCE: {"balanced": balanced(found)},
        Mode.EXPLAIN: {"pair": explained(found, "l1", "f1")},
    }
    assert set(parts) == set(Mode)
    for mode, part in parts.items():
        answer = Answer(case=found, mode=mode, top=5, **part)
        words = " ".join(shown(answer).split())
        assert words.startswith(HONESTY)
        assert "6 people" in words
        html = "".join(page(answer))
        assert html.index("not chemistry") < html.index("6 people")


def test_no_line_is_wider_than_the_page_and_a_long_name_is_folded():
    people = [leader("l", 5, name="N" * 200), follower("f", 5, name="M" * 90)]
    for line in shown(best(people)).splitlines():
        assert len(line) <= 120


def test_colours_go_to_a_terminal_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    answer = best(FLOOR)
    coloured = shown(answer, Terminal())
    assert "\x1b[" in coloured
    assert "\x1b" not in shown(answer)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(answer, Terminal())


def test_labels_are_words_beside_the_number():
    text = shown(best(FLOOR))
    for line in text.splitlines():
        if line[:1].isdigit() and "." in line[:6]:
            score = float(line.split()[0])
            word = "not" if "not enough data" in line else line.split()[1]
            assert word in {"not", "excellent" if score > 80 else "good" if score > 60 else "fair"}


@pytest.mark.parametrize(("count", "lists"), [(SHOWN_WHOLE, SHOWN_WHOLE), (SHOWN_WHOLE + 1, SHOWN_FIRST)])
def test_up_to_sixty_everybody_is_shown(count, lists):
    people = [leader(f"p{n:02}") if n % 2 else follower(f"p{n:02}") for n in range(count)]
    text = shown(best(people, top=1))
    assert text.count("\nFor ") == lists
    assert ("more people" in text) == (count > SHOWN_WHOLE)


def test_the_table_has_ten_best_pairs_and_lists_of_the_length_asked_for():
    people = [leader(f"l{n}", n) for n in range(1, 9)] + [follower(f"f{n}", n) for n in range(1, 9)]
    text = shown(best(people, top=2))
    first, *rest = text.split("\nFor ")
    assert sum(line[:1].isdigit() and " + " in line for line in first.splitlines()) == BEST
    for part in rest:
        assert sum(line[:1].isdigit() for line in part.splitlines()) == 2


def test_nobody_to_dance_with_is_said():
    assert "Nobody here can dance with anybody" in shown(best([leader("l"), leader("m")]))
    text = shown(best([leader("l", 5), follower("f", 5), follower("g", 5, blocked=frozenset({"l"}))]))
    assert "nobody here can dance with them" in text


def test_why_there_is_no_pair_is_said_as_it_is():
    assert "There is nobody who takes part." in shown(best([]))
    assert "One person alone" in shown(best([leader("l")]))
    found = case([leader("l"), leader("m")])
    result = rotated(found, 3)
    text = shown(Answer(case=result.case, mode=Mode.ROTATE, top=5, rotated=result))
    assert "Nobody here can dance with anybody" in text
    assert "0 tandas" not in text


def test_of_two_who_said_only_their_roles_the_unknown_is_told():
    text = shown(best([leader("l"), follower("f")]))
    assert "level, location, style and schedule not known" in text
    assert "little else does" not in text


def test_a_practica_has_its_sums_and_who_sits_out():
    found = case(FLOOR)
    result = paired(found, "total", fix_roles=True)
    text = shown(Answer(case=result.case, mode=Mode.PAIR, top=5, paired=result, balanced=result.balanced))
    assert f"total {result.dance.total:.2f}, mean {result.dance.mean:.2f}, worst " in text
    assert "nobody sits out" in text
    assert "of those who dance both, Bo leads" in text
    short = case(FLOOR[:2])
    nothing = shown(Answer(case=short, mode=Mode.PAIR, top=5, paired=paired(short, "total")))
    assert "no pair. Nobody here can dance with anybody" in nothing
    assert "sits out: Leo, Lia" in nothing


def test_a_couple_is_called_one_and_dances_all_evening():
    people = [*FLOOR[:2], *FLOOR[3:5], leader("p", 5, partners=("q",)), follower("q", 5, partners=("p",))]
    found = case(people)
    result = paired(found, "total", together=True)
    text = shown(Answer(case=found, mode=Mode.PAIR, top=5, paired=result))
    assert text.count("couple; ") == 1
    turns = rotated(found, 2, together=True)
    text = shown(Answer(case=found, mode=Mode.ROTATE, top=5, rotated=turns))
    assert "q, all evening" in text
    assert "p, all evening" in text
    assert text.count("\nTanda ") == 2


def test_roles_for_tonight():
    found = case(FLOOR)
    text = shown(Answer(case=found, mode=Mode.BALANCE, top=5, balanced=balanced(found)))
    assert "Bo (b)" in text
    assert "3 leaders, 3 followers in all" in text
    settled = case(FLOOR[:2])
    text = shown(Answer(case=settled, mode=Mode.BALANCE, top=5, balanced=balanced(settled)))
    assert "Nobody dances both roles" in text
    assert "Nobody dances both roles" in "".join(
        page(Answer(case=settled, mode=Mode.BALANCE, top=5, balanced=balanced(settled)))
    )


def test_points_add_up_in_what_is_shown():
    found = case(FLOOR)
    pair = explained(found, "l1", "f2")
    text = shown(Answer(case=found, mode=Mode.EXPLAIN, top=5, pair=pair))
    [overall] = [line.split() for line in text.splitlines() if line.startswith("overall")]
    assert overall == ["overall", f"{pair.overall:.2f}", f"{pair.overall:.2f}"]
    for slot in pair.breakdown:
        assert any(line.startswith(f"{slot} ") for line in text.splitlines())


def test_many_left_out_are_not_all_named_in_the_table():

    gone = tuple(Skipped(f"z{n}", "not active") for n in range(8))
    found = case_of(Loaded(Community(FLOOR), gone, (), WEEK), How())
    answer = Answer(case=found, mode=Mode.ONE, top=1, lists=one(found, "b", 1, Searching()))
    text = shown(answer)
    assert text.count("left out: z") == 5
    assert "left out: 3 more" in text
    assert "".join(page(answer)).count("<li>left out: z") == 8
