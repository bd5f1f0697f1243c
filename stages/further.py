"""Stage two: a study that starts from the winner's weights and learns from pseudo-labels and original data."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.basic import basic_result
from stages.data import Gold, read_gold, read_original
from stages.pseudo_label import Sampled, sampled
from stages.refit import Job, search_and_refit
from stages.results import SIMULATED, Row, trial_rows
from stages.searching import fitted_space, longest_of, resources, stopped, winner_of, with_path
from stages.stage import do_stage, fingerprint, require_same, result_of
from stages.workspace import Run
from stages.yardstick import Yardstick
from storage import registry
from studies.again import RecheckSettings, recheck_of
from studies.search import Search
from studies.space import default_mixing, default_space, plain_space
from studies.task import Exam, Probabilities, Task
from transfer.encoding import encode
from transfer.finetune import Examples, Recipe, one_hot
from transfer.mixing import PseudoLabelled, mix
from transfer.model import depth, load_config, load_tokenizer, longest_input
from transfer.problem import Problem
from transfer.splits import Original

STAGE = "further"
# Without gold, this share of the pseudo-labels is held out to choose by.
HELD_OUT = 0.15
FEWEST_PSEUDO_LABELS = 20
# Trial 0: a plain mixture, half and half, with the labeller's own doubt kept.
PLAIN_MIXTURE = {"pseudo_share": 0.5, "confidence": 0.0, "label_softness": 1.0}


@dataclass(frozen=True)
class Target:
    """Comments that stage two is judged on. source: "gold" (its tune half) or "pseudo-labels" (held out)."""

    texts: list[str]
    truth: NDArray[np.int64]
    source: str


def run_further(run: Run) -> dict[str, Any]:
    """Searches mixtures and recipes, from stage one's winner on. The result has `studies`, `winner` and `target`."""
    inputs = _inputs(run)
    recheck = _recheck(run)
    extent = {
        "trials": run.plan.further.trials,
        "labels": len(inputs.pseudo.keys),
        "simulation": _is_simulated(run),
        **({"recheck": recheck.model_dump()} if recheck else {}),
    }
    return with_path(run, do_stage(run, STAGE, inputs.parts, extent, lambda: _search(run, inputs, leads=True)))


def further_result(run: Run) -> dict[str, Any]:
    """Stage two's result, for those who build on it.

    Raises Problem where it is not done, or was done with another plan or data.
    """
    result = result_of(run, STAGE)
    require_same(run, STAGE, _inputs(run).parts)
    return result


def join_further(run: Run) -> dict[str, Any]:
    """Helps with stage two's study from another process."""
    inputs = _inputs(run)
    require_same(run, STAGE, inputs.parts)
    return with_path(run, _search(run, inputs, leads=False))


def target_of(gold: Gold | None, pseudo: Sampled) -> tuple[Target, Sampled]:
    """What to choose by, and the pseudo-labels that are left to learn from."""
    if gold is not None:
        return Target(gold.tune.texts, gold.tune.labels, "gold"), pseudo
    # by each key's own hash: a larger sample moves no text from one side to the other
    held = np.array([_is_held_out(key) for key in pseudo.keys], dtype=bool)
    apart = _chosen(pseudo, held)
    return Target(apart.texts, apart.label, "pseudo-labels"), _chosen(pseudo, ~held)


def _is_held_out(key: str) -> bool:
    return int(hashlib.blake2b(key.encode(), digest_size=4).hexdigest(), 16) / 2**32 < HELD_OUT


def _chosen(pseudo: Sampled, mask: NDArray[np.bool_]) -> Sampled:
    picked = np.flatnonzero(mask)
    keys, texts = [pseudo.keys[i] for i in picked], [pseudo.texts[i] for i in picked]
    return Sampled(keys, texts, pseudo.label[picked], pseudo.probabilities[picked])


@dataclass(frozen=True)
class _Inputs:
    """What stage two begins with. parts: of the fingerprint."""

    winner: Mapping[str, Any]
    original: Original
    target: Target
    pseudo: Sampled
    parts: dict[str, Any]


def _inputs(run: Run) -> _Inputs:
    plan = run.plan
    winner, labelled = basic_result(run)["winner"], result_of(run, "pseudo_label")
    gold = read_gold(run)
    original = read_original(plan, {*gold.tune.keys, *gold.report.keys} if gold else ())
    target, pseudo = target_of(gold, sampled(run, labelled, gold))
    if len(pseudo.keys) < FEWEST_PSEUDO_LABELS or not target.texts:
        raise Problem(
            f"stage two: {len(pseudo.keys)} pseudo-labels are too few to learn from",
            f"at least {FEWEST_PSEUDO_LABELS} are needed: raise pseudo_label.sample, or look at its answers",
        )
    parts = {
        "winner": {name: winner[name] for name in ("candidate", "trial", "value")},
        "labeller": labelled["identity"],
        "target": target.source,
        "gold (content)": gold.tune.fingerprint if gold else None,
        "seed": plan.seed,
        "further.pruner": plan.further.pruner,
        "further.tolerance": plan.further.tolerance,
        "further.space": plain_space({**plan.search.space, **plan.further.space}),
        "original (content)": [original.train.fingerprint, original.validation.fingerprint],
    }
    if plan.further.sampler != "tpe":
        parts["further.sampler"] = plan.further.sampler
    if plan.further.seeds != 1:
        parts["further.seeds"] = plan.further.seeds
    if "drawn" in labelled:
        parts["comments chosen"] = [labelled["drawn"][name] for name in ("choose", "languages")]
    if labelled.get("calibration"):
        parts["calibration"] = labelled["calibration"]  # the labels learnt from are others with it
    return _Inputs(winner, original, target, pseudo, parts)


