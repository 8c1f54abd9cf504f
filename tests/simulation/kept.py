"""A seed and its plan in one line of `failed_seeds.txt`, and as the command that plays it again."""

from tests.simulation.world import Plan

COMMAND = ".venv/bin/python -m tests.simulation"


def keep(seed: int, plan: Plan) -> str:
    """Return the line: seed, what was asked of it, and room for what it found."""
    flags = ["misbehave"] * plan.misbehave + ["no-webhooks"] * (not plan.webhooks)
    return f"{seed} {','.join([*flags, f'steps={plan.steps}', f'transactions={plan.transactions}'])}"


def recall(line: str) -> tuple[int, Plan]:
    """Return seed and plan of a line; one without sizes was kept when only the usual ones were."""
    seed, asked = line.split()[:2]
    words = asked.split(",")
    sizes = {name: int(number) for name, _, number in (word.partition("=") for word in words) if number}
    return int(seed), Plan(**sizes, misbehave="misbehave" in words, webhooks="no-webhooks" not in words)


def replay_command(seed: int, plan: Plan) -> str:
    """Return what plays this seed alone, in the same world."""
    flags = " --misbehave" * plan.misbehave + " --no-webhooks" * (not plan.webhooks)
    return f"{COMMAND} --first {seed} --seeds 1 --steps {plan.steps} --transactions {plan.transactions}{flags}"
