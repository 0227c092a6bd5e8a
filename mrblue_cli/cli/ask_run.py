"""Run `mrblue ask`: get the text, have it answered, show it, take one key of feedback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from mrblue_cli.app.ask import Answered, AskOptions, ask
from mrblue_cli.assistant.thinking import STAGES, Thought
from mrblue_cli.cli.errors import exit_code_of, report
from mrblue_cli.core.errors import NothingFound, UsageError
from mrblue_cli.settings.memo import AskSettings, ask_settings

MAX_INPUT = 64 * 1024 * 1024


def run_ask(options: AskOptions) -> int:
    """The exit code; raises `MrBlueError`."""
    settings = ask_settings(options.config)
    text, about = _question(options)
    streamed: list[str] = []

    def write(piece: str) -> None:
        if not options.as_json:
            if not streamed:
                sys.stdout.write("\n")
            sys.stdout.write(piece)
            sys.stdout.flush()
        streamed.append(piece)

    found = None if options.as_json else _show_hits
    answered = ask(text, options, settings, think=_thinker(options), write=write, found=found, about=about)
    if options.as_json:
        sys.stdout.write(json.dumps(document(answered), ensure_ascii=False) + "\n")
    if streamed and not options.as_json:
        _close_answer(answered)
    code = _code(answered, options)
    if code == 0 and answered.result.confident:
        _ask_feedback(answered, options, settings)
    return code


def _question(options: AskOptions) -> tuple[str, str]:
    """The text and where it comes from. Raises `UsageError` or `NothingFound` when there is none."""
    text, about = options.text, ""
    if text == "-" or (text is None and not _is_terminal(sys.stdin)):
        data = sys.stdin.buffer.read(MAX_INPUT) if sys.stdin is not None else b""
        text = data.decode("utf-8", "replace").replace("\0", " ")
        if not text.strip() and options.text == "-":
            raise UsageError(
                "the pipe held no text", hint='mrblue ask "the error message", or: COMMAND 2>&1 | mrblue ask'
            )
    if text is None or (options.text is None and not text.strip()):
        from mrblue_cli.app.last_failure import last_failure

        return last_failure()
    if not text.strip():
        raise UsageError("there is no text to look for", hint='mrblue ask "the error message"')
    return text, about


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream is not None and stream.isatty())  # type: ignore[attr-defined]
    except (ValueError, OSError):
        return False


def _silent(_: Thought) -> None:
    pass


def _thinker(options: AskOptions) -> Callable[[Thought], None]:
    if not options.verbose:
        return _silent
    import time

    from mrblue_cli.assistant.status import Situation, status_of

    began = time.perf_counter()

    def tell(thought: Thought) -> None:
        now = Situation(
            working=thought.stage in {"understanding", "analysing"},
            asking_model=thought.stage == "generating" and thought.text.startswith("asking"),
            validating=thought.stage == "validating",
        )
        level = thought.level or ""
        seconds = time.perf_counter() - began
        sys.stderr.write(f"{seconds:6.3f}  {status_of(now):<10} {STAGES[thought.stage]:<23} {thought.text}  {level}\n")

    return tell


def _show_hits(answered: Answered) -> None:
    from mrblue_cli.cli.ask_view import show

    show(answered, sys.stdout)


def _close_answer(answered: Answered) -> None:
    answer = answered.answer
    sys.stdout.write("\n")
    if answer is not None:
        cost = "" if answer.cost_usd is None else f", ${answer.cost_usd:.4f}"
        cached = ", from the gateway's cache" if answer.cached else ""
        used = f"; used: {', '.join(answer.entries)}" if answer.entries else "; used no entry"
        cut = "" if answer.whole else " (cut off before its end)"
        sys.stdout.write(f"\n— {answer.model} at {answer.provider}{cached}{cost}{used}{cut}\n")


def _code(answered: Answered, options: AskOptions) -> int:
    if answered.trouble is not None:
        report(answered.trouble.what, answered.trouble.hint)
        if options.ai:
            return exit_code_of(answered.trouble)
    if answered.result.confident or answered.answer is not None:
        return 0
    return exit_code_of(NothingFound("nothing fits"))


def document(answered: Answered) -> dict[str, object]:
    """The JSON of DESIGN, section 4, with `error_type`, `checks`, `entries` and each way's `why` beside it."""
    result, answer = answered.result, answered.answer
    return {
        "query": result.query,
        "category": result.category,
        "error_type": result.error_type,
        "checks": list(answered.kind.checks) if answered.kind else [],
        "confident": result.confident,
        "hits": [
            {
                "id": hit.entry.id,
                "title": hit.entry.title,
                "category": hit.entry.category,
                "confidence": round(hit.confidence, 3),
                "matched": list(hit.matched),
                "causes": list(hit.entry.causes),
                "solutions": [
                    {
                        "title": way.title,
                        "why": way.why,
                        "steps": list(way.steps),
                        "success_rate": way.success_rate,
                        "reports": _reports(answered, hit.entry.id, way.title),
                        "risk": str(way.risk),
                    }
                    for way in hit.solutions
                ],
                "sources": list(hit.entry.sources),
            }
            for hit in result.hits
        ],
        "answer": None
        if answer is None
        else {
            "text": answer.text,
            "provider": answer.provider,
            "model": answer.model,
            "cached": answer.cached,
            "cost_usd": answer.cost_usd,
            "entries": list(answer.entries),
            "complete": answer.whole,
        },
        "elapsed_ms": round(answered.elapsed_ms, 2),
    }


def _reports(answered: Answered, entry: str, title: str) -> dict[str, int] | None:
    found = answered.tallies.get((entry, title))
    return None if found is None else {"worked": found[0], "failed": found[1]}


def _ask_feedback(answered: Answered, options: AskOptions, settings: AskSettings) -> None:
    """One key after a hit, where there is somebody to press it."""
    wanted = settings.feedback_prompt if options.feedback is None else options.feedback
    seen = _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"
    if not wanted or not seen or options.as_json:
        return
    from mrblue_cli.cli.feedback import ask_one_key

    ask_one_key(answered.result.hits[0])
