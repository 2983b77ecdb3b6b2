"""The command: a question in options, the answer as text, plots and raw numbers on request.

python -m deploy.capacity --portraits 1000000 --shape evening --p95 30
python -m deploy.capacity --calibrate
python -m deploy.capacity --plan
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from deploy.capacity import calibration, plan, report, scaling, sizing
from deploy.capacity.limits import limits
from deploy.capacity.needs import needs
from deploy.capacity.shapes import SHAPES
from deploy.capacity.sizing import Answer, Question, Unreachable
from deploy.env import ROOT
from deploy.stack.errors import StackError

FOLDER: Final = ROOT / "var" / "capacity"


def main(arguments: Sequence[str]) -> int:
    """0: answered; 1: it cannot be done; 2: the question makes no sense."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.calibrate:
            return _calibrate(options.engine, options.out)
        if options.plan:
            plan.write(say)
            return 0
        question = _question(options)
    except (KeyError, ValueError) as error:
        parser.error(f"{error}")
    except StackError as error:
        say(f"{error}")
        return 1
    return _answer(question, options)


def _answer(question: Question, options: argparse.Namespace) -> int:
    try:
        found = sizing.answer(question, say)
    except KeyError as error:
        say(f"Nobody has counted that: {error}.")
        return 2
    except Unreachable as error:
        say(str(error))
        return 1
    show(report.told(found))
    if options.autoscale:
        most = options.most or 2 * found.workers
        rules = scaling.Rules(options.seconds_per_worker, options.least, most, options.cooldown)
        fleet = question.fleet(options.least, rules)
        show("\n" + report.scaled(found, sizing.whole_day(question, question.mix(), fleet)))
    if options.plots:
        from deploy.capacity import plots  # matplotlib is a development package

        for file in plots.draw(found, options.out):
            show(f"\n{file}")
    _keep(options.out / "answer.json", raw(found))
    return 0


def raw(answer: Answer) -> dict[str, object]:
    """What the answer was made of, for whoever wants to reckon with it."""
    return {
        "portraits": answer.question.portraits,
        "shape": answer.question.shape.name,
        "workers": answer.workers,
        "p95": answer.p95,
        "tried": {str(workers): p95 for workers, p95 in sorted(answer.tried.items())},
        "counts": dict(answer.day.counts),
        "needs": [asdict(need) for need in needs(answer)],
        "limits": [asdict(limit) for limit in limits(answer)],
        "figures": {name: asdict(one) for name, one in answer.question.figures().items()},
    }


def _calibrate(engine: str, out: Path) -> int:
    kept = calibration.calibrate(engine, say)
    _keep(out / "calibration.json", kept)
    show(report.calibrated(kept))
    worst = max(map(abs, kept["error"].values()))
    show(f"\nThe worst is off by {worst:.1%}; the aim is {calibration.GOAL:.0%}.")
    return 0


def _keep(file: Path, what: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(what, indent=1) + "\n")


def _question(options: argparse.Namespace) -> Question:
    if options.portraits <= 0 or options.p95 <= 0:
        raise ValueError("portraits and p95 must be more than nothing")
    return Question(
        options.portraits,
        SHAPES[options.shape],
        options.p95,
        engines=dict(_part(said) for said in options.engines.split(",")),
        size=_size(options.size),
        photos=options.photos,
        packs=options.packs,
        pack=options.pack,
        tflops=options.tflops,
        loaded=options.loaded,
        queue_limit=options.queue_limit,
        seed=options.seed,
        instead={name: float(value) for name, _, value in map(_halves, options.set)},
    )


def _halves(said: str) -> tuple[str, str, str]:
    return said.partition("=")


def _part(said: str) -> tuple[str, float]:
    name, _, share = said.partition("=")
    return name, float(share or 1)


def _size(said: str) -> tuple[int, int]:
    width, _, height = said.partition("x")
    return int(width), int(height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.capacity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--portraits", type=float, default=10_000, help="ordered in a day")
    add("--shape", choices=SHAPES, default="evening", help="how they come over the day")
    add("--p95", type=float, default=30.0, help="seconds until an order of a few is there")
    add("--engines", default="flux2-klein", help="shares, such as flux2-klein=0.8,z-image=0.2")
    add("--size", default="1024x1024", help="of a portrait")
    add("--photos", type=int, default=4, help="that an engine is shown")
    add("--packs", type=float, default=0.05, help="part of the orders that are packs")
    add("--pack", type=int, default=20, help="portraits in a pack")
    add("--tflops", type=float, help="what a GPU really does a second, where you know it")
    add("--loaded", type=int, default=0, help="engines in memory (SITTER_ENGINES_LOADED)")
    add("--queue-limit", type=int, default=20_000, help="SITTER_QUEUE_LIMIT")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="another figure")
    add("--seed", type=int, default=1)
    add("--autoscale", action="store_true", help="what KEDA would make of the same day")
    add("--seconds-per-worker", type=float, default=120.0, help="of the chart, as the next three")
    add("--least", type=int, default=1)
    add("--most", type=int, default=0, help="0: twice the fixed fleet")
    add("--cooldown", type=float, default=600.0)
    add("--plots", action="store_true", help="needs the development packages")
    add("--out", type=Path, default=FOLDER, help="where plots and raw numbers go")
    add("--calibrate", action="store_true", help="compare with the embedded stack: 4 minutes")
    add("--engine", default=calibration.ENGINE, help="what paints in the calibration")
    add("--plan", action="store_true", help="write the tables of deploy/docs/capacity.md")
    return parser


def say(text: str) -> None:
    """How far it is."""
    sys.stderr.write(f"{text}\n")


def show(text: str) -> None:
    """What was asked for."""
    sys.stdout.write(f"{text}\n")
