"""`mrblue talk`: the spoken conversation, on the screen or headless."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from mrblue_cli.cli.errors import INTERRUPTED, exit_code_of_word, report
from mrblue_cli.cli.talk_numbers import offered
from mrblue_cli.core.errors import UsageError
from mrblue_cli.core.texts import tell, use

if TYPE_CHECKING:
    from mrblue_cli.app.talk import Conversation
    from mrblue_cli.settings.load import Configuration
    from mrblue_cli.voice.events import TalkEvent
    from mrblue_cli.voice.headless import Step

Begin = Callable[[Callable[["TalkEvent"], None]], "Conversation"]
MAX_STDIN_CHARS = 1_000_000


class TalkCommand(TyperCommand):
    """`--resume` alone means the last conversation; the command line library knows no option with a value at will."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        pairs = zip(args, [*args[1:], "-"], strict=False)
        filled = ["--resume=last" if one == "--resume" and after.startswith("-") else one for one, after in pairs]
        return super().parse_args(ctx, filled)


def talk(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="No screen: for pipes, scripts and tests.")] = False,
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", help="Speak this WAV file (may be repeated).", metavar="A.wav")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write what is answered to this WAV file.", metavar="REPLY.wav")
    ] = None,
    texts: Annotated[list[str] | None, typer.Option("--text", help="Type this text (may be repeated).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")] = False,
    engine: Annotated[str | None, typer.Option(help="auto, openai, local, or ws://…")] = None,
    model: Annotated[str | None, typer.Option(help="The model to ask for.")] = None,
    voice: Annotated[str | None, typer.Option(help="The voice to ask for.")] = None,
    turn_mode: Annotated[str | None, typer.Option(help="hands-free, local-vad or push-to-talk.")] = None,
    turn_end: Annotated[str | None, typer.Option(help="silence, or meaning: what ends your turn.")] = None,
    language: Annotated[str | None, typer.Option(help="Speak, hear and show this language: en, es, …")] = None,
    input_device: Annotated[str | None, typer.Option(help="Microphone: index, or part of its name.")] = None,
    output_device: Annotated[str | None, typer.Option(help="Speaker: index, or part of its name.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="End politely when so many US dollars are spent.", metavar="USD", min=0)
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Numbers for Prometheus on 127.0.0.1; 0: any free port.", metavar="N", min=0, max=65535),
    ] = None,
    fallback: Annotated[
        str | None, typer.Option(help="Ways to go on, best first: realtime,batch,local,text; or none.", metavar="LIST")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="blue, tattoo, restaurant, one of your own, or a file.", metavar="NAME")
    ] = None,
    context_file: Annotated[
        str | None, typer.Option("--context", help="The profile's menu, or text for the model.", metavar="FILE")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(help="Go on with an earlier talk: the last one, or ID.", metavar="[ID]")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Keep nothing of this talk.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Keep the sound of both sides as well.")] = False,
) -> int:
    """Talk: say or paste an error, hear and see the fix."""
    from mrblue_cli.cli.language import in_its_language
    from mrblue_cli.settings.load import load

    use(language or "en")
    typed = {
        "engine": engine, "model": model, "voice": voice, "turn_mode": turn_mode, "turn_end": turn_end,
        "input_device": input_device, "output_device": output_device, "max_cost_usd": max_cost,
        "metrics_port": -1 if metrics_port == 0 else metrics_port, "profile": profile, "context": context_file,
        "language": language,
    }  # fmt: skip
    overrides = _overrides(typed, resume=resume, private=private, record=record)
    if fallback is not None:
        overrides["talk"]["fallback"] = [fallback]
    scripted = bool(inputs or texts or output or as_json)
    if scripted and not headless:
        raise UsageError(tell("--input, --output, --text and --json belong to --headless"), hint=tell("add --headless"))
    configuration = in_its_language(load(file=context.obj.config, overrides=overrides))
    with offered(configuration.settings.talk.metrics_port) as numbers:

        def begin(emit: Callable[[TalkEvent], None]) -> Conversation:
            from mrblue_cli.app.talk import Conversation

            numbers.told_to(emit)
            return Conversation(configuration, emit, resume=resume, observers=numbers.observers)

        if not headless:
            return _on_screen(configuration, begin, debug=context.obj.debug)
        return _headless(begin, _steps(inputs or [], texts or []), output, as_json=as_json)


