"""What labelling gives: counts of pseudo-labels, agreement with people and between labellers, and what it cost.

The keys are those of `--json`, and of the results that 0.1.0 stored.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from stages.results.evaluation_result import ClassFigures, SplitIntervals
from stages.results.stage_result import Interval, Record, StageResult
from transfer.metrics.calibration_error import Reliability
from transfer.metrics.temperature_scaling import Calibration


class SampleOrigin(Record):
    """How the labelled comments were sampled. choose, languages: as the plan says. by: comments by way of selection
    (random, stratified, uncertain). strata: comments by stratum. left_out: comments by reason."""

    choose: str
    languages: list[str] | None
    by: dict[str, int]
    strata: dict[str, int]
    left_out: dict[str, int]


class CostEstimate(Record):
    """What a server will be asked for. questions: requests. tokens: read and written, guessed; written: of these.

    money: in `currency`, both None where the plan names no prices.
    """

    labeller: str
    questions: int
    tokens: int
    written: int
    money: float | None
    currency: str | None

    @property
    def in_words(self) -> str:
        """For people."""
        money = "" if self.money is None else f", about {self.money:,.2f} {self.currency}"
        return f"{self.questions:,} questions, about {self.tokens:,} tokens{money}"


class LabellerUsage(Record):
    """What a labeller's answers to these comments took, earlier runs included.

    tokens: read and written, as its server counted them; written: of these. uncounted: answers that came without a
    count. seconds: of the clock. money: in `currency`, both None where no price is known.
    """

    labeller: str
    answers: int
    tokens: int
    written: int
    uncounted: int
    seconds: float
    money: float | None
    currency: str | None


class PossibleInterval(Record):
    """As Interval; all three are None where the statistic is undefined."""

    value: float | None
    low: float | None
    high: float | None


class TuningScores(Record):
    """Agreement with the rows that a tuning is evaluated on, or the difference of two such."""

    macro_f1: Interval
    kappa: PossibleInterval


class TuningResult(Record):
    """How a tuning of a local labeller went, and whether the tuned labeller labels.

    kind: prompt or lora. adapter: its name in files. plain_loss, losses: mean cross-entropy of the held-out rows, in
    nats, without the adapter and after each epoch (None: not finite). epoch: the one kept, from 1; 0: none, as training
    diverged, and then the scores are None. learnt_from, held_out: rows. plain, tuned, gain: on the `n` rows of
    `judged_on`. used: the whole interval of the gain in macro-F1 lies above 0. summary: all of it in words.
    """

    labeller: str
    kind: str
    adapter: str
    plain_loss: float
    losses: list[float | None]
    epoch: int
    learnt_from: int
    held_out: int
    judged_on: str
    n: int
    used: bool = False
    plain: TuningScores | None = None
    tuned: TuningScores | None = None
    gain: TuningScores | None = None
    summary: str


class UncalibratedFigures(Record):
    """Answers as they came. labelled, missing: of all comments asked about, gold's among them. The others are figures
    on gold's report half, `gold_n` of its rows; None without gold, log_loss and ece also without confidence."""

    labelled: int
    missing: int
    accuracy: float | None
    macro_f1: float | None
    kappa: Interval | None
    log_loss: float | None
    ece: float | None
    gold_n: int


class PromptFigures(UncalibratedFigures):
    """One prompt of a labeller that has several. order: in which it names the labels."""

    identity: str
    instruction: str | None
    order: list[str]


class PromptAgreement(Record):
    """mean: share of the prompts with the label that came out. unanimous: share of comments on which all agree. Both
    None where no comment has two answers. alpha: Krippendorff's; None where it is undefined."""

    mean: float | None
    unanimous: float | None
    alpha: float | None


class LabellerFigures(UncalibratedFigures):
    """One labeller of the plan. prompts, agreement: where it is asked with several prompts."""

    labeller: str
    identity: str
    prompts: list[PromptFigures] = Field(default_factory=list, exclude_if=lambda prompts: not prompts)
    agreement: PromptAgreement | None = Field(default=None, exclude_if=lambda agreement: agreement is None)


