"""A search on a subset, its best on all rows, and the best of those on fresh seeds, with a tiny encoder."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import pytest
from optuna.trial import TrialState

from stages.check.check_plan import check_plan
from stages.check.time_estimate import full_fits
from stages.pipeline import run_all
from stages.plan.schema import read_plan
from stages.reports.run_status import run_status
from stages.results.check_result import CheckResult
from stages.results.study_results import FreshSeeds, Scores, ShownTrial
from stages.runtime.progress import SilentReporter
from stages.runtime.run_context import Run, open_run, store_url
from stages.search.run_search import run_search
from stages.study_runs.refit import best_of, fresh_figures
from storage.records import model_registry
from studies.sampling.enumerated_trials import EnumeratedTrial
from tests.helpers.formula_search import dead_worker
from tests.helpers.small_project import write_csv
from tests.helpers.tiny_encoders import LABELS, easy_texts, save_encoder
from transfer.errors import UserError

PLAN = """
name: tiny
labels: [anger, joy, sadness]
original: {train: [{path: original.csv}], validation: 0.2, test: 0.2}
candidates: [bert]
pseudo_label: null
search:
  trials: 4
  keep: 2
  subset: {share: 0.4, refit: 2}
  recheck: {top: 2, seeds: 2}
  space: {learning_rate: {low: 4e-3, high: 1e-2, log: true}, epochs: 2, batch_size: 8, max_length: 32, dropout: 0}
"""
SEARCH = "tiny · search · bert"
ALL_DATA, FRESH = f"{SEARCH} · all data", f"{SEARCH} · fresh seeds"
Open = Callable[..., Run]


class Listener(SilentReporter):
    """Keeps what is said, and how much each trial reads; interrupts after so many epochs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.left = stop_after
        self.bars: list[tuple[str, int | None]] = []

    def message(self, text: str) -> None:
        if "epoch" in text and self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    @contextmanager
    def bar(self, what: str, total: int | None, unit: str) -> Iterator[Any]:
        self.bars.append((what, total))
        yield lambda done: None


@pytest.fixture(scope="module")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refit")
    texts, labels = easy_texts(120, seed=1)
    write_csv(folder / "original.csv", ["text", "label"], zip(texts, [LABELS[i] for i in labels], strict=True))
    save_encoder("bert", folder / "bert", with_lm_head=True)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture
def open_it(_data: Path, tmp_path: Path) -> Open:
    """Opens the plan in a workspace of its own."""

    def open_plan(*overrides: str, listener: Listener | None = None, at: str = "work") -> Run:
        plan = read_plan(_data / "plan.yaml", [f"workspace={tmp_path / at}", *overrides])
        run = open_run(plan, listener or Listener())
        # each that is interrupted is a process of its own, and gone when the next one comes
        return run if listener is None else replace(run, worker=replace(dead_worker(), name=f"gone {uuid4()}"))

    return open_plan


def trials_of(run: Run) -> dict[str, Any]:
    """All studies of a run, to the last bit."""
    storage = optuna.storages.RDBStorage(store_url(run.plan))
    return {
        name: [
            (
                t.number,
                t.state.name,
                t.value,
                sorted(t.params.items()),
                t.intermediate_values,
                t.user_attrs.get("entry"),
            )
            for t in optuna.load_study(study_name=name, storage=storage).trials
        ]
        for name in sorted(optuna.get_all_study_names(storage))
    }


def kept_by(run: Run) -> dict[str, Any]:
    def weights(path: str) -> str:
        return hashlib.sha256((run.files.fetch(path) / "model.safetensors").read_bytes()).hexdigest()

    return {
        record.name: (record.study, record.value, weights(record.path))
        for record in model_registry.models(run.engine, "tiny")
    }


def outcome(result: dict[str, Any]) -> str:
    """A stage's result but for where it lies."""
    return json.dumps({name: result[name] for name in ("studies", "rows")} | {"winner": result["winner"]["name"]})


