"""The cache as the pipeline sees it: what hits, what misses, and the reason it gives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mrblue_cli.core.errors import MissingPart
from mrblue_cli.gateway.cache import semantic
from mrblue_cli.gateway.cache.service import Cache, Lookup, Ticket
from mrblue_cli.gateway.model import Surface
from mrblue_cli.gateway.options import CacheOptions
from tests.gateway.cache.fakes import START, FakeChoice, FakeClock, FakeVerdict, WordEmbedder, answer, chat, choose


class Rig:
    """A cache with everything it needs in reach."""

    def __init__(self, *, embedder: bool = True, chance: float = 0.5, **options: Any) -> None:
        self.clock = FakeClock()
        self.embedder = WordEmbedder()
        self.warnings: list[str] = []
        self.cache = Cache(
            CacheOptions(similarity_threshold=0.8, **options),
            embedder=self.embedder if embedder else None,
            choose=choose if embedder else None,
            wall=self.clock.wall,
            chance=lambda: chance,
            warn=self.warnings.append,
        )

    async def ask(self, text: str, *, key_id: str = "k", control: str = "", **more: Any) -> Lookup:
        return await self.cache.lookup(surface=Surface.CHAT, body=chat(text, **more), key_id=key_id, control=control)

    async def teach(self, text: str, said: str = "Paris.", **more: Any) -> None:
        found = await self.ask(text, **more)
        assert found.ticket is not None
        await self.cache.store(found.ticket, answer(said, at=self.clock.wall()))
        await self.cache.settled()


CAPITAL = "what is the capital of the country called France"
SIMILAR = "what is the capital of the country named France"


class TestExact:
    async def test_the_second_time_it_hits(self) -> None:
        rig = Rig()
        first = await rig.ask(CAPITAL)
        assert (first.header, first.answer) == ("miss;reason=first-time", None)
        assert first.ticket is not None
        await rig.cache.store(first.ticket, answer("Paris."))
        second = await rig.ask(CAPITAL)
        assert second.header == "hit-exact;reason=same-request"
        assert second.answer == answer("Paris.")
        assert second.ticket is None

    async def test_a_plain_answer_serves_a_stream(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        assert (await rig.ask(CAPITAL, stream=True, stream_options={"include_usage": True})).kind == "hit-exact"

    async def test_frames_come_back_as_they_went_in(self) -> None:
        rig = Rig()
        found = await rig.ask(CAPITAL, stream=True)
        assert found.ticket is not None
        frames = (b'data: {"a":1}\n\n', b"data: [DONE]\n\n")
        await rig.cache.store(found.ticket, answer(frames=frames))
        again = await rig.ask(CAPITAL, stream=True)
        assert again.answer is not None
        assert again.answer.frames == frames

    async def test_keys_do_not_see_each_other(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        assert (await rig.ask(CAPITAL, key_id="other")).reason == "first-time"

    async def test_keys_share_when_told_so(self) -> None:
        rig = Rig(shared_between_keys=True)
        await rig.teach(CAPITAL)
        assert (await rig.ask(CAPITAL, key_id="other")).kind == "hit-exact"

    async def test_time_to_live(self) -> None:
        rig = Rig(ttl=60.0)
        await rig.teach(CAPITAL)
        rig.clock.time += 59.9
        assert (await rig.ask(CAPITAL)).kind == "hit-exact"
        rig.clock.time += 0.2
        assert (await rig.ask(CAPITAL)).header == "miss;reason=first-time"

    async def test_works_without_an_embedder(self) -> None:
        rig = Rig(embedder=False)
        await rig.teach(CAPITAL)
        assert (await rig.ask(CAPITAL)).kind == "hit-exact"
        assert (await rig.ask(SIMILAR)).header == "miss;reason=first-time"

    async def test_embeddings_and_speech(self) -> None:
        rig = Rig()
        for surface, body in (
            (Surface.EMBEDDINGS, {"model": "e", "input": "hello"}),
            (Surface.SPEECH, {"model": "tts", "input": "hello", "voice": "alloy"}),
        ):
            found = await rig.cache.lookup(surface=surface, body=body, key_id="k")
            assert found.reason.startswith("exact-only-")
            assert found.ticket is not None
            await rig.cache.store(found.ticket, answer())
            assert (await rig.cache.lookup(surface=surface, body=body, key_id="k")).kind == "hit-exact"
        assert rig.embedder.texts == []


class TestControl:
    async def test_disabled(self) -> None:
        found = await Rig(enabled=False).ask(CAPITAL)
        assert (found.header, found.ticket) == ("bypass;reason=disabled", None)

    async def test_no_store(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        found = await rig.ask(CAPITAL, control="no-store")
        assert (found.header, found.answer, found.ticket) == ("bypass;reason=no-store", None, None)

    async def test_no_cache_does_not_read_but_stores(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL, "Lyon.")
        found = await rig.ask(CAPITAL, control="no-cache")
        assert (found.header, found.answer) == ("bypass;reason=no-cache", None)
        assert found.ticket is not None
        await rig.cache.store(found.ticket, answer("Paris.", at=rig.clock.wall()))
        again = await rig.ask(CAPITAL)
        assert again.answer == answer("Paris.", at=rig.clock.wall())

    async def test_max_age(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        rig.clock.time += 30
        assert (await rig.ask(CAPITAL, control="max-age=40")).kind == "hit-exact"
        for question in (CAPITAL, SIMILAR):
            late = await rig.ask(question, control="max-age=20")
            assert late.header == "miss;reason=too-old"
            assert late.ticket is not None

    async def test_only_if_cached(self) -> None:
        rig = Rig()
        found = await rig.ask(CAPITAL, control="only-if-cached")
        assert (found.header, found.ticket) == ("miss;reason=only-if-cached", None)
        await rig.teach(CAPITAL)
        assert (await rig.ask(CAPITAL, control="only-if-cached")).kind == "hit-exact"

    async def test_requests_that_no_cache_may_answer(self) -> None:
        rig = Rig()
        found = await rig.cache.lookup(
            surface=Surface.RESPONSES, body={"model": "m", "input": "x", "previous_response_id": "r"}, key_id="k"
        )
        assert (found.header, found.ticket) == ("bypass;reason=conversation", None)
        form = await rig.cache.lookup(surface=Surface.TRANSCRIPTION, body={"model": "whisper-1"}, key_id="k")
        assert form.header == "bypass;reason=surface"


class TestSemantic:
    async def test_a_similar_question_hits(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        found = await rig.ask(SIMILAR)
        assert found.kind == "hit-semantic"
        assert found.similarity is not None
        assert found.reason == f"similar-{found.similarity:.2f}"
        assert found.answer == answer("Paris.")
        assert found.ticket is None

    async def test_nothing_is_embedded_while_there_is_nothing_to_compare(self) -> None:
        rig = Rig()
        await rig.ask(CAPITAL)
        assert rig.embedder.texts == []

    async def test_a_guard_says_why_not(self) -> None:
        rig = Rig()
        await rig.teach("may i eat this red mushroom from the woods")
        found = await rig.ask("may i not eat this red mushroom from the woods")
        assert found.header == "miss;reason=guard-negation"

    async def test_below_the_threshold(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        found = await rig.ask("what is the largest lake and river of France")
        assert found.reason.startswith("below-threshold-0.")
        assert found.similarity is not None
        assert float(found.reason.removeprefix("below-threshold-")) <= found.similarity < 0.8

    async def test_the_embedding_of_a_miss_is_used_again(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        await rig.teach("something else entirely")
        assert rig.embedder.texts == [CAPITAL, "something else entirely"]

    async def test_the_next_neighbour_gets_its_chance(self) -> None:
        rig = Rig()
        await rig.teach("is this plan not good for the whole team", "No.")
        await rig.teach("is this plan very good for the whole team", "Yes.")
        found = await rig.ask("is this plan really good for the whole team")
        assert (found.kind, found.answer) == ("hit-semantic", answer("Yes."))

    @pytest.mark.parametrize(
        "change",
        [
            {"temperature": 0.2},
            {"model": "gpt-4o-mini"},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
            {"response_format": {"type": "json_object"}},
            {"max_tokens": 5},
        ],
    )
    async def test_partitions_are_hard(self, change: dict[str, Any]) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        found = await rig.ask(SIMILAR, **change)
        assert found.header == "miss;reason=first-time"

    async def test_an_expired_answer_is_no_hit(self) -> None:
        rig = Rig(ttl=60.0)
        await rig.teach(CAPITAL)
        rig.clock.time += 61
        found = await rig.ask(SIMILAR)
        assert found.header == "miss;reason=expired"
        assert (await rig.ask(SIMILAR)).header == "miss;reason=first-time"

    async def test_a_dropped_answer_takes_its_question_along(self) -> None:
        rig = Rig(max_size=1)
        await rig.teach(CAPITAL)
        await rig.teach("something else entirely", temperature=1.5)
        assert (await rig.ask(SIMILAR)).header == "miss;reason=first-time"

    async def test_guards_are_not_optional(self) -> None:
        with pytest.raises(ValueError, match="guards"):
            Cache(CacheOptions(), embedder=WordEmbedder())


class TestTrouble:
    async def test_a_failing_embedder_costs_hits_and_one_line(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        rig.embedder.broken = True
        for _ in range(3):
            assert (await rig.ask(SIMILAR)).header == "miss;reason=embedder-failed"
        assert (await rig.ask(CAPITAL)).kind == "hit-exact"
        assert len(rig.warnings) == 1
        assert "words" in rig.warnings[0]
        rig.embedder.broken = False
        assert (await rig.ask(SIMILAR)).header == "miss;reason=embedder-failed", "it is left alone for a while"
        rig.clock.time += semantic.HOLD_OFF
        assert (await rig.ask(SIMILAR)).kind == "hit-semantic"

    async def test_an_embedder_that_does_not_know_its_dimensions_yet(self) -> None:
        rig = Rig()
        rig.embedder.dimensions = 0
        rig.cache = Cache(
            CacheOptions(similarity_threshold=0.8), embedder=rig.embedder, choose=choose, wall=rig.clock.wall
        )
        rig.embedder.learns = 64
        await rig.teach(CAPITAL)
        assert rig.embedder.dimensions == 64
        assert (await rig.ask(SIMILAR)).kind == "hit-semantic"

    async def test_the_reason_of_an_error_of_ours_is_told(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        rig.embedder.error = MissingPart("The package is not installed.", hint="install it")
        rig.embedder.broken = True
        await rig.ask(SIMILAR)
        assert "The package is not installed." in rig.warnings[0]

    async def test_a_busy_embedder_delays_only_so_many(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        rig.embedder.gate = asyncio.Event()
        waiting = [asyncio.create_task(rig.ask(SIMILAR)) for _ in range(semantic.WAITING)]
        while len(rig.embedder.texts) < 1 + semantic.WAITING:
            await asyncio.sleep(0)
        assert (await rig.ask(SIMILAR)).header == "miss;reason=embedder-busy"
        rig.embedder.gate.set()
        assert {found.kind for found in await asyncio.gather(*waiting)} == {"hit-semantic"}

    async def test_storing_does_not_wait_for_the_embedder(self) -> None:
        rig = Rig()
        rig.embedder.gate = asyncio.Event()
        found = await rig.ask(CAPITAL)
        assert found.ticket is not None
        await rig.cache.store(found.ticket, answer())
        assert (await rig.ask(CAPITAL)).kind == "hit-exact"
        assert (await rig.ask(SIMILAR)).header == "miss;reason=first-time"
        rig.embedder.gate.set()
        await rig.cache.settled()
        assert (await rig.ask(SIMILAR)).kind == "hit-semantic"

    async def test_close_finishes_what_is_pending(self) -> None:
        rig = Rig()
        found = await rig.ask(CAPITAL)
        assert found.ticket is not None
        await rig.cache.store(found.ticket, answer())
        await rig.cache.close()
        assert rig.embedder.texts == [CAPITAL]

    async def test_vectors_of_the_wrong_shape_are_a_failure(self) -> None:
        rig = Rig()
        await rig.teach(CAPITAL)
        rig.embedder.dimensions = 8
        assert (await rig.ask(SIMILAR)).header == "miss;reason=embedder-failed"


class TestShadow:
    async def test_it_reports_and_never_serves(self) -> None:
        rig = Rig(shadow=True)
        await rig.teach(CAPITAL)
        exact = await rig.ask(CAPITAL)
        assert (exact.header, exact.answer) == ("miss;reason=shadow-hit-exact", None)
        assert exact.ticket is not None
        similar = await rig.ask(SIMILAR)
        assert (similar.header, similar.answer) == ("miss;reason=shadow-hit-semantic", None)
        assert similar.ticket is not None
        only = await rig.ask(CAPITAL, control="only-if-cached")
        assert (only.reason, only.answer) == ("only-if-cached", None)


class TestErrorBound:
    async def test_a_hit_is_withheld_until_it_has_earned_trust(self) -> None:
        rig = Rig(error_bound=0.2)
        await rig.teach(CAPITAL)
        said = []
        for number in range(30):
            found = await rig.ask(CAPITAL.replace("called", f"w{number}"))
            said.append(found.reason)
            if found.ticket is None:
                break
            await rig.cache.store(found.ticket, answer("paris", at=rig.clock.wall()))
            await rig.cache.settled()
        assert set(said[:-1]) == {"verify"}
        assert said[-1].startswith("similar-")

    async def test_wrong_answers_keep_it_withheld(self) -> None:
        rig = Rig(error_bound=0.2)
        await rig.teach(CAPITAL)
        for number in range(30):
            found = await rig.ask(CAPITAL.replace("called", f"w{number}"))
            assert found.reason == "verify"
            assert found.ticket is not None
            assert isinstance(found.ticket, Ticket)
            assert found.ticket.verify is not None
            await rig.cache.store(found.ticket, answer(f"Nothing like it {number}.", at=rig.clock.wall()))
            await rig.cache.settled()

    async def test_some_trusted_hits_are_checked_for_ever(self) -> None:
        rig = Rig(error_bound=1.0, chance=0.01)
        await rig.teach(CAPITAL)
        assert (await rig.ask(SIMILAR)).reason == "verify"


def test_the_clock_of_the_tests_is_a_plausible_one() -> None:
    assert START > 1_700_000_000


class TestRivals:
    async def test_neighbours_are_judged_together(self) -> None:
        """Which question may answer depends on the others beside it: the choice must see all of them at once."""
        rig = Rig()
        seen: list[list[str]] = []

        def wary(query: str, candidates: Sequence[tuple[str, float]], threshold: float) -> FakeChoice:
            seen.append([text for text, _ in candidates])
            return FakeChoice(None, FakeVerdict(allow=False, reason="several candidates compete", score=0.0))

        rig.cache = Cache(
            CacheOptions(similarity_threshold=0.8), embedder=rig.embedder, choose=wary, wall=rig.clock.wall
        )
        rival = CAPITAL.replace("France", "Italy")
        await rig.teach(CAPITAL)
        await rig.teach(rival, "Rome.")
        found = await rig.ask(CAPITAL.replace("France", "Spain"))
        assert found.header == "miss;reason=guard-several-candidates-compete"
        assert sorted(seen[-1]) == sorted([CAPITAL, rival])
