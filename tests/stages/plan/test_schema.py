from stages.plan.schema import read_plan
from tests.helpers.short_plan import SHORT, WriteIt


def test_the_shortest_useful_plan_has_a_practitioners_defaults(plan_at: WriteIt) -> None:
    plan = read_plan(plan_at(SHORT))
    assert (plan.search.trials, plan.search.metric, plan.search.pruner, plan.search.keep) == (
        20,
        "macro_f1",
        "median",
        3,
    )
    assert (plan.original.validation, plan.original.test) == (0.1, 0.1)
    assert plan.ensemble.combine == "mean"
    assert plan.pseudo_label is not None
    assert plan.pseudo_label.labeller.model == "google/gemma-3-4b-it"
    assert plan.root == plan.base / "runs" / "short"
