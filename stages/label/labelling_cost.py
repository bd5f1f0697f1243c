"""What servers cost: an estimate before they are queried, and afterwards what they themselves counted."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from stages.datasets.original_and_gold import Gold, read_original
from stages.datasets.run_data import data_of
from stages.label.labeller_ensemble import LabellerEnsemble, LabellerFacts, example_rows, named_labellers
from stages.plan.schema import Plan
from stages.results.label_result import CostEstimate, LabellerUsage
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.labellers.few_shot_examples import Example, SampledExamples
from transfer.labellers.labeller_settings import LabellerSettings, check_labeller
from transfer.labellers.server.token_cost import estimate_cost

LOOKED_AT = 500  # texts whose mean length stands for all
Pairs = Sequence[tuple[str, str]]


def estimate_run(
    run: Run, ensembles: Sequence[LabellerEnsemble], comments: Pairs, gold: Gold | None
) -> list[CostEstimate]:
    """For each labeller that is a server, of what it has not answered yet; also reported as a message."""
    keys, texts = [key for key, _ in comments], [text for _, text in comments[:: max(len(comments) // LOOKED_AT, 1)]]
    found = []
    for ensemble in (ensemble for ensemble in ensembles if ensemble.settings.base_url):
        known = [sum(1 for _ in labels_of(run.engine, variant.identity, keys)) for variant in ensemble.variants]
        questions = [len(keys) - n for n in known]
        rows = partial(example_rows, run.plan, gold=gold, original=lambda: data_of(run).original.train)
        found.append(_estimate(run.plan.labels, ensemble.name, ensemble.settings, questions, texts, rows))
        if found[-1].questions:
            run.report.message(f"label: {ensemble.name}: {found[-1].in_words}")
    return found


def estimate_plan(plan: Plan, comments: int, texts: Sequence[str], gold: Gold | None) -> list[CostEstimate]:
    """The same before a run has begun, for `comments` comments of which `texts` are some. No answer is known yet."""
    keys = {*gold.tune.keys, *gold.report.keys} if gold else set[str]()
    rows = partial(example_rows, plan, gold=gold, original=lambda: read_original(plan, keys).train)
    return [
        _estimate(plan.labels, str(settings.model), settings, [comments] * prompt_count(settings), texts, rows)
        for _, settings in named_labellers(plan)
        if settings.base_url and not check_labeller(settings, plan.labels)
    ]


def prompt_count(settings: LabellerSettings) -> int:
    """How many prompts a labeller is asked with: each wording with each order of the labels."""
    return (1 + len(settings.prompt.paraphrases)) * settings.prompt.orders


def usage_of(run: Run, labeller: LabellerFacts, keys: Sequence[str]) -> LabellerUsage:
    """Of all its answers to these comments, those of earlier runs included."""
    rows = [row for identity, _ in labeller.variants for row in labels_of(run.engine, identity, keys)]
    costs = [_cost(row, labeller.settings) for row in rows if row.tokens]
    currencies = {currency for _, currency in costs}
    currency = currencies.pop() if len(currencies) == 1 else None
    return LabellerUsage(
        labeller=labeller.name,
        answers=len(rows),
        tokens=sum(row.tokens for row in rows),
        written=sum(row.written or 0 for row in rows),
        uncounted=sum(row.tokens == 0 for row in rows) if labeller.settings.base_url else 0,
        seconds=sum(row.seconds or 0.0 for row in rows),
        money=None if currency is None else sum(cost for cost, _ in costs),
        currency=currency,
    )


def _cost(row: LabelRow, settings: LabellerSettings) -> tuple[float, str | None]:
    """As it was when the answer came; where the plan named no prices then, at those that it names now."""
    if row.cost is not None:
        return row.cost, row.currency
    if settings.prices is None:
        return 0.0, None
    return settings.prices.of(row.tokens, row.written or 0), settings.prices.currency


def _estimate(
    labels: Sequence[str],
    name: str,
    settings: LabellerSettings,
    questions: Sequence[int],
    texts: Sequence[str],
    rows: Callable[[SampledExamples], list[Example]],
) -> CostEstimate:
    how = settings.prompt.examples
    pool = rows(how)[:LOOKED_AT] if isinstance(how, SampledExamples) else []
    return CostEstimate(labeller=name, **asdict(estimate_cost(settings, labels, questions, texts, pool)))
