"""The plan's teacher: the best trials that stage one has kept, whichever candidate they are of."""

from stages.results.study_results import SearchResult
from stages.runtime.predictor import Predictor, predictor_fingerprint
from stages.runtime.run_context import Run
from stages.runtime.stage_execution import read_result
from storage.records import model_registry
from studies.lasting_names import lasting_model_name
from transfer.labellers.teacher_labeller import TeacherLabeller
from transfer.metrics.scores import DIRECTIONS


def teacher_of(run: Run) -> TeacherLabeller:
    """The mean of the best `ensemble.top` kept trials of stage one, with equal weights; loaded when it first answers.

    Raises UserError where stage one is not done, or was done with another plan or data.
    """
    read_result(run, SearchResult)
    sign = 1 if DIRECTIONS[run.plan.search.metric] == "maximize" else -1
    models = model_registry.models(run.engine, run.plan.name, stage="search")
    kept = [record for record in models if record.value is not None]
    ranked = sorted(kept, key=lambda record: (-sign * (record.value or 0.0), record.name))
    names = [record.name for record in ranked[: run.plan.ensemble.top]]
    predictor = Predictor(run, f"mean of {len(names)}", names)
    members = {lasting_model_name(record.name): predictor_fingerprint([record], "one") for record in predictor.records}
    return TeacherLabeller(run.plan.labels, members, predictor.probabilities, predictor.members)


def stage_one_winner(run: Run) -> Predictor:
    """Stage one's winner alone. Raises UserError as teacher_of does."""
    name = read_result(run, SearchResult).winner.name
    return Predictor(run, name, [name])
