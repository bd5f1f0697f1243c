"""Rounds of stage two: its best trials label more comments, and it is searched again with those, while that helps.

Self-training as in Xie et al., Self-training with Noisy Student (2020): every round starts from the same weights, so
that what it gains is due to the new labels.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.comment_samples import draw_comments, publish_table
from stages.datasets.pseudo_labels import Sampled, kept_sample
from stages.datasets.run_data import data_of
from stages.further.further_inputs import FurtherInputs
from stages.plan.plan_settings import RoundsSettings
from stages.results.further_result import FurtherResult
from stages.runtime.predictor import Predictor, model_record, predictor_fingerprint
from stages.runtime.run_context import SAMPLES, Run
from stages.runtime.stage_execution import fingerprint
from storage.records import model_registry, stage_records
from studies.workers.worker_loop import POLL_SECONDS
from transfer.errors import UserError
from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages


def teachers(run: Run, study: str) -> list[str]:
    """Names of the best kept trials of a round's study, best first, as many as the plan's `rounds.top`."""
    kept = model_registry.models(run.engine, run.plan.name, stage=FurtherResult.stage, study=study)
    ranked = sorted(kept, key=lambda record: (-(record.value or 0.0), record.trial or 0))
    return [record.name for record in ranked[: _settings(run).top]]


def inputs_of_round(
    run: Run, inputs: FurtherInputs, number: int, teacher: Sequence[str], *, is_coordinator: bool
) -> FurtherInputs:
    """What a round trains on: the labeller's comments, and more that `teacher` labels, `rounds.comments` for each
    round after the first. They are labelled once, kept in files under the round's name, and read from there.

    Raises UserError where there are no more comments.
    """
    if number == 1:
        return inputs
    name = _name(run, inputs, number, teacher)
    if is_coordinator and not run.files.exists(name):
        _label(run, name, number, teacher)
    _wait_for(run, name, number)
    more = _read(run, name)
    both = Sampled(
        [*inputs.pseudo.keys, *more.keys],
        [*inputs.pseudo.texts, *more.texts],
        np.concatenate([inputs.pseudo.label, more.label]),
        np.concatenate([inputs.pseudo.probabilities, more.probabilities]),
    )
    parts = {**inputs.parts, "round": number, "round's comments": name}
    return replace(inputs, pseudo=both, parts=parts)


def _settings(run: Run) -> RoundsSettings:
    assert run.plan.rounds is not None
    return run.plan.rounds


def _wait_for(run: Run, name: str, number: int) -> None:
    """Until the coordinator has labelled a round's comments."""
    while not run.files.exists(name):
        record = stage_records.read(run.engine, run.plan.name, FurtherResult.stage)
        if record is None or record.state != "running":
            raise UserError(f"round {number} of stage two is not there to join", "begin it with: moodline further")
        time.sleep(POLL_SECONDS)


def _name(run: Run, inputs: FurtherInputs, number: int, teacher: Sequence[str]) -> str:
    made_by = predictor_fingerprint([model_record(run, one) for one in teacher], "mean")
    made_from = {"inputs": fingerprint(inputs.parts), "teacher": made_by, "comments": _settings(run).comments}
    return f"{SAMPLES}/round-{number}-{fingerprint(made_from)}.parquet"


def _label(run: Run, name: str, number: int, teacher: Sequence[str]) -> None:
    sample = _sample(run, _settings(run).comments * (number - 1))
    if not sample:
        raise UserError(
            f"round {number}: there are no comments left to label", "set rounds: null, or name more comments"
        )
    keys, texts = [key for key, _ in sample], [text for _, text in sample]
    run.report.message(f"further: round {number}: {', '.join(teacher)} labels {len(sample):,} more comments")
    probabilities = Predictor(run, f"round {number - 1}", list(teacher), "mean").probabilities(texts)
    publish_table(run, name, pa.table({"key": keys, "text": texts, "probabilities": probabilities.tolist()}))


def _sample(run: Run, size: int) -> list[tuple[str, str]]:
    """(key, text) of comments that nobody has labelled: not in gold, the original data or the labeller's sample."""
    plan, data = run.plan, data_of(run)
    known = [(key, text) for rows in data.labelled for key, text in zip(rows.keys, rows.texts, strict=True)]
    known += kept_sample(run, data.gold)
    sample = draw_comments(
        plan,
        size,
        same=flood_key,
        wanted=in_languages(plan.pseudo_label.languages if plan.pseudo_label else None),
        without={name for key, text in known for name in (key, flood_key(key, text))},
    )
    return [(row.key, row.text) for row in sample.rows]


def _read(run: Run, name: str) -> Sampled:
    table = pq.read_table(run.files.fetch(name))
    probabilities = np.array(table.column("probabilities").to_pylist(), dtype=np.float32)
    label = probabilities.argmax(axis=1).astype(np.int64)
    return Sampled(table.column("key").to_pylist(), table.column("text").to_pylist(), label, probabilities)
