"""How many steps a trial of a study reports for its pruner."""

from studies.space.dimensions import Range
from tests.helpers.formula_search import SPACE, a_search


def test_a_single_seed_reports_epochs_and_several_report_seeds() -> None:
    assert a_search().most_steps == 5
    assert a_search(space=SPACE | {"epochs": Range(low=1, high=9)}).most_steps == 9
    assert a_search(seeds=4).most_steps == 4


def test_the_baselines_epochs_count_where_the_space_has_none() -> None:
    space = {name: dimension for name, dimension in SPACE.items() if name != "epochs"}
    assert a_search(space=space).most_steps == 3
