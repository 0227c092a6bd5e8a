"""The public pairs that the cache is measured on, read from a folder; and vectors of many texts, kept in a file."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mrblue_cli.gateway.cache.embedder import bundled

FOLDER = Path("../shared/data/semantic-cache")
_FILES = ("gptcache_mock_data.json", "paws_wiki_dev.tsv", "cannot_sem_anto_neg.tsv", "banking77_test.csv")


class Pair(NamedTuple):
    """Two texts; `same`: one answer serves both."""

    one: str
    other: str
    same: bool


class Data(NamedTuple):
    """All four."""

    rewrites: list[tuple[str, str]]
    """GPTCache: (stored, asked)."""
    paws: list[Pair]
    cannot: list[Pair]
    banking: list[tuple[str, str]]
    """(question, intent)."""

    def texts(self) -> list[str]:
        """Every text once."""
        return list(
            dict.fromkeys(
                text
                for text in (
                    *(text for row in self.rewrites for text in row),
                    *(text for row in (*self.paws, *self.cannot) for text in row[:2]),
                    *(row[0] for row in self.banking),
                )
            )
        )


def missing(folder: Path) -> str:
    """What of the data is not there, in words; empty when all is."""
    absent = [name for name in _FILES if not (folder / name).is_file()]
    return f"{folder}: no {', '.join(absent)}" if absent else ""


def load(folder: Path) -> Data:
    """Reads the four files."""
    rewrites = [(row["origin"], row["similar"]) for row in json.loads((folder / _FILES[0]).read_text(encoding="utf-8"))]
    paws = [Pair(row[1], row[2], row[3] == "1") for row in _rows(folder / _FILES[1])]
    cannot = [Pair(row[0], row[1], row[2] == "0") for row in _rows(folder / _FILES[2])[1:]]
    with (folder / _FILES[3]).open(encoding="utf-8", newline="") as file:
        banking = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return Data(rewrites, paws, cannot, banking)


def _rows(path: Path) -> list[list[str]]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if len(row) >= 3]


def held_out(text: str) -> bool:
    """Whether a text (the first of a pair) belongs to the half that is never fitted on."""
    return bool(hashlib.sha1(text.encode(), usedforsecurity=False).digest()[0] & 1)


def vectors(texts: Iterable[str], keep: Path | None) -> dict[str, npt.NDArray[np.float32]]:
    """The bundled embedder's vector of each text; those already in the file `keep` are not made again."""
    wanted = list(dict.fromkeys(texts))
    known: dict[str, npt.NDArray[np.float32]] = {}
    if keep is not None and keep.is_file():
        with np.load(keep, allow_pickle=False) as stored:
            known = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
    new = [text for text in wanted if text not in known]
    if new:
        known.update(zip(new, asyncio.run(_embed(new)), strict=True))
        if keep is not None:
            np.savez(keep, texts=np.array(list(known), dtype=np.str_), vectors=np.stack(list(known.values())))
    return known


async def _embed(texts: list[str]) -> npt.NDArray[np.float32]:
    embedder = bundled()
    parts = [await embedder.embed(texts[place : place + 32]) for place in range(0, len(texts), 32)]
    await embedder.close()
    return np.vstack(parts)
