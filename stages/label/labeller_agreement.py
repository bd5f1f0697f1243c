"""How far labellers, and the prompts of one labeller, agree with one another; and each of them with people."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stages.datasets.original_and_gold import Gold
from stages.label.gold_evaluation import uncalibrated_figures
from stages.label.labeller_ensemble import LabellerFacts
from stages.plan.schema import Plan
from stages.results.label_result import (
    LabellerFigures,
    LabellerPair,
    PairwiseAgreement,
    PromptAgreement,
    PromptFigures,
)
from stages.results.stage_result import Interval
from stages.runtime.run_context import Run
from storage.records.pseudo_labels import LabelRow, labels_of
from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.krippendorff_alpha import krippendorff_alpha

NO_LABEL = -1  # as krippendorff_alpha has it
Answers = Mapping[str, LabelRow]  # by key


def figures_of_each(
    run: Run, labellers: Sequence[LabellerFacts], keys: Sequence[str], gold: Gold | None
) -> tuple[list[LabellerFigures], PairwiseAgreement | None]:
    """Each labeller by itself, and the agreement of each two; None for one labeller. keys: of all comments that they
    were to answer, gold's among them."""
    answers = [_answers(run, labeller.identity, keys) for labeller in labellers]
    figures = [_figures(run, *each, keys, gold) for each in zip(labellers, answers, strict=True)]
    if len(labellers) < 2:
        return figures, None
    return figures, pairwise_agreement(run.plan, [labeller.name for labeller in labellers], answers, keys)


def pairwise_agreement(
    plan: Plan, names: Sequence[str], answers: Sequence[Answers], keys: Sequence[str]
) -> PairwiseAgreement:
    """Of several labellers, by name and answers, on the comments that both of a pair labelled."""
    labels = _labels(answers, keys)
    pairs = [_pair(plan, [names[i], names[j]], labels[i], labels[j]) for i, j in combinations(range(len(names)), 2)]
    return PairwiseAgreement(pairs=pairs, alpha=_alpha(plan, labels))


def _figures(
    run: Run, labeller: LabellerFacts, answers: Answers, keys: Sequence[str], gold: Gold | None
) -> LabellerFigures:
    n = len(set(keys))
    several = labeller.variants if len(labeller.variants) > 1 else ()
    variants = [(identity, prompt, _answers(run, identity, keys)) for identity, prompt in several]
    prompts = [
        PromptFigures(
            identity=identity,
            instruction=prompt.instruction,
            order=list(prompt.order or run.plan.labels),
            **dict(uncalibrated_figures(run.plan, own, n, gold)),
        )
        for identity, prompt, own in variants
    ]
    of_prompts = [own for *_, own in variants]
    return LabellerFigures(
        labeller=labeller.name,
        identity=labeller.identity,
        **dict(uncalibrated_figures(run.plan, answers, n, gold)),
        prompts=prompts,
        agreement=_prompt_agreement(run.plan, answers, of_prompts, keys) if several else None,
    )


def _prompt_agreement(
    plan: Plan, answers: Answers, of_prompts: Sequence[Answers], keys: Sequence[str]
) -> PromptAgreement:
    shares = np.array([row.agreement for row in answers.values() if row.agreement is not None])
    return PromptAgreement(
        mean=float(shares.mean()) if len(shares) else None,
        unanimous=float(np.mean(shares == 1)) if len(shares) else None,
        alpha=_alpha(plan, _labels(of_prompts, keys)),
    )


def _pair(plan: Plan, names: list[str], one: NDArray[np.int64], other: NDArray[np.int64]) -> LabellerPair:
    both = (one != NO_LABEL) & (other != NO_LABEL)
    a, b = one[both], other[both]
    if not len(a):
        return LabellerPair(labellers=names, n=0, same=None, kappa=None)
    kappa = Interval.of(bootstrap_interval("kappa", a, b, len(plan.labels), seed=plan.seed))
    return LabellerPair(labellers=names, n=len(a), same=float(np.mean(a == b)), kappa=kappa)


def _labels(answers: Sequence[Answers], keys: Sequence[str]) -> NDArray[np.int64]:
    """(R, N) labels that R labellers gave N comments, NO_LABEL where one gave none."""
    rows = [[own.get(key) for key in keys] for own in answers]
    return np.array(
        [[NO_LABEL if row is None or row.label is None else row.label for row in own] for own in rows], dtype=np.int64
    )


def _alpha(plan: Plan, labels: NDArray[np.int64]) -> float | None:
    alpha = krippendorff_alpha(labels, len(plan.labels))
    return None if math.isnan(alpha) else alpha


def _answers(run: Run, identity: str, keys: Sequence[str]) -> dict[str, LabelRow]:
    return {row.key: row for row in labels_of(run.engine, identity, keys)}
