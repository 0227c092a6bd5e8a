"""Counting without a tokeniser: how many tokens a text is, and how long a recording, never much below the truth.

No tokeniser fits every provider, and none comes without a download. Byte-pair encodings agree on enough to bound
them: English words cost a token and a bit, digits up to one each, capitals and signs break words up, other scripts cost
by the bytes of a character. `bench/token_estimate.py` compares the bound with real tokenisers.
"""

from __future__ import annotations

import string

_LETTERS = string.ascii_letters.encode()
_UPPER = string.ascii_uppercase.encode()
_DIGITS = string.digits.encode()
_SPACES = b" \t\n\r\x0b\x0c"
_TWO_BYTES = bytes(range(0xC2, 0xE0))
_THREE_BYTES = bytes(range(0xE0, 0xF0))
_FOUR_BYTES = bytes(range(0xF0, 0xF8))
_WORDS = bytes(0x61 if code in _LETTERS else 0x20 for code in range(256))
"""Every letter as `a`, everything else as a space: then ` a` is where a word begins."""
_CHUNKS = bytes(0x20 if code in _SPACES else 0x61 for code in range(256))
_LETTERS_A_TOKEN = 4.0
_UPPER_EXTRA = 0.65
_SPACES_A_TOKEN = 4.0
_MARGIN = 1.15
_SLOWEST_WAV = 8_000
_FASTEST_WAV = 1_536_000
_COMPRESSED_BYTES_A_SECOND = 2_000
"""16 kbit/s: speech in Opus or AAC is seldom below."""
_MP3_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
"""MPEG-1 layer III by index (ISO/IEC 11172-3, table of bitrates)."""
_MP3_KBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
"""MPEG-2 and 2.5 layer III (ISO/IEC 13818-3)."""


def count_text(text: str) -> int:
    """Tokens of a text, from above: an estimate that is seldom below any provider's count."""
    if not text:
        return 0
    data = text.encode("utf-8", "replace")
    words = _runs(data, _WORDS)
    letters = _how_many(data, _LETTERS)
    tokens = max(words, letters / _LETTERS_A_TOKEN) + _how_many(data, _UPPER) * _UPPER_EXTRA + _how_many(data, _DIGITS)
    spaces = _how_many(data, _SPACES)
    lines = data.count(b"\n")
    tokens += lines + max(0, spaces - lines - _runs(data, _CHUNKS)) / _SPACES_A_TOKEN
    two = three = four = 0
    if not data.isascii():
        two, three, four = (_how_many(data, leads) for leads in (_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES))
        tokens += 1.0 * two + 1.5 * three + 3.0 * four
    signs = len(text) - letters - spaces - _how_many(data, _DIGITS) - two - three - four
    return int((tokens + signs) * _MARGIN) + 1


def audio_seconds(data: bytes) -> float:
    """Length of a recording in seconds, from above, by its first bytes and its size. Any format; never raises."""
    size = len(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return size / _wav_rate(data)
    if data[:3] == b"ID3" or (size > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0):
        return size / _mp3_rate(data)
    return size / _COMPRESSED_BYTES_A_SECOND


def _how_many(data: bytes, which: bytes) -> int:
    return len(data) - len(data.translate(None, which))


def _runs(data: bytes, table: bytes) -> int:
    """How many runs of what the table makes an `a` there are; no list of them is made."""
    marked = data.translate(table)
    return marked.count(b" a") + marked.startswith(b"a")


def _wav_rate(data: bytes) -> int:
    """Bytes a second, as the format chunk says (its fifth field), within reason."""
    at = data.find(b"fmt ", 12, 4096)
    rate = int.from_bytes(data[at + 16 : at + 20], "little") if at >= 0 else 0
    return min(max(rate, _SLOWEST_WAV), _FASTEST_WAV) if rate else _SLOWEST_WAV


def _mp3_rate(data: bytes) -> float:
    """Half the first frame's rate: with a variable one, later frames may have less."""
    at = 0
    if data[:3] == b"ID3" and len(data) >= 10:
        # The tag's size is four bytes of seven bits (ID3v2.4, section 3.1).
        at = 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return _COMPRESSED_BYTES_A_SECOND
    table = _MP3_KBITS if head[1] & 0x18 == 0x18 else _MP3_KBITS_LOW
    kbits = table[head[2] >> 4]
    return max(kbits * 125 / 2, 1_000) if kbits else _COMPRESSED_BYTES_A_SECOND
