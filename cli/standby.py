"""Import what a command needs, and run it once standard input says "go"; the demo starts it, as the module to run.

So several processes can import at the same time, while the database that they will need is being started.
"""

import sys
from importlib import import_module

GO = "go\n"
NEEDS = {"serve": "cli.run.serve", "worker": "cli.run.worker"}


def stand_by() -> None:
    """Do nothing more when standard input ends: whoever was to say "go" is not there any more."""
    import_module(NEEDS[sys.argv[1]])
    if sys.stdin.readline() == GO:
        from cli.main import main

        main()


if __name__ == "__main__":
    stand_by()