def _overrides(
    typed: Mapping[str, object], *, resume: str | None, private: bool, record: bool
) -> dict[str, dict[str, Any]]:
    """What was typed, laid over what a resumed talk brings along."""
    overrides: dict[str, dict[str, Any]] = {"history": {}}
    overrides["talk"] = {name: value for name, value in typed.items() if value is not None}
    if resume is not None:
        from mrblue_cli.app.talk_history import resumed

        earlier = resumed(resume).conversation
        kept = {"profile": earlier.profile, "language": earlier.language}
        overrides["talk"] = {name: value for name, value in kept.items() if value} | overrides["talk"]
    if private:
        overrides["history"]["keep"] = False
    if private or record:
        overrides["history"]["record"] = record  # typed, privacy overrules a recording that is only configured
    return overrides


def _steps(inputs: list[Path], texts: list[str]) -> list[Step] | None:
    """Recordings first, then texts, else what is piped in; None: talk with the devices."""
    from mrblue_cli.app.talk import read_wav
    from mrblue_cli.voice.headless import Speak, Type

    steps: list[Step] = [Speak(read_wav(path), str(path)) for path in inputs]
    if not all(text.strip() for text in texts):
        raise UsageError("an empty --text says nothing", hint="leave it out, or write what is to be said")
    steps += [Type(text) for text in texts]
    if not steps and not sys.stdin.isatty():
        piped = sys.stdin.read(MAX_STDIN_CHARS).strip()
        if not piped:
            raise UsageError(
                tell("nothing to say"), hint=tell('give --input A.wav or --text "…", or pipe the error text in')
            )
        steps.append(Type(piped))
    return steps or None


def _headless(begin: Begin, steps: list[Step] | None, output: Path | None, *, as_json: bool) -> int:
    import asyncio

    sink = _Sink(as_json=as_json)

    async def hold() -> tuple[str, ...]:
        conversation = begin(sink)
        if steps is None:
            await conversation.run()
            return ()
        return await conversation.run_script(steps, output=output)

    try:
        unheard = asyncio.run(hold())
    except KeyboardInterrupt:
        return INTERRUPTED
    if sink.fatal_code is not None:
        return exit_code_of_word(sink.fatal_code)
    return 1 if unheard else 0


class _Sink:
    """Prints the event stream as it comes and remembers how it ended."""

    def __init__(self, *, as_json: bool) -> None:
        from mrblue_cli.cli.talk_views import TextView, json_line

        self._json_line = json_line if as_json else None
        self._view = TextView()
        self.fatal_code: str | None = None

    def __call__(self, event: TalkEvent) -> None:
        from mrblue_cli.voice.events import Advice, Failure

        if isinstance(event, Failure):
            if event.fatal:
                self.fatal_code = event.code
            report(event.message, event.hint)
        elif isinstance(event, Advice):
            sys.stderr.write(f"mrblue: {event.text}\n")
        lines: list[str] = []
        if self._json_line is None:
            lines = self._view.lines(event)
        elif (line := self._json_line(event)) is not None:
            lines = [line]
        if lines:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()


def _on_screen(configuration: Configuration, begin: Begin, *, debug: bool) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(tell("there is no terminal to draw on"), hint=tell("use mrblue talk --headless"))
    from mrblue_cli.cli.native_noise import quiet_libraries
    from mrblue_cli.cli.talk_views import summary_lines
    from mrblue_cli.tui.app import TalkApp
    from mrblue_cli.tui.options import TuiOptions
    from mrblue_cli.voice.events import Summary
    from mrblue_cli.voice.runner import TalkRunner

    told: list[Summary] = []

    async def build(emit: Any) -> Conversation:
        def see(event: TalkEvent) -> None:
            # The app may be closed by then: what is told at the end is printed after it.
            if isinstance(event, Summary):
                told.append(event)
            emit(event)

        return begin(see)

    settings = configuration.settings
    runner = TalkRunner(build)
    options = TuiOptions(
        theme=settings.ui.theme,
        talk_key=settings.talk.talk_key,
        name=Path(settings.talk.profile).stem,
        private=not settings.history.keep,
    )
    with nullcontext() if debug else quiet_libraries():
        failure = TalkApp(runner, options).run()
    runner.stop()
    sys.stdout.write("".join(f"{line}\n" for summary in told for line in summary_lines(summary)))
    if debug and runner.crash is not None:
        raise runner.crash
    if failure is None:
        return 0
    report(failure.message, failure.hint)
    return exit_code_of_word(failure.code)