def test_a_subset_is_searched_the_best_fitted_on_all_rows_and_again_on_fresh_seeds(open_it: Open) -> None:
    run = open_it()
    result = run_search(run).as_json()
    assert isinstance(run.report, Listener)
    train = 120 - 2 * 24  # validation and test are dealt label by label, about a fifth each
    read = {
        name: {total for what, total in run.report.bars if what.startswith(f"{name} · trial")}
        for name in (SEARCH, ALL_DATA, FRESH)
    }
    [rows] = {total // 2 for total in read[ALL_DATA] if total}  # of two epochs
    assert abs(rows - train) <= 3
    assert read[SEARCH] == {2 * round(0.4 * rows)}
    assert read[FRESH] == read[ALL_DATA]

    searched, final, fresh = result["studies"]
    assert [study["name"] for study in result["studies"]] == [SEARCH, ALL_DATA, FRESH]
    assert searched["what"] == f"search on {round(0.4 * rows)} of {rows} training rows"
    assert (searched["target"], fresh["target"]) == (4, 4)
    assert final["baseline"]["trial"] == 0
    best = {trial for trial, *_ in sorted(_values(run, SEARCH), key=lambda pair: -pair[1])[:2]} - {0}
    assert {entry for *_, entry in trials_of(run)[ALL_DATA]} == {"untuned", *(f"trial {number}" for number in best)}

    assert {record.study for record in model_registry.models(run.engine, "tiny")} == {ALL_DATA}
    winner = result["winner"]
    assert winner["study"] == ALL_DATA
    assert Path(winner["path"]).is_dir()
    again = final["rechecked"]
    assert winner["fresh"]["mean"] == max(figures["mean"] for figures in again)
    values = [value for *_, value in _values(run, FRESH)]
    assert [value for figures in again for value in figures["values"]] == values
    assert all(figures["low"] < figures["mean"] < figures["high"] <= 1 or figures["mean"] == 1 for figures in again)
    models = [row["model"] for row in result["rows"][2:]]
    assert models[1:] == [f"bert, stage one (trial {winner['trial']})", "bert, stage one, mean of 2 fresh seeds"]
    status = {study["name"]: study for study in run_status(run.plan).as_json()["studies"]}
    assert status[ALL_DATA]["rechecked"] == again
    assert {name: status[name]["target"] for name in status} == {SEARCH: 4, ALL_DATA: final["target"], FRESH: 4}


def _values(run: Run, study: str) -> list[tuple[int, float]]:
    return [(number, value) for number, _, value, *_ in trials_of(run)[study]]


@pytest.mark.slow
def test_interrupted_at_any_study_it_ends_like_one_that_ran_through(open_it: Open) -> None:
    through = open_it(at="through")
    whole = run_search(through).as_json()
    for epochs in (5, 6, 5, 3):  # in the subset's search, in a trial on all rows, on fresh seeds, and there again
        with pytest.raises(KeyboardInterrupt):
            run_search(open_it(listener=Listener(stop_after=epochs)))
    run = open_it()
    result = run_search(run).as_json()
    assert trials_of(run) == trials_of(through)
    assert kept_by(run) == kept_by(through)
    assert outcome(result) == outcome(whole)
    assert run_search(run).as_json()["winner"] == result["winner"]  # done: nothing is run again


def test_raising_the_trials_goes_on_with_the_search_and_fits_what_is_newly_among_the_best(open_it: Open) -> None:
    run_search(open_it("search.trials=2"))
    before = trials_of(open_it())
    result = run_search(open_it("search.trials=6")).as_json()
    after = trials_of(open_it())
    for study, trials in before.items():
        assert after[study][: len(trials)] == trials  # nothing done is lost
    assert len(after[SEARCH]) == 6
    wanted = {trial for trial, _ in sorted(_values(open_it(), SEARCH), key=lambda pair: (-pair[1], pair[0]))[:2]} - {0}
    assert {f"trial {number}" for number in wanted} <= {entry for *_, entry in after[ALL_DATA]}
    assert len({entry for *_, entry in after[ALL_DATA]}) == len(after[ALL_DATA])
    assert len({entry for *_, entry in after[FRESH]}) == len(after[FRESH])
    winner = result["winner"]
    assert winner["trial"] in {figures["trial"] for figures in result["studies"][1]["rechecked"]}
    assert Path(winner["path"]).is_dir()


def test_fresh_seeds_alone_leave_the_searchs_own_trials_as_they_are(open_it: Open) -> None:
    plain = ("search.subset=null", "search.recheck=none", "search.trials=2")
    run_search(open_it(*plain))
    before, kept = trials_of(open_it()), kept_by(open_it())
    assert list(before) == [SEARCH]
    result = run_search(open_it("search.subset=null", "search.trials=2", "search.recheck={top: 1, seeds: 2}")).as_json()
    after = trials_of(open_it())
    assert after[SEARCH] == before[SEARCH]
    assert kept_by(open_it()) == kept  # no weights for fresh seeds
    assert [entry for *_, entry in after[FRESH]] == [f"trial {result['winner']['trial']}, seed {i}" for i in (1, 2)]
    assert len({value for _, value in _values(open_it(), FRESH)} | {result["winner"]["value"]}) > 1  # other seeds
    assert result["studies"][0]["best"]["fresh"]["n"] == 2
    without = run_search(open_it(*plain)).as_json()
    assert without["winner"]["fresh"] is None


def test_the_ensemble_votes_with_models_fitted_on_all_rows_alone(open_it: Open) -> None:
    run = open_it("search.recheck=none", "search.trials=2", "search.space.epochs=1")
    result = run_all(run).as_json()
    assert {record.study for record in model_registry.models(run.engine, "tiny")} == {ALL_DATA}
    assert [stage["state"] for stage in result["stages"]] == ["done", "done"]


def test_another_subset_is_not_mixed_with_the_first(open_it: Open) -> None:
    small = ("search.trials=1", "search.recheck=none", "search.space.epochs=1")
    run_search(open_it(*small))
    run_search(open_it(*small, "search.subset.refit=1"))  # fewer again is no other search
    with pytest.raises(UserError, match=r"search\.subset \(rows, content\)"):
        run_search(open_it(*small, "search.subset.share=0.5"))


def trial(value: float, mean: float | None) -> ShownTrial:
    scores = Scores(accuracy=value, macro_f1=value, weighted_f1=value)
    over = {"mean": mean, "low": None, "high": None}
    fresh = {"trial": 0, "value": value, "n": 1, "values": [mean], "failed": 0, "macro_f1": over, "scores": scores}
    return ShownTrial(
        trial=0, value=value, params={}, scores=scores, fresh=FreshSeeds.model_validate(fresh | over) if mean else None
    )


def test_candidates_are_compared_by_fresh_seeds_only_where_all_have_them() -> None:
    lucky, steady = trial(0.9, 0.7), trial(0.8, 0.78)
    assert best_of("maximize", [lucky, steady]) == 1
    assert best_of("maximize", [lucky, trial(0.8, None)]) == 0
    assert best_of("minimize", [lucky, steady]) == 0


def test_a_seed_on_which_no_model_came_about_is_counted_and_not_averaged() -> None:
    study, fresh = optuna.create_study(direction="maximize"), optuna.create_study(direction="maximize")
    for own in (0.8, 0.9):
        study.add_trial(optuna.create_trial(value=own))
    wanted = [EnumeratedTrial(f"trial {t}, seed {i}", {}, {"of": t}) for t in (1, 0) for i in (1, 2, 3)]
    values: list[float | None] = [0.7, None, 0.6, None, None, None]
    for entry, value in zip(wanted, values, strict=True):
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        scores = dict.fromkeys(("accuracy", "macro_f1", "weighted_f1"), value)
        notes = {"entry": entry.key, **entry.notes, **scores}
        fresh.add_trial(optuna.create_trial(state=state, value=value, user_attrs=notes))
    [found] = fresh_figures(fresh, study.trials[::-1], wanted)
    figures = found.model_dump()
    assert (figures["trial"], figures["value"], figures["n"], figures["failed"]) == (1, 0.9, 2, 1)
    assert figures["values"] == [0.7, 0.6]
    assert figures["mean"] == pytest.approx(0.65)
    assert figures["low"] == pytest.approx(0.65 - 12.706 * 0.05, abs=1e-3)  # t of one degree of freedom
    assert figures["high"] == 1.0  # no value of a metric lies above


def test_check_says_what_is_fitted_again(open_it: Open) -> None:
    long = ("search.trials=20", "search.recheck=auto")
    subset = check_plan(open_it(*long).plan)
    part = round(0.4 * subset.rows["train"])
    assert not subset.problems
    words = f"20 trials on {part} rows, the best 2 and the baseline on all, the best 2 again on 3 fresh seeds"
    assert words in _basic(subset)
    assert "20 trials, the best 2 again on 3 fresh" in _basic(check_plan(open_it(*long, "search.subset=null").plan))
    assert "again" not in _basic(check_plan(open_it("search.recheck=none").plan))
    printed = check_plan(open_it("search.subset={rows: 500}").plan).problems
    assert [problem.splitlines()[0] for problem in printed] == [
        f"search.subset: 500 rows are no part of the {subset.rows['train']} training rows"
    ]


def test_the_estimate_counts_every_fit(open_it: Open) -> None:
    settings = open_it("search.trials=20").plan.search
    assert full_fits(settings, share=0.4) == 20 * 0.4 + (2 + 1) + 2 * 2
    assert full_fits(open_it("search.trials=20", "search.subset=null").plan.search, share=1.0) == 20 + 2 * 2


def _basic(result: CheckResult) -> str:
    return result.would_run[0].what


def test_a_plan_that_would_look_again_at_what_it_does_not_keep_is_refused(open_it: Open) -> None:
    with pytest.raises(UserError, match=r"recheck\.top 3 is more than keep 2"):
        open_it("search.recheck={top: 3}")


@pytest.mark.slow
def test_a_fresh_seed_belongs_to_its_entry_in_whatever_order_they_are_run(open_it: Open) -> None:
    small = ("search.subset=null", "search.trials=2")
    run_search(open_it(*small, "search.recheck={top: 2, seeds: 1}", at="grown"))
    run_search(open_it(*small, "search.recheck={top: 2, seeds: 2}", at="grown"))
    run_search(open_it(*small, "search.recheck={top: 2, seeds: 2}", at="at once"))
    grown, at_once = (trials_of(open_it(at=place))[FRESH] for place in ("grown", "at once"))
    assert [entry for *_, entry in grown] != [entry for *_, entry in at_once]
    assert {entry: value for _, _, value, *_, entry in grown} == {entry: value for _, _, value, *_, entry in at_once}
