"""What servers cost: told as an estimate before they are asked, and from their own count of tokens afterwards."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from stages.console.show_labels import in_words
from stages.datasets.original_and_gold import Gold
from stages.label.labeller_ensemble import Facts, LabellerEnsemble, example_rows, named_labellers
from stages.plan.schema import Plan
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.labellers.few_shot_examples import Example, SampledExamples
from transfer.labellers.labeller_settings import LabellerSettings, check_labeller
from transfer.labellers.token_cost import estimate_cost

LOOKED_AT = 500  # texts whose mean length stands for all
Pairs = Sequence[tuple[str, str]]


def told_before(run: Run, panels: Sequence[LabellerEnsemble], wanted: Pairs, gold: Gold | None) -> list[dict[str, Any]]:
    """An estimate for each labeller that is a server, of what it has not answered yet; each is said, too."""
    texts = [text for _, text in wanted[:: max(len(wanted) // LOOKED_AT, 1)]]
    found = []
    for panel in (panel for panel in panels if panel.settings.base_url):
        keys = [key for key, _ in wanted]
        questions = [len(keys) - sum(1 for _ in labels_of(run.engine, way.identity, keys)) for way in panel.ways]
        guess = estimate_cost(panel.settings, run.plan.labels, questions, texts, _pool(run.plan, panel.settings, gold))
        if guess.questions:
            run.report.message(f"label: {panel.name}: {in_words(asdict(guess))}")
        found.append({"labeller": panel.name, **asdict(guess)})
    return found


def would_cost(plan: Plan, comments: int, texts: Sequence[str], gold: Gold | None) -> list[dict[str, Any]]:
    """The same before a run has begun, for `comments` comments of which `texts` are some. Nothing counts as known."""
    found = []
    for _, settings in named_labellers(plan):
        if settings.base_url and not check_labeller(settings, plan.labels):
            questions = [comments] * (1 + len(settings.prompt.paraphrases)) * settings.prompt.orders
            guess = estimate_cost(settings, plan.labels, questions, texts, _pool(plan, settings, gold))
            found.append({"labeller": settings.model, **asdict(guess)})
    return found


def spent(run: Run, facts: Sequence[Facts], wanted: Pairs) -> list[dict[str, Any]]:
    """For each labeller, of all its answers to these comments, those of earlier runs included: `answers`, `tokens`,
    `written` (of the tokens), `uncounted` (answers of a server that told no tokens), `seconds` (of the clock),
    `money` and `currency` (null where no price is known)."""
    keys = [key for key, _ in wanted]
    return [_spent(run, labeller, keys) for labeller in facts]


def _spent(run: Run, labeller: Facts, keys: Sequence[str]) -> dict[str, Any]:
    rows = [row for identity, _ in labeller.ways for row in labels_of(run.engine, identity, keys)]
    costs = [_cost(row, labeller.settings) for row in rows if row.tokens]
    currencies = {currency for _, currency in costs}
    one = currencies.pop() if len(currencies) == 1 else None
    return {
        "labeller": labeller.name,
        "answers": len(rows),
        "tokens": sum(row.tokens for row in rows),
        "written": sum(row.written or 0 for row in rows),
        "uncounted": sum(row.tokens == 0 for row in rows) if labeller.settings.base_url else 0,
        "seconds": sum(row.seconds or 0.0 for row in rows),
        "money": None if one is None else sum(cost for cost, _ in costs),
        "currency": one,
    }


def _cost(row: LabelRow, settings: LabellerSettings) -> tuple[float, str | None]:
    """As it was when the answer came; where the plan named no prices then, at those that it names now."""
    if row.cost is not None:
        return row.cost, row.currency
    return (
        (0.0, None)
        if settings.prices is None
        else (
            settings.prices.of(row.tokens, row.written or 0),
            settings.prices.currency,
        )
    )


def _pool(plan: Plan, settings: LabellerSettings, gold: Gold | None) -> list[Example]:
    how = settings.prompt.examples
    if not isinstance(how, SampledExamples) or (how.source == "gold" and gold is None):
        return []
    return example_rows(plan, how, gold)[:LOOKED_AT]
