"""`make bench`, or `make bench SUITE=crypto`: run suites, print tables, keep the raw numbers."""

import sys

from tests.bench import crypto, pocket, stack
from tests.bench.report import conditions

# The stack comes first: torch, once it is loaded here, competes with it for the cores.
SUITES = {"stack": stack.run, "crypto": crypto.run, "pocket": pocket.run}


def main(arguments: list[str]) -> int:
    """Run the named suites, or all; an unknown name is refused with the list."""
    unknown = [name for name in arguments if name not in SUITES]
    if unknown:
        print(f"There is no suite {unknown[0]}; there are {', '.join(SUITES)}.")
        return 2
    print(conditions())
    for name in arguments or SUITES:
        print(f"\n## {name}")
        SUITES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
