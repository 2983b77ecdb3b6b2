"""The canary's way through the stack, and the looks at each station."""

import time

from deploy.demo.screen import Screen
from deploy.prove import look
from deploy.prove.canary import Canary
from deploy.prove.look import Result
from deploy.stack.supervisor import Stack


def walk(stack: Stack, canary: Canary, screen: Screen, since: float) -> list[Result]:
    """Every result, in the order in which they were looked for."""
    results: list[Result] = []
    try:
        with screen.step("A canary person is painted") as step:
            canary.live()
            step.say("two marked photos, one portrait, one report")
        with screen.step("They take their data out"):
            canary.take_out()
        results += [
            Result(
                f"control.{name}", held, "found where its owner sees it" if held else "not found"
            )
            for name, held in canary.controls.items()
        ]
        with screen.step("Look everywhere while they are here"):
            results += _renamed("before", look.everywhere(stack, canary.search, since))
        with screen.step("They erase everything") as step:
            seconds = canary.leave()
            step.say(f"signed receipt after {seconds:.1f} s")
        with screen.step("Rewrite the accounts' tables"):
            look.compact(stack)
    finally:
        canary.client.close()
    with screen.step("Look everywhere again, for the address too"):
        canary.search.join(canary.address)
        results += look.everywhere(stack, canary.search, since)
    with screen.step("Look into the memory of every role"):
        time.sleep(look.SETTLED)
        results += look.in_memory(stack, canary.search)
    with screen.step("Ask each role what it can open, and check the books"):
        results += look.live(stack, grace=0)
    screen.rest()
    return results


def _renamed(station: str, results: list[Result]) -> list[Result]:
    return [Result(f"{station}.{r.name}", r.holds, r.says, r.n) for r in results]
