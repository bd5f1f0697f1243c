"""Rounds of stage two: its best trials label more comments, and it is searched again with those, while that helps.

Self-training as in Xie et al., Self-training with Noisy Student (2020): every round starts from the same weights, so
that what it gives is the new labels' doing.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.datasets.original_and_gold import read_gold, read_original
from stages.further.further_inputs import Inputs
from stages.label.run_label import Sampled
from stages.label.sample_selection import kept_sample
from stages.plan.plan_settings import RoundsSettings
from stages.runtime.predictor import Predictor, model_record, predictor_fingerprint
from stages.runtime.run_context import SAMPLES, Run
from stages.runtime.stage_execution import fingerprint
from storage.records import model_registry, stage_records
from studies.worker_loop import POLL_SECONDS
from transfer.corpus.comment_stream import read_comments
from transfer.corpus.stratified_sampling import stratified_sample
from transfer.errors import UserError
from transfer.text.near_duplicates import flood_key
from transfer.text.script_language import in_languages


@dataclass(frozen=True)
class Round:
    """One round, ended. number: from 1, which learns from the labeller alone. teacher: the models of the round before
    that labelled its comments. value: of its chosen trial. interval: 95 %, of that trial as its weights are kept."""

    number: int
    labels: int
    teacher: Sequence[str]
    value: float
    interval: Mapping[str, float] | None

    def as_dict(self) -> dict[str, Any]:
        """As a result shows it."""
        told = {"round": self.number, "labels": self.labels, "teacher": list(self.teacher), "value": self.value}
        return told | {"interval": self.interval}


def teachers(run: Run, study: str) -> list[str]:
    """Names of the best kept trials of a round's study, best first, as many as the plan's `rounds.top`."""
    kept = model_registry.models(run.engine, run.plan.name, stage="further", study=study)
    ranked = sorted(kept, key=lambda record: (-(record.value or 0.0), record.trial or 0))
    return [record.name for record in ranked[: _settings(run).top]]


def inputs_of_round(run: Run, inputs: Inputs, number: int, teacher: Sequence[str], *, leads: bool) -> Inputs:
    """What a round learns from: the labeller's comments, and more that `teacher` labels, `rounds.comments` for each
    round after the first. They are labelled once, kept in files under the round's name, and read from there.

    Raises UserError where there are no more comments.
    """
    if number == 1:
        return inputs
    name = _name(run, inputs, number, teacher)
    if leads and not run.files.exists(name):
        _label(run, name, number, teacher)
    while not run.files.exists(name):  # the leader is at it
        record = stage_records.read(run.engine, run.plan.name, "further")
        if record is None or record.state != "running":
            raise UserError(f"round {number} of stage two is not there to join", "begin it with: moodline further")
        time.sleep(POLL_SECONDS)
    more = _read(run, name)
    both = Sampled(
        [*inputs.pseudo.keys, *more.keys],
        [*inputs.pseudo.texts, *more.texts],
        np.concatenate([inputs.pseudo.label, more.label]),
        np.concatenate([inputs.pseudo.probabilities, more.probabilities]),
    )
    parts = {**inputs.parts, "round": number, "round's comments": name}
    return replace(inputs, pseudo=both, parts=parts)


def round_name(inputs: Inputs, number: int) -> str:
    """How a round is called in names of studies and models: also after its teacher, for when more trials in the round
    before bring forth another, the trials of both must not mix."""
    return f"round {number} {fingerprint(inputs.parts)[:6]}"


def _settings(run: Run) -> RoundsSettings:
    assert run.plan.rounds is not None
    return run.plan.rounds


def _name(run: Run, inputs: Inputs, number: int, teacher: Sequence[str]) -> str:
    made_by = predictor_fingerprint([model_record(run, one) for one in teacher], "mean")
    told = {"inputs": fingerprint(inputs.parts), "teacher": made_by, "comments": _settings(run).comments}
    return f"{SAMPLES}/round-{number}-{fingerprint(told)}.parquet"


def _label(run: Run, name: str, number: int, teacher: Sequence[str]) -> None:
    drawn = _drawn(run, _settings(run).comments * (number - 1))
    if not drawn:
        raise UserError(
            f"round {number}: there are no comments left to label", "set rounds: null, or name more comments"
        )
    run.report.message(f"further: round {number}: {len(drawn):,} more comments are labelled by {', '.join(teacher)}")
    predictor = Predictor(run, f"round {number - 1}", list(teacher), "mean")
    probabilities = predictor.probabilities([text for _, text in drawn])
    table = pa.table(
        {
            "key": [key for key, _ in drawn],
            "text": [text for _, text in drawn],
            "probabilities": [row.tolist() for row in probabilities],
        }
    )
    local = run.scratch / f"round-{os.getpid()}.parquet"
    local.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, local)
    run.files.publish(local, name)
    local.unlink()


def _drawn(run: Run, size: int) -> list[tuple[str, str]]:
    """(key, text) of comments that nobody has labelled: not in gold, the original data or the labeller's sample."""
    plan, gold, original = run.plan, read_gold(run), read_original(run.plan)
    splits = [original.train, original.validation, *([original.test] if original.test else [])]
    splits += [gold.tune, gold.report] if gold else []
    known = [(key, text) for rows in splits for key, text in zip(rows.keys, rows.texts, strict=True)]
    known += kept_sample(run, gold)
    taken = {name for key, text in known for name in (key, flood_key(key, text))}
    languages = plan.pseudo_label.languages if plan.pseudo_label else None
    read = partial(read_comments, plan.comments, plan.base, plan.index.timezone, salt="", where="comments")
    draw = stratified_sample(
        read,
        size,
        plan.seed,
        plan.index.timezone,
        same=flood_key,
        wanted=in_languages(languages),
        without=taken,
    )
    return [(row.key, row.text) for row in draw.rows]


def _read(run: Run, name: str) -> Sampled:
    table = pq.read_table(run.files.fetch(name))
    probabilities = np.array(table.column("probabilities").to_pylist(), dtype=np.float32)
    label = probabilities.argmax(axis=1).astype(np.int64)
    return Sampled(table.column("key").to_pylist(), table.column("text").to_pylist(), label, probabilities)
