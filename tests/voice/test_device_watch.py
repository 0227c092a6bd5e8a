"""When a device counts as lost and when one is looked for, from times and counts alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrblue_cli.voice.device_watch import (
    BLIND_REFRESH_SECONDS,
    FIRST_BLOCK_SECONDS,
    MAX_DELAY_SECONDS,
    PAUSING_SPEAKER_SECONDS,
    SETTLING_SECONDS,
    STABLE_SECONDS,
    STAND_IN_SECONDS,
    UNCHANGED_PATIENCE_SECONDS,
    Back,
    DeviceWatch,
    Lost,
    Reading,
    Reopen,
    Side,
    StandIn,
)

MIC, SPEAKER = Side.MICROPHONE, Side.SPEAKER
TICK = 0.02


class Bench:
    """Two devices that deliver a block a tick while they work, and a watch that looks at them."""

    def __init__(self, *sides, now=0.0):
        self.watch = DeviceWatch()
        self.now = now
        self.blocks = dict.fromkeys(sides, 0)
        self.works = dict.fromkeys(sides, True)
        self.active = dict.fromkeys(sides, True)
        self.busy, self.changed = [], None
        self.told_elsewhere = []
        for side in sides:
            self.watch.opened(side, now)

    def run(self, seconds):
        """Acts with the time at which each was due."""
        acts = []
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            for side, works in self.works.items():
                self.blocks[side] += works
            readings = {side: Reading(count, self.active[side]) for side, count in self.blocks.items()}
            found = self.watch.look(self.now, readings, busy=self.busy, changed=self.changed)
            acts += [(round(self.now, 2), act) for act in found]
            if any(isinstance(act, Reopen) for act in found):
                self.on_reopen(next(act for act in found if isinstance(act, Reopen)))
        return acts

    def on_reopen(self, act):
        """Nothing can be opened, and what worked is opened again."""
        if act.refresh:
            self.watch.refreshed(self.now)
        for side in act.sides:
            if self.works[side]:
                self.watch.opened(side, self.now, self.blocks[side])
            else:
                # One that worked until it was closed for a better one: whoever closed it tells.
                self.told_elsewhere += [] if self.watch.away(side) else [side]
                self.watch.failed(side, self.now)


def test_an_output_may_pause_while_the_system_still_has_it():
    bench = Bench(SPEAKER)
    bench.changed = False
    bench.run(SETTLING_SECONDS + 1)
    bench.works[SPEAKER] = False
    assert times(bench.run(PAUSING_SPEAKER_SECONDS - 0.1), Lost) == []
    bench.works[SPEAKER] = True
    assert bench.run(1) == []
    bench.works[SPEAKER] = False
    assert len(times(bench.run(PAUSING_SPEAKER_SECONDS + 0.1), Lost)) == 1


def test_a_microphone_that_works_is_left_alone_while_nothing_changed():
    bench = Bench(MIC, SPEAKER)
    bench.changed = False
    bench.run(SETTLING_SECONDS + 1)
    bench.works[SPEAKER] = False
    acts = bench.run(PAUSING_SPEAKER_SECONDS + UNCHANGED_PATIENCE_SECONDS - 0.5)
    assert [act.refresh for _, act in acts if isinstance(act, Reopen)].count(True) == 0
    assert any(isinstance(act, Reopen) for _, act in acts)
    later = bench.run(UNCHANGED_PATIENCE_SECONDS + MAX_DELAY_SECONDS)
    assert any(isinstance(act, Reopen) and act.refresh for _, act in later)


def times(acts, kind):
    return [time for time, act in acts if isinstance(act, kind)]


def test_devices_that_deliver_need_nothing():
    assert Bench(MIC, SPEAKER).run(60) == []


@pytest.mark.parametrize("side", [MIC, SPEAKER])
def test_a_second_of_nothing_is_a_loss_and_it_is_looked_for_at_once(side):
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[side] = False
    acts = bench.run(1.1)
    assert [act for _, act in acts] == [Lost(side), Reopen(frozenset(Side), refresh=True)]
    assert acts[0][0] == pytest.approx(11.0, abs=0.05)


def test_a_stream_that_says_it_ended_is_lost_at_once():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[MIC] = bench.active[MIC] = False
    assert times(bench.run(1), Lost) == [10.02]


def test_the_first_block_may_take_long_and_so_may_the_second():
    bench = Bench(MIC)
    bench.works[MIC] = False
    assert bench.run(FIRST_BLOCK_SECONDS - 0.1) == []
    bench.works[MIC] = True
    bench.run(0.1)
    bench.works[MIC] = False
    assert bench.run(SETTLING_SECONDS - 0.2) == []
    assert times(bench.run(0.5), Lost) != []


def test_one_that_never_begins_is_lost():
    bench = Bench(MIC)
    bench.works[MIC] = False
    assert times(bench.run(6), Lost) == [pytest.approx(FIRST_BLOCK_SECONDS, abs=0.05)]


def test_a_machine_that_slept_lost_nothing():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.now += 3600
    assert bench.run(5) == []


def test_tries_come_after_half_a_second_and_then_ever_more_seldom_for_ever():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works = dict.fromkeys(bench.works, False)
    acts = bench.run(120)
    tries = times(acts, Reopen)
    gaps = [round(after - before, 1) for before, after in pairwise(tries)]
    assert gaps[:4] == [0.5, 1.0, 2.0, 4.0]
    assert set(gaps[4:]) == {MAX_DELAY_SECONDS}
    assert tries[-1] > 120
    assert len(times(acts, Lost)) == 2
    assert all(act.refresh for _, act in acts if isinstance(act, Reopen))


def test_a_reply_waits_two_seconds_for_a_speaker():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[SPEAKER] = False
    acts = bench.run(20)
    (lost,), (stand_in,) = times(acts, Lost), times(acts, StandIn)
    assert stand_in - lost == pytest.approx(STAND_IN_SECONDS, abs=0.05)


def test_what_comes_back_is_told_once_and_only_when_it_delivers():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[SPEAKER] = False
    bench.run(3)
    bench.watch.opened(SPEAKER, bench.now, bench.blocks[SPEAKER])
    assert times(bench.run(1), Back) == []
    bench.works[SPEAKER] = True
    assert [act for _, act in bench.run(10)] == [Back(SPEAKER)]


def test_a_side_that_is_used_is_not_disturbed_for_the_other():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[MIC], bench.busy = False, [SPEAKER]
    acts = [act for _, act in bench.run(30) if isinstance(act, Reopen)]
    assert acts
    assert set(acts) == {Reopen(frozenset([MIC]), refresh=False)}
    bench.busy = []
    assert Reopen(frozenset(Side), refresh=True) in [act for _, act in bench.run(6)]


def test_without_news_a_working_side_is_disturbed_seldom_and_with_news_at_once():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.works[MIC] = False
    whole = [time for time, act in bench.run(100) if isinstance(act, Reopen) and act.refresh]
    assert all(after - before >= BLIND_REFRESH_SECONDS for before, after in pairwise(whole))
    bench.changed = False
    assert [act for _, act in bench.run(30) if isinstance(act, Reopen) and act.refresh] == []
    bench.changed = True
    assert any(isinstance(act, Reopen) and act.refresh for _, act in bench.run(MAX_DELAY_SECONDS + 0.1))


def test_one_that_flaps_has_to_wait():
    bench = Bench(MIC)
    bench.run(STABLE_SECONDS / 2)
    bench.works[MIC] = bench.active[MIC] = False
    acts = bench.run(1)
    assert times(acts, Reopen)[0] - times(acts, Lost)[0] >= 0.5


def test_a_wish_waits_for_quiet_unless_a_speaker_can_be_changed_alone():
    bench = Bench(MIC, SPEAKER)
    bench.run(10)
    bench.busy = [MIC, SPEAKER]
    bench.watch.wish(MIC, refresh=False)
    assert bench.run(1) == []
    bench.watch.wish(SPEAKER, refresh=False)
    assert [act for _, act in bench.run(1)] == [Reopen(frozenset([SPEAKER]), refresh=False)]
    bench.watch.wish(SPEAKER, refresh=True)
    assert bench.run(1) == []
    bench.busy = []
    assert [act for _, act in bench.run(1)] == [Reopen(frozenset(Side), refresh=True)]
    assert bench.run(5) == []


def test_what_failed_for_good_is_left_alone():
    bench = Bench(SPEAKER)
    bench.watch.failed(MIC, 0.0, final=True)
    assert bench.run(60) == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["mic", "speaker", "busy", "changed", "wish"]), st.integers(1, 150)), max_size=12
    )
)
def test_whatever_happens_losses_and_returns_alternate_and_every_loss_is_tried(steps):
    bench = Bench(MIC, SPEAKER)
    acts = []
    for what, ticks in steps:
        match what:
            case "mic":
                bench.works[MIC] = not bench.works[MIC]
            case "speaker":
                bench.works[SPEAKER] = not bench.works[SPEAKER]
            case "busy":
                bench.busy = [] if bench.busy else [SPEAKER]
            case "changed":
                bench.changed = {None: True, True: False, False: None}[bench.changed]
            case "wish":
                bench.watch.wish(MIC, refresh=ticks % 2 == 0)
        acts += bench.run(ticks * TICK)
    bench.busy, bench.works = [], dict.fromkeys(bench.works, True)
    acts += bench.run(30)
    for side in Side:
        told = [type(act) for _, act in acts if isinstance(act, Back) and act.side is side]
        lost = [act for _, act in acts if isinstance(act, Lost) and act.side is side and not act.told]
        assert len(told) == len(lost) + bench.told_elsewhere.count(side)
        assert not bench.watch.away(side)
    assert all(act.sides for _, act in acts if isinstance(act, Reopen))