def _search_of(run: Run, inputs: _Inputs, task: Task, baseline: Mapping[str, Any]) -> Search:
    plan, candidate = run.plan, inputs.winner["candidate"]
    return Search(
        name=f"{plan.name} · {STAGE} · {candidate}",
        direction="maximize",
        metric="macro_f1 on the target, less what the original loses",
        space=task.space,
        baseline=baseline,
        trials=plan.further.trials,
        seed=task.seed,
        sampler=plan.further.sampler,
        seeds=plan.further.seeds,
        pruner=plan.further.pruner,
        keep=plan.further.keep,
        timeout=None if plan.further.timeout is None else 60 * plan.further.timeout,
        attributes={"candidate": candidate, "stage": STAGE, "target": inputs.target.source},
    )


def _task(run: Run, inputs: _Inputs) -> tuple[Task, dict[str, Any]]:
    """The task of every trial, and trial 0's parameters: the winner's own, and a plain mixture."""
    plan, labels = run.plan, run.plan.labels
    winner, original, target, pseudo = inputs.winner, inputs.original, inputs.target, inputs.pseudo
    record = registry.get(run.engine, plan.name, winner["name"])
    if record is None:
        raise Problem(f"the weights of {winner['name']} are gone", "begin stage one again: --anew basic")
    start = str(run.files.fetch(record.path))
    config, tokenizer = load_config(start), load_tokenizer(start)
    default = {**default_space(depth(config)), **default_mixing()}
    space = fitted_space(plan.space("further", default), longest_input(config, tokenizer))
    longest = longest_of(space)
    train = Examples(
        encode(original.train.texts, tokenizer, longest, run.cache),
        one_hot(original.train.labels, len(labels)),
        np.ones(len(original.train.texts), dtype=np.float32),
    )
    learnt = PseudoLabelled(encode(pseudo.texts, tokenizer, longest, run.cache), pseudo.label, pseudo.probabilities)
    exams = {
        "validation": Exam(
            encode(original.validation.texts, tokenizer, longest, run.cache), original.validation.labels
        ),
        "target": Exam(encode(target.texts, tokenizer, longest, run.cache), target.truth),
    }
    yardstick = Yardstick(
        tuple(labels), original.validation.labels, target.truth, record.metrics["macro_f1"] - plan.further.tolerance
    )

    def value(probabilities: Mapping[str, Probabilities]) -> float:
        return yardstick.value(probabilities)

    seed = int(np.random.SeedSequence([plan.seed, 2]).generate_state(1)[0])
    task = Task(
        start=start,
        labels=labels,
        tokenizer=tokenizer,
        space=space,
        seed=seed,
        examples=lambda params, seed: mix(train, learnt, params, seed),
        exams=exams,
        value=value,
        stage=STAGE,
        plan=plan.name,
        candidate=winner["candidate"],
        lineage={"fingerprint": fingerprint(inputs.parts), "parts": inputs.parts, "start": winner["name"]},
        seeds=plan.further.seeds,
        **resources(plan.search),
    )
    recipe = {name: record.recipe[name] for name in asdict(Recipe()) if name in record.recipe}
    return task, recipe | PLAIN_MIXTURE


def _search(run: Run, inputs: _Inputs, *, leads: bool) -> dict[str, Any]:
    if inputs.target.source != "gold":
        run.report.say(
            f"{STAGE}: without gold, trials are chosen by held-out pseudo-labels. "
            "That shows how well the labeller is learnt, not how right it is"
        )
    task, baseline = _task(run, inputs)
    plan_of = _search_of(run, inputs, task, baseline)
    run.report.say(f"{STAGE}: learns from {len(inputs.pseudo.keys)} pseudo-labels")
    found = search_and_refit(run, Job(plan_of, task, recheck=_recheck(run)), leads=leads)
    if found.chosen is None:
        raise Problem("stage two: no trial is complete", "moodline status tells why each failed")
    winner = winner_of(STAGE, task.candidate, plan_of.name, found.chosen)
    return {
        "studies": found.studies,
        "winner": winner,
        "target": inputs.target.source,
        "rows": _rows(run, task.candidate, found.chosen),
        "stopped": stopped(run, STAGE, found.studies, run.plan.further.timeout),
    }


def _recheck(run: Run) -> RecheckSettings | None:
    settings = run.plan.further
    return recheck_of(settings.recheck, settings.trials, settings.keep)


def _rows(run: Run, candidate: str, chosen: Mapping[str, Any]) -> list[Row]:
    """Stage one's table, and stage two's chosen trial below it; gold's report half is read by the ensemble."""
    before: list[Row] = result_of(run, "basic")["rows"]
    note = SIMULATED if _is_simulated(run) else ""
    return [*before, *trial_rows(f"{candidate}, stage two", STAGE, before[0]["n"], chosen, note)]


def _is_simulated(run: Run) -> bool:
    return run.plan.pseudo_label is not None and run.plan.pseudo_label.simulation