class LabellerPair(Record):
    """Two labellers. n: comments that both labelled. same: share of them with the same label, None where n is 0.
    kappa: Cohen's; None where it is undefined."""

    labellers: list[str]
    n: int
    same: float | None
    kappa: Interval | None


class PairwiseAgreement(Record):
    """Of several labellers. alpha: Krippendorff's, of all of them; None where it is undefined."""

    pairs: list[LabellerPair]
    alpha: float | None


class ConfidenceFigures(Record):
    """log_loss: in nats. ece: expected calibration error. Both None where no confidence is known."""

    kappa: Interval | None
    log_loss: float | None
    ece: float | None


class CalibrationEffect(Record):
    """Figures of gold's report half, before and after calibration on its tune half."""

    before: ConfidenceFigures
    after: ConfidenceFigures


class GoldEvaluation(Record):
    """The labels that stage two reads, against gold's report half; an answer without a label is left out.

    accuracy, macro_f1, kappa: weighted where gold has weights; kappa is None where it is undefined, as everything has
    one label. gold_n: rows. per_class: precision, recall, f1, accuracy and support by label; confusion: (K, K), rows
    true, columns predicted; both count rows. reliability: None where no confidence is known; it leaves out the
    `unknown_confidence` rows. calibration: fitted on gold's tune half; None, like `calibrated`, where there is none.
    """

    accuracy: float
    macro_f1: float
    intervals: SplitIntervals
    kappa: Interval | None
    gold_n: int
    gold_is_weighted: bool
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]
    reliability: Reliability | None
    unknown_confidence: int
    calibration: Calibration | None = None
    calibrated: CalibrationEffect | None = None


# What stands in place of an evaluation's keys where there is none.
NOT_EVALUATED = dict.fromkeys(("accuracy", "macro_f1", "kappa", "calibration", "calibrated"))


class LabelResult(StageResult):
    """What labelling a sample of the comments came to.

    labelled, missing: comments of the sample with and without a label. labeller: description of the labeller, or of all
    together; identity: its name in the store. drawn: how the sample came about. tokens: of all answers to sample and
    gold; asked: questions of this run. estimate: before the servers were asked; usage: afterwards. simulation: the
    labeller is a stand-in for an LLM. shares: of the labels, by label, they add up to 1 (all 0 without a label).
    labellers: each one by itself; between: pairwise agreement, None for one labeller. evaluation: against people, None
    without gold or answers to it; its keys stand among the others in JSON.
    """

    stage: ClassVar[str] = "label"

    labelled: int
    missing: int
    labeller: dict[str, JsonValue]
    identity: str
    tuning: list[TuningResult] = Field(default_factory=list)
    drawn: SampleOrigin | None = None
    tokens: int
    asked: int
    estimate: list[CostEstimate] = Field(default_factory=list)
    usage: list[LabellerUsage] = Field(default_factory=list)
    simulation: bool
    shares: dict[str, float]
    evaluation: GoldEvaluation | None
    labellers: list[LabellerFigures] = Field(default_factory=list)
    between: PairwiseAgreement | None = None

    @property
    def kappa(self) -> Interval | None:
        """Cohen's κ with people; None without gold, or where gold and answers have one label."""
        return self.evaluation.kappa if self.evaluation else None

    @property
    def calibration(self) -> Calibration | None:
        """What is to be applied to the stored answers."""
        return self.evaluation.calibration if self.evaluation else None

    @model_validator(mode="before")
    @classmethod
    def _collect_evaluation(cls, values: Any) -> Any:
        """From the keys of JSON; results of 0.1.0 have the same."""
        if not isinstance(values, Mapping) or "evaluation" in values:
            return values
        found = {name: value for name, value in values.items() if name in GoldEvaluation.model_fields}
        others = {name: value for name, value in values.items() if name not in found}
        return {**others, "evaluation": None if found.get("accuracy") is None else found}

    @model_serializer(mode="wrap")
    def _spread_evaluation(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return values | (values.pop("evaluation") or NOT_EVALUATED)
