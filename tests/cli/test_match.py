"""`mrblue match` from outside: modes, options, what excludes what, exit codes, tables."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from mrblue_cli.cli.match import with_values
from mrblue_cli.cli.match_options import Mode, Typed, mode_of, weights_of
from mrblue_cli.core.errors import UsageError
from tests.cli.test_commands import complaint, mrblue
from tests.matches import PEOPLE, USERS, file_of, person


@pytest.fixture
def users(tmp_path):
    return file_of(tmp_path)


def test_no_file_is_short_help_with_three_examples(match):
    done = match()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("  mrblue match ") == 3
    assert "--help" in done.stderr


def test_help_tells_every_option_and_the_commands_around_it(match):
    done = match("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: mrblue match [OPTIONS] FILE")
    for word in ("--for", "--rotate", "--explain", "--html", "algorithms", "schema", "generate", "not chemistry"):
        assert word in done.stdout
    for word in ("algorithms", "schema", "generate"):
        assert f"match {word}" in match(word, "--help").stdout.splitlines()[0]


def test_the_default_table(match, users):
    done = match(users)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("The score says how well stated facts fit, not chemistry")
    assert f"{USERS} people · 1 left out · free times as in the week of Monday" in done.stdout
    assert "left out: zoe: " in done.stdout
    assert "The best pairs" in done.stdout
    assert [line for line in lines if line.startswith("For ")] == [
        "For @SUM(A1) (=1+1)", "For Ana (ana)", "For Ben (ben)", "For Cleo (cleo)", "For Dan (dan)", "For Eva (eva)",
        "For Leo (leo)", "For <script>alert('x')</script> (mia)",
    ]  # fmt: skip
    assert "\x1b" not in done.stdout


def rows_for(text, heading):
    """The lines of one table."""
    lines = text.splitlines()
    start = lines.index(heading) + 3
    end = next((at for at in range(start, len(lines)) if not lines[at].strip()), len(lines))
    return [line for line in lines[start:end] if line[:1].isdigit()]


def test_top_says_how_many_each(match, users):
    whole = match(users).stdout
    assert len(rows_for(whole, "For Ben (ben)")) == 5
    assert len(rows_for(match(users, "--top", 2).stdout, "For Ben (ben)")) == 2
    best = [line.split()[:3] for line in rows_for(whole, "For Ben (ben)")[:2]]
    alone = rows_for(match(users, "--for", "ben", "--top", 2).stdout, "For Ben (ben)")
    assert [line.split()[:3] for line in alone] == best


def test_a_large_community_shows_the_first_and_says_how_to_get_all(match, tmp_path):
    crowd = [person(f"p{n:03}", ["leader" if n % 2 else "follower"], name=f"P{n}") for n in range(70)]
    path = file_of(tmp_path, crowd)
    done = match(path)
    assert done.stdout.count("\nFor ") == 10
    assert "and 60 more people. Everybody: --all" in done.stdout
    everybody = match(path, "--all", "--top", 1)
    assert everybody.stdout.count("\nFor ") == 70
    assert "The best pairs" not in everybody.stdout


@pytest.mark.parametrize("mode", [[], ["--all"], ["--pair", "total", "--balance"], ["--for", "ana"]], ids=str)
@pytest.mark.parametrize("layout", [[], ["--json"], ["--csv"], ["--html"]], ids=str)
def test_the_order_of_the_file_never_shows(match, tmp_path, mode, layout):
    shuffled = PEOPLE[:]
    random.Random(7).shuffle(shuffled)
    assert shuffled != PEOPLE
    one, other = (file_of(tmp_path, people, name) for people, name in ((PEOPLE, "a.json"), (shuffled, "b.json")))
    answers = [match(path, *mode, *layout) for path in (one, other)]
    assert answers[0].returncode == 0
    assert answers[0].stdout == answers[1].stdout


def test_two_who_share_a_name_are_told_apart(match, tmp_path):
    twins = [person("l1", ["leader"], name="Kim"), person("f1", ["follower"], name="Kim")]
    assert "Kim (f1) + Kim (l1)" in match(file_of(tmp_path, twins)).stdout


def test_nothing_in_a_name_reaches_the_terminal(match, tmp_path):
    people = [person("l1", ["leader"], name="L\u202eeo"), person("f1", ["follower"], name="[red]Eva[/]")]
    done = match(file_of(tmp_path, people))
    assert "\u202e" not in done.stdout
    assert "[red]Eva[/]" in done.stdout


def test_a_list_that_others_emptied_does_not_say_that_nobody_fits(match, tmp_path):
    people = [person("l", ["leader"]), person("f", ["follower"]), person("g", ["follower"])]
    evened = match(file_of(tmp_path, people), "--all", "--max-shown", "1").stdout
    assert "For g\nnobody is left for them: whoever fits stands in 1 list of others already" in evened
    assert "nobody here can dance" not in evened


@pytest.mark.parametrize("people", [[], PEOPLE[:1]], ids=["nobody", "one"])
@pytest.mark.parametrize("mode", [[], ["--all"], ["--pair", "total"], ["--rotate", "3"], ["--balance"]], ids=str)
def test_too_few_people_are_an_empty_result(match, tmp_path, people, mode):
    path = file_of(tmp_path, people)
    for layout in ([], ["--json"], ["--csv"], ["--html"]):
        done = match(path, *mode, *layout)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_explain_says_everything_also_of_two_who_cannot(match, users):
    done = match(users, "--explain", "leo", "ana")
    assert "Ana (ana) + Leo (leo)" in done.stdout
    for word in ("role", "level", "location", "style", "schedule", "music", "overall", "leads: Leo", "? is not known"):
        assert word in done.stdout
    never = match(users, "--explain", "ben", "leo")
    assert never.returncode == 0
    assert "never paired: neither can lead the other" in never.stdout
    assert "nobody can" in never.stdout
    barred = match(users, "--explain", "dan", "leo")
    assert "never paired: one of the two asked not to be paired" in barred.stdout
    wishes = match(users, "--explain", "eva", "leo", "--weight", "wishes=0.2")
    assert "Eva about Leo" in wishes.stdout
    assert "Leo about Eva" in wishes.stdout
    assert "? is not known and counts 50" in match(users, "--explain", "leo", "mia").stdout
    assert "? is not known\n" in match(users, "--explain", "leo", "ana").stdout  # only what has no weight
    dropped = match(users, "--explain", "leo", "mia", "--missing", "drop")
    assert "is left out (--missing drop)" in dropped.stdout


def test_options_of_the_score_change_the_score(match, users):
    def overall(*options):
        [line] = [x for x in match(users, "--explain", "ana", "leo", *options).stdout.splitlines() if " · leads" in x]
        return line.split()[0]

    plain = overall()
    assert overall("--weight", "role=0", "--weight", "level=1") != plain
    assert overall("--session-minutes", "600") != plain
    assert overall("--missing", "drop") == plain  # all that weighs is known
    assert overall("--level", "level.linear") != plain
    assert overall("--style", "set.dice", "--schedule", "time.enough", "--location", "geo.half") == plain
    assert overall("--aggregate", "agg.min") != plain


def test_a_weight_of_zero_is_warned_about_on_stderr(match, users):
    done = match(users, "--for", "ana", "--music", "set.jaccard")
    assert done.returncode == 0
    assert "mrblue: music has weight 0" in done.stderr
    assert "music" not in match(users, "--for", "ana", "--music", "set.jaccard", "--weight", "music=0.1").stderr


def test_lists_may_be_shaped(match, users):
    plain = match("--sample", "--for", "nina", "--csv").stdout
    varied = match("--sample", "--for", "nina", "--diverse", "--csv").stdout
    assert plain.splitlines()[:2] == varied.splitlines()[:2]
    assert plain != varied
    shown = [
        line.split(",")[3] for line in match("--sample", "--all", "--max-shown", 2, "--csv").stdout.splitlines()[1:]
    ]
    assert max(shown.count(name) for name in shown) == 2
    assert "The best pairs" in match(users, "--max-shown", 1).stdout
    assert match(users, "--all", "--diverse", "--top", 2).returncode == 0
    assert match(users, "--all", "--workers", 1, "--engine", "local").returncode == 0


def test_strict_wishes_exclude(match, users):
    assert "Leo" in match(users, "--for", "eva").stdout
    assert "Leo" not in match(users, "--for", "eva", "--strict").stdout


def test_the_week_is_the_coming_monday_or_the_one_named(match, users):
    assert "the week of Monday 2026-03-30" in match(users, "--for", "ana", "--week", "2026-04-02").stdout
    complaints = match(users, "--week", "tomorrow")
    assert (complaints.returncode, "--week tomorrow is not a date" in complaints.stderr) == (2, True)


def test_the_zone_is_checked(match, users):
    assert match(users, "--for", "ana", "--zone", "Europe/Berlin").returncode == 0
    assert match(users, "--for", "ana", "--zone", "Europe/Berlim").returncode == 2


REFUSED = [
    (["--for", "ana", "--all"], "--for and --all exclude each other"),
    (["--pair", "total", "--rotate", "2"], "--pair and --rotate exclude"),
    (["--explain", "ana", "leo", "--for", "ana"], "--for and --explain exclude"),
    (["--balance", "--for", "ana"], "--balance and --for exclude"),
    (["--balance", "--all"], "--balance and --all exclude"),
    (["--pair", "total", "--top", "3"], "--top has no effect here"),
    (["--explain", "ana", "leo", "--top", "3"], "--top has no effect here"),
    (["--balance", "--seed", "0"], "--seed has no effect here"),
    (["--for", "ana", "--max-shown", "3"], "--max-shown has no effect here"),
    (["--for", "ana", "--engine", "ray"], "--engine has no effect here"),
    (["--pair", "total", "--workers", "2"], "--workers has no effect here"),
    (["--explain", "ana", "leo", "--resume"], "--resume has no effect here"),
    (["--together"], "--together has no effect here"),
    (["--method", "exact"], "--method has no effect here"),
    (["--rotate", "2", "--proposes", "leader"], "--proposes has no effect here"),
    (["--pair", "total", "--proposes", "leader"], "--proposes has no effect with --pair total"),
    (["--all", "--ray-address", "auto"], "--ray-address has no effect without Ray"),
    (["--diverse", "--max-shown", "3"], "--diverse and --max-shown exclude"),
    (["--engine", "spark"], "--engine: there is no 'spark'"),
    (["--missing", "zero"], "--missing: there is no 'zero'"),
    (["--pair", "stable", "--proposes", "both"], "--proposes: there is no 'both'"),
    (["--session-minutes", "0"], "--session-minutes is 0"),
    (["--session-minutes", "nan"], "--session-minutes is nan"),
    (["--weight", "music"], "--weight music is not NAME=NUMBER"),
    (["--weight", "music=lots"], "--weight music=lots is not NAME=NUMBER"),
    (["--weight", "music=inf"], "--weight music=inf is not"),
    (["--weight", "music=1", "--weight", "music=2"], "--weight music is given twice"),
    (["--weight", "musik=1"], "there is no criterion 'musik'"),
    (["--weight", "music=-1"], "the weight of music is -1"),
    (["--level", "level.gaus"], "there is no algorithm named 'level.gaus'"),
    (["--level", "geo.half"], "geo.half cannot fill level"),
    (["--fuse", "two.tango"], "two.tango"),
    (["--aggregate", "agg.tango"], "agg.tango"),
    (["--pair", "totl"], "there is no method of pairing named 'totl'"),
    (["--rotate", "2", "--method", "circus"], "there is no method of rotation named 'circus'"),
    (["--for", "anna"], "there is nobody with the id 'anna'"),
    (["--for", "zoe"], "'zoe' was left out"),
    (["--explain", "ana", "ana"], "'ana' is asked for twice"),
    (["--explain", "ana", "nobody"], "there is nobody with the id 'nobody'"),
    (["--top", "0"], "greater than or equal to 1"),
    (["--rotate", "0"], "greater than or equal to 1"),
    (["--sample"], "--sample and a file exclude each other"),
    (["--tango"], "No such option: --tango"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_what_makes_no_sense_is_refused_and_writes_nothing(match, users, options, words):
    page = users.parent / "page.html"
    done = match(users, *options, "--html", page)
    assert words in complaint(done, 2)
    assert done.stdout == ""
    assert [path.name for path in users.parent.iterdir()] == ["users.json"]


def test_the_nearest_ids_are_named(match, users):
    assert "ana" in match(users, "--for", "anna").stderr.splitlines()[-1]


def test_every_field_that_only_some_modes_use_is_guarded():
    for mode, there in (("only_for", "ana"), ("everybody", True), ("pair", "total"), ("rotate", 3)):
        assert mode_of(Typed(**{mode: there})) in Mode
    assert mode_of(Typed()) is Mode.BEST
    assert mode_of(Typed(balance=True)) is Mode.BALANCE
    assert mode_of(Typed(balance=True, pair="total")) is Mode.PAIR
    assert mode_of(Typed(pair="total", seed=0)) is Mode.PAIR
    with pytest.raises(UsageError):
        mode_of(Typed(seed=0))


def test_weights_are_read_as_numbers():
    assert weights_of(["music=0.1", "age=2"]) == {"music": 0.1, "age": 2.0}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["u.json", "--json"], ["u.json", "--json="]),
        (["--json", "u.json"], ["--json=u.json"]),
        (["u.json", "--json", "--top", "3"], ["u.json", "--json=", "--top", "3"]),
        (["--json", "-"], ["--json=-"]),
        (["--json=o.json", "u.json"], ["--json=o.json", "u.json"]),
        (["u.json", "--html", "p.html", "--csv"], ["u.json", "--html=p.html", "--csv="]),
        (["--top", "3", "--", "--json", "x"], ["--top", "3", "--", "--json", "x"]),
    ],
)
def test_a_format_takes_what_follows_it(typed, read):
    assert with_values(typed) == read


def test_an_unreadable_file_is_one_error_with_its_path(match, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('[{"id": "a", "roles": ["leader"], "leader_level": 11}]', encoding="utf-8")
    done = match(path)
    assert done.returncode == 2
    assert "users[0].leader_level" in done.stderr
    assert "Traceback" not in done.stderr
    assert match(tmp_path / "none.json").returncode == 2


def test_a_file_that_is_called_like_a_command(match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path, name="schema")
    assert "The best pairs" in match("./schema").stdout
    assert match("schema").stdout.lstrip().startswith("{")
    file_of(tmp_path, name="run")
    assert "The best pairs" in match("run").stdout


def test_a_pipe_is_read(users):
    text = users.read_text(encoding="utf-8")
    plain = mrblue("match", str(users), "--json").stdout
    assert mrblue("match", "-", "--json", stdin=text).stdout == plain
    assert mrblue("match", "--json", "-", stdin=text).stdout == plain


def test_the_sample_is_there(match):
    done = match("--sample")
    assert done.returncode == 0
    assert "The best pairs" in done.stdout


HEAVY = ("numpy", "msgspec", "rich", "scipy", "rustworkx", "numba", "mrblue_cli.matcher")


@pytest.mark.parametrize("args", [["match", "--help"], ["match"], ["--help"], ["match", "generate", "--help"]], ids=str)
def test_help_loads_nothing_heavy(args):
    code = (
        "import sys; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli.entry import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    assert out.stdout.strip().splitlines()[-1] == "HEAVY []"


def test_a_small_community_loads_no_compiler(users):
    code = (
        "import sys; sys.argv = ['mrblue', *sys.argv[1:]]\n"
        "from mrblue_cli.cli.entry import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('HEAVY', [name for name in ('numba', 'scipy', 'rustworkx', 'textual') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, "match", users], capture_output=True, text=True, check=True)
    assert out.stdout.strip().splitlines()[-1] == "HEAVY []"


def test_a_reader_who_leaves_is_no_error(users):
    reader = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    done = subprocess.run(
        [sys.executable, "-m", "mrblue_cli", "match", users, "--all", "--csv"],
        stdout=reader.stdin,
        stderr=subprocess.PIPE,
        check=False,
    )
    reader.communicate()
    assert (done.returncode, done.stderr) == (0, b"")
