"""A trial is created with its parameters, which the next ones are sampled in view of."""

from optuna.trial import TrialState

from studies.optuna_storage import open_optuna
from studies.sampling.samplers import propose
from studies.workers.next_trial import add_next_trial
from studies.workers.worker_loop import open_study
from tests.helpers.formula_search import SPACE, a_search


def test_what_runs_elsewhere_is_known_to_the_sampler_from_its_first_moment(url: str) -> None:
    search = a_search(trials=20)
    study = open_study(open_optuna(url), search)
    begun = []
    for _ in range(4):
        add_next_trial(study, search)
        begun.append(study.ask().number)
    assert begun == [0, 1, 2, 3]
    for trial in study.get_trials():
        assert trial.state == TrialState.RUNNING
        assert trial.params.keys() == {"learning_rate", "epochs", "class_weighting"}
    params = [tuple(sorted(t.params.items())) for t in study.get_trials()]
    assert len(set(params)) == 4
    assert propose(study, SPACE, search.seed) == propose(study, SPACE, search.seed)
