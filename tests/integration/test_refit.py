"""A subset's search, its best on all rows and on fresh seeds, shared by real processes."""

from typing import Any

import optuna
import pytest

from stages.plan.schema import read_plan
from stages.runtime.run_context import open_run, store_url
from storage.records import model_registry
from tests.helpers.small_project import Project

MORE = (
    *("--set", "candidates=[models/bert]"),
    *("--set", "search.space.epochs=2"),
    *("--set", "search.subset={share: 0.4, refit: 2}"),
    *("--set", "search.recheck={top: 2, seeds: 2}"),
)
SEARCH = "small · search · models/bert"


def studies_of(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    storage = optuna.storages.RDBStorage(store_url(read_plan(project.plan)))
    return {
        name: [
            (t.number, t.state.name, t.value, sorted(t.params.items()), t.user_attrs.get("entry"))
            for t in optuna.load_study(study_name=name, storage=storage).trials
        ]
        for name in sorted(optuna.get_all_study_names(storage))
    }


@pytest.mark.slow
def test_a_worker_joins_the_subset_all_data_and_fresh_seeds_and_each_is_run_once(project: Project) -> None:
    searched, final, fresh = project.joined_search(*MORE)["studies"]
    assert searched["complete"] + searched["pruned"] == 3
    assert final["complete"] == final["target"]
    assert fresh["complete"] == fresh["target"] == 4
    for name in (f"{SEARCH} · all data", f"{SEARCH} · fresh seeds"):
        entries = [entry for *_, entry in studies_of(project)[name]]
        assert len(entries) == len(set(entries))
    kept = model_registry.models(open_run(read_plan(project.plan)).engine, "small")
    assert {record.study for record in kept} == {f"{SEARCH} · all data"}
