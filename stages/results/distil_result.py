"""What distillation reports: one model trained on the ensemble's predictions, compared with the ensemble."""

from typing import ClassVar

from stages.results.evaluation_result import EvaluationReport, PairedDifference
from stages.results.stage_result import Record
from stages.results.study_results import ModelScores, StudiesResult


class Teacher(Record):
    """The ensemble: its name as tables show it, and the names of its members."""

    name: str
    members: list[str]


class ModelBytes(Record):
    """Size on disk of the distilled model, and of all the teacher's members."""

    model: int
    teacher: int


class TeacherComparison(PairedDifference):
    """The distilled model less the ensemble on n texts. agreement: the share of texts given the same label."""

    n: int
    agreement: float


class DistilResult(StudiesResult):
    """texts: how many texts the teacher labelled. against: by split that selected nothing. judged: all figures of the
    distilled model, by split."""

    stage: ClassVar[str] = "distil"

    teacher: Teacher
    texts: int
    bytes: ModelBytes
    against: dict[str, TeacherComparison]
    judged: dict[str, EvaluationReport]
    rows: list[ModelScores]
