"""How good models are: combinations, distillation, scores with intervals, confusion matrices, slices."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from stages.console.tables import console, ends, figure, interval, table
from stages.results.distil_result import DistilResult
from stages.results.ensemble_result import CombinationScores, EnsembleResult
from stages.results.evaluation_result import ClassFigures, ClassIntervals, EvaluationResult, PredictionResult, Slice

HEADLINES = ("accuracy", "macro_f1", "weighted_f1", "macro_precision", "macro_recall", "log_loss", "brier", "ece")
ALONE = "that is the single model {}: nothing is combined"
SELECTED_BOTH = "both were selected on these rows, which also fitted what is fitted, so nothing is claimed"
BETTER, NOT_SHOWN = "better, as its interval shows", "the interval does not show which is better"


def show_ensemble(result: EnsembleResult) -> None:
    """All combinations on the data that selected one, the selected one, and its gain on data that selected nothing."""
    out = console()
    out.print(_combinations(result))
    if any(line.fitted for line in result.combinations):
        out.print("* fitted on these rows; its figures are of rows that its fit did not see (5 folds)")
    out.print("selected on this data, so no figure above claims that one is better than another")
    out.print(f"selected: {result.chosen}")
    out.print(ALONE.format(result.alone) if result.alone else f"members: {', '.join(result.members)}")
    if result.diversity and result.diversity.pairs:
        known = [(name.replace("_", " "), mean) for name, mean in result.diversity.mean if mean is not None]
        means = ", ".join(f"{name} {figure(mean)}" for name, mean in known)
        out.print(f"diversity of the members, mean over pairs on validation: {means}")
    if result.alone and result.alone == result.best_single:
        out.print("ensemble less best single: they are the same model")
    else:
        _show_gain(result)
    out.print(f"final: {result.final.kind}; the test split was read {result.test_readings} times so far")


def _combinations(result: EnsembleResult) -> Table:
    targets = ["target"] if result.target else []
    names = ("combination", "members", "value", "95 % interval", "accuracy on validation", "macro-F1")
    made = table(*names, *("macro-F1 on target" for _ in targets))
    if result.combinations:
        of_best = result.final.intervals.best if result.final.intervals else None
        made.add_row(f"best single: {result.best_single}", "1", figure(result.final.value.best), ends(of_best))
    for line in result.combinations:
        made.add_row(*_combination(line, targets))
    return made


def _combination(line: CombinationScores, targets: Sequence[str]) -> list[str]:
    own = line.figures["validation"]
    figures = [figure(own.accuracy), figure(own.macro_f1), *(figure(line.figures[split].macro_f1) for split in targets)]
    name = f"{line.combination}{' *' * line.fitted}"
    return [name, str(line.members), figure(line.value), ends(line.interval), *figures]


def _show_gain(result: EnsembleResult) -> None:
    """On rows that selected nothing; where there are none, on those that selected, and then nothing is claimed."""
    out = console()
    for split, gain in result.gain.items():
        verdict = BETTER if gain.better else NOT_SHOWN
        out.print(f"ensemble less best single on {split}: macro-F1 {interval(gain.macro_f1, '+')}: {verdict}")
    found = result.gain_on_validation
    if not result.gain and found:
        figures = f"accuracy {interval(found.accuracy, '+')}, macro-F1 {interval(found.macro_f1, '+')}"
        out.print(f"ensemble less best single on validation: {figures}; {SELECTED_BOTH}")


def show_distilled(result: DistilResult) -> None:
    out = console()
    model, teacher = result.bytes.model / 1e6, result.bytes.teacher / 1e6
    trained = f"trained on {result.texts:,} texts labelled by {result.teacher.name}"
    out.print(f"distilled: {result.winner.name}, {trained}; {model:,.0f} MB in place of {teacher:,.0f} MB")
    for split, found in result.against.items():
        same = f"the same label for {found.agreement:.1%} of {found.n:,} texts"
        out.print(f"distilled less ensemble on {split}: macro-F1 {interval(found.macro_f1, '+')}; {same}")


def show_evaluation(result: EvaluationResult) -> None:
    out = console()
    out.print(f"{result.predictor}: {result.n:,} rows")
    made = table("figure", "value", "95 % interval")
    for name in HEADLINES:
        found = getattr(result.intervals, name)
        made.add_row(name.replace("_", " "), figure(found.value), ends(found))
    out.print(made)
    show_classes(result.labels, result.per_class, result.confusion, result.intervals.per_class)
    for name, rows in result.slices.items():
        out.print(_slices(name, rows))
    for name, written in (("errors", result.errors), ("pictures", result.pictures)):
        if written:
            out.print(f"{name}: {written}")


def _slices(name: str, rows: Sequence[Slice]) -> Table:
    made = table(name, "rows", "accuracy", "95 % interval", "macro-F1", "95 % interval")
    for row in rows:
        if row.intervals is None:
            made.add_row(row.slice, figure(row.n), "", "too few")
        else:
            accuracy, macro_f1 = row.intervals.accuracy, row.intervals.macro_f1
            figures = (figure(row.accuracy), ends(accuracy), figure(row.macro_f1), ends(macro_f1))
            made.add_row(row.slice, figure(row.n), *figures)
    return made


def show_classes(
    labels: Sequence[str],
    per_class: Mapping[str, ClassFigures],
    confusion: Sequence[Sequence[int]],
    intervals: Mapping[str, ClassIntervals] | None = None,
) -> None:
    """Figures of each label and its row of the confusion matrix; with intervals also that of F1."""
    more = ("95 % of f1",) if intervals else ()
    made = table("label", "precision", "recall", "f1", *more, "accuracy", "rows", *(f"as {x}" for x in labels))
    for label, counts in zip(labels, confusion, strict=True):
        own = per_class[label]
        figures = [figure(x) for x in (own.precision, own.recall, own.f1, own.accuracy)]
        figures[3:3] = [ends(intervals[label].f1)] if intervals else []
        made.add_row(label, *figures, str(own.support), *map(str, counts))
    console().print(made)


def show_predictions(result: PredictionResult) -> None:
    for found in result.predictions:
        shares = ", ".join(f"{label} {p:.3f}" for label, p in found.probabilities.items())
        console().print(f"{found.label}  ({shares})  {found.text}")
