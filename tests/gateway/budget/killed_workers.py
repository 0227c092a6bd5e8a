"""Run as a program: workers that reserve and settle until they are killed, at any moment, again and again.

    python -m tests.gateway.budget.killed_workers LEDGER ROUNDS SEED

Prints, as JSON, what the workers were told: {reservation: amount} and {reservation: cost} of settlements.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

from mrblue_cli.gateway.budget.ledger import Ledger
from mrblue_cli.gateway.model import Surface
from tests.gateway.budget.conftest import START, charge

WORKERS = 2


def work(path: Path, seed: int, out: int) -> None:
    """Until killed: reserve, tell, settle, tell; sometimes leave one open."""
    ledger = Ledger(path)
    chance = random.Random(seed)
    while True:
        amount = chance.randrange(1, 1000)
        held = ledger.reserve(
            request_id="r", key_id=chance.choice(["", "a", "b"]), surface=Surface.CHAT, model="m", amount=amount,
            now=START,
        ).reservation  # fmt: skip
        os.write(out, f"r {held.id} {amount}\n".encode())
        if chance.random() < 0.9:
            cost = chance.randrange(amount + 1)
            ledger.settle(held, [charge(cost)] if cost else [], START)
            os.write(out, f"s {held.id} {cost}\n".encode())


def main(path: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    reserved: dict[int, int] = {}
    settled: dict[int, int] = {}
    for round_ in range(rounds):
        inlet, outlet = os.pipe()
        children = []
        for number in range(WORKERS):
            child = os.fork()
            if child == 0:
                os.close(inlet)
                work(path, seed + round_ * WORKERS + number, outlet)
            children.append(child)
        os.close(outlet)
        with os.fdopen(inlet, "rb", buffering=0) as said:
            heard = b""
            # They go on working while they are being killed, so the moment is any.
            enough = chance.randrange(1, 2000)
            while len(heard) < enough:
                heard += said.read(512)
            for child in children:
                os.kill(child, signal.SIGKILL)
            for child in children:
                os.waitpid(child, 0)
            while more := said.read(65536):
                heard += more
        for line in heard.decode().splitlines():
            what, number, amount = line.split()
            (reserved if what == "r" else settled)[int(number)] = int(amount)
    json.dump({"reserved": reserved, "settled": settled}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
