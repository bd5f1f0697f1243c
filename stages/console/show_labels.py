"""Several labellers or prompts, and what they cost, as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any


def in_words(guess: Mapping[str, Any]) -> str:
    """An estimate of what a server will cost."""
    money = "" if guess["money"] is None else f", about {guess['money']:,.2f} {guess['currency']}"
    return f"{guess['questions']:,} questions, about {guess['tokens']:,} tokens{money}"


def unity_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Each labeller and prompt against gold, and how they agree with one another, where there are several."""
    several = len(result.get("labellers", [])) > 1
    for told in result.get("labellers", []):
        if several:
            yield f"{told['labeller']}: {_figures(told)}"
        if told.get("prompts"):
            yield from _prompt_lines(told)
    between = result.get("between")
    for pair in between["pairs"] if between else []:
        kappa = pair["kappa"]
        figures = f"kappa {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})" if kappa else "no kappa"
        same = "" if pair["same"] is None else f", {pair['same']:.1%} alike"
        yield f"{' and '.join(pair['labellers'])}: {figures}{same} on {pair['n']:,} comments"
    if between and between["alpha"] is not None:
        yield f"all labellers: Krippendorff's alpha {between['alpha']:.2f}"


def spending_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Tokens and money, by the servers' own counts."""
    for told in result.get("usage", []):
        if not told["tokens"]:
            continue
        money = "" if told["money"] is None else f", {told['money']:,.4g} {told['currency']}"
        left = f"; {told['uncounted']:,} answers came without a count" if told["uncounted"] else ""
        yield f"{told['labeller']}: {told['answers']:,} answers in all, {told['tokens']:,} tokens{money}{left}"


def _prompt_lines(told: Mapping[str, Any]) -> Iterator[str]:
    for i, prompt in enumerate(told["prompts"]):
        wording = f'"{prompt["instruction"][:60]}"' if prompt["instruction"] else "the language's own wording"
        yield f"  prompt {i + 1}, {wording}, {' · '.join(prompt['order'])}: {_figures(prompt)}"
    found = told["agreement"]
    if found["mean"] is not None:
        alpha = "" if found["alpha"] is None else f", Krippendorff's alpha {found['alpha']:.2f}"
        yield f"  prompts agree: {found['mean']:.1%} on average, all on {found['unanimous']:.1%} of comments{alpha}"


def _figures(told: Mapping[str, Any]) -> str:
    counts = f"{told['labelled']:,} labelled, {told['missing']:,} without a label"
    kappa = told["kappa"]
    if not kappa:
        return counts
    return f"{counts}; kappa with gold {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"
