"""Names of the samplers and pruners that a plan can use, and the budget that each needs; light to import."""

import math
from binascii import crc32
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from studies.legacy_names import legacy_study_name

SamplerName = Literal["tpe", "gp", "qmc", "random"]
PrunerName = Literal["median", "successive_halving", "hyperband", "wilcoxon", "none"]
# Of successive halving in each bracket: one of so many passes a rung, and the next rung is so many times further;
# Optuna's default.
HYPERBAND_REDUCTION = 3
WILCOXON_P = 0.1  # Optuna's default
# The signed-rank test of n pairs has no one-sided p below 2^-n, and stopping after the last seed saves nothing.
WILCOXON_FEWEST_SEEDS = math.floor(math.log2(1 / WILCOXON_P)) + 2
SEARCHED_BUDGET = 10_000  # as far as a sufficient number of trials is looked for; the most that a plan allows


def bracket_shares(most_steps: int) -> list[int]:
    """How many of every sum(shares) trials each bracket gets, the earliest stopping first; Optuna's allocation."""
    n = math.floor(math.log(most_steps, HYPERBAND_REDUCTION)) + 1
    return [math.ceil(n * HYPERBAND_REDUCTION ** (n - 1 - i) / (n - i)) for i in range(n)]


def bracket_of(study: str, trial: int, shares: Sequence[int]) -> int:
    """The bracket of a trial: Optuna's hash of the study's name and the trial's number."""
    place = crc32(f"{legacy_study_name(study)}_{trial}".encode()) % sum(shares)
    return next(i for i in range(len(shares)) if place < sum(shares[: i + 1]))


def hyperband_warning(study: str, trials: int, most_steps: int) -> str | None:
    """Why a budget is too small for hyperband, and which is enough; None where it is not.

    At a rung that fewer than twice the reduction reach, nothing but the best trial so far goes on, however close the
    second. A bracket of n trials has about n, n/3, n/9... at its rungs, of which the last must have as many.
    """
    if most_steps == 1:
        return "hyperband has nothing to stop in trials of one epoch; use pruner none"
    shares = bracket_shares(most_steps)
    needed = [2 * HYPERBAND_REDUCTION ** _rungs(skipped, most_steps) for skipped in range(len(shares))]
    sizes = _bracket_sizes(study, trials, shares)
    if _reach(sizes, needed):
        return None
    enough = next((n for n in _budgets(trials) if _reach(_bracket_sizes(study, n, shares), needed)), SEARCHED_BUDGET)
    return (
        f"{trials} trials are few for hyperband, whose brackets get {_listed(sizes)} of them: with fewer than about "
        f"{_listed(needed)}, its later rungs let only the best trial so far pass. "
        f"Raise trials to {enough}, or use median"
    )


def _rungs(skipped: int, most_steps: int) -> int:
    """How many rungs of a bracket lie before a trial's end."""
    return sum(HYPERBAND_REDUCTION**k < most_steps for k in range(skipped, most_steps.bit_length()))


def _budgets(above: int) -> Iterable[int]:
    """Rounded numbers of trials above a budget: to suggest one."""
    return range(above // 10 * 10 + 10, SEARCHED_BUDGET, 10)


def _bracket_sizes(study: str, trials: int, shares: Sequence[int]) -> list[int]:
    counts = Counter(bracket_of(study, number, shares) for number in range(trials))
    return [counts[i] for i in range(len(shares))]


def _reach(sizes: Sequence[int], needed: Sequence[int]) -> bool:
    return all(size >= n for size, n in zip(sizes, needed, strict=True))


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join([", ".join(map(str, numbers[:-1])), str(numbers[-1])]) if len(numbers) > 1 else str(numbers[0])
