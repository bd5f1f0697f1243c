"""How good models are, as people read it: combinations, scores with intervals, confusions, slices."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.console.tables import console, ends, figure, interval, table

HEADLINES = ("accuracy", "macro_f1", "weighted_f1", "macro_precision", "macro_recall", "log_loss", "brier", "ece")
ALONE = "that is the single model {}: nothing is combined"
CHOSE_BOTH = "these rows chose both and taught what is fitted, so nothing is claimed"
GAINS = {"accuracy": "accuracy", "macro-F1": "macro_f1"}
BETTER, NO_BETTER = "better, as its interval tells", "the interval does not tell which is better"


def show_combinations(result: Mapping[str, Any]) -> None:
    """All combinations on what chose between them, what was taken, and its gain where nothing was chosen."""
    out = console()
    lines: Sequence[Mapping[str, Any]] = result.get("combinations", [])
    targets = ["target"] if result.get("target") else []
    names = ("combination", "members", "value", "95 % interval", "accuracy on validation", "macro-F1")
    made = table(*names, *("macro-F1 on target" for _ in targets))
    if lines:
        best, own = result["final"]["value"]["best"], result["final"].get("intervals", {}).get("best")
        made.add_row(f"best single: {result['best_single']}", "1", figure(best), ends(own))
    for line in lines:
        own = line["figures"]["validation"]
        figures = [figure(own["accuracy"]), figure(own["macro_f1"])]
        figures += [figure(line["figures"][split]["macro_f1"]) for split in targets]
        name = f"{line['combination']}{' *' * line['fitted']}"
        made.add_row(name, str(line["members"]), figure(line["value"]), ends(line.get("interval")), *figures)
    out.print(made)
    if any(line["fitted"] for line in lines):
        out.print("* learnt on these rows; its figures are of rows that its fit did not see (5 folds)")
    out.print("chosen on this data, so no figure above claims that one is better than another")
    out.print(f"chosen: {result['chosen']}")
    alone = result.get("alone")
    out.print(ALONE.format(alone) if alone else f"members: {', '.join(result['members'])}")
    _show_diversity(result.get("diversity"))
    if alone and alone == result["best_single"]:
        out.print("ensemble less best single: they are the same model")
    else:
        _show_gain(result)
    out.print(f"final: {result['final']['kind']}; the test split was read {result['test_readings']} times so far")


def _show_gain(result: Mapping[str, Any]) -> None:
    """On rows that chose nothing; where there are none, on those that chose, and then nothing is claimed."""
    out = console()
    for split, gain in result.get("gain", {}).items():
        told = BETTER if gain["better"] else NO_BETTER
        out.print(f"ensemble less best single on {split}: macro-F1 {interval(gain['macro_f1'], '+')}: {told}")
    if not result.get("gain") and result.get("gain_on_validation"):
        found = result["gain_on_validation"]
        told = ", ".join(f"{name} {interval(found[key], '+')}" for name, key in GAINS.items())
        out.print(f"ensemble less best single on validation: {told}; {CHOSE_BOTH}")


def _show_diversity(found: Mapping[str, Any] | None) -> None:
    if found and found["pairs"]:
        known = {name.replace("_", " "): value for name, value in found["mean"].items() if value is not None}
        told = ", ".join(f"{name} {figure(value)}" for name, value in known.items())
        console().print(f"diversity of the members, mean over pairs on validation: {told}")


def show_distilled(result: Mapping[str, Any]) -> None:
    """What the model that learnt from the ensemble costs against it."""
    out = console()
    model, teacher = (result["bytes"][name] / 1e6 for name in ("model", "teacher"))
    learnt = f"from what {result['teacher']['name']} says of {result['texts']:,} texts"
    out.print(f"distilled: {result['winner']['name']}, {learnt}; {model:,.0f} MB in place of {teacher:,.0f} MB")
    for split, found in result["against"].items():
        told = f"says the same of {found['agreement']:.1%} of {found['n']:,} texts"
        out.print(f"distilled less ensemble on {split}: macro-F1 {interval(found['macro_f1'], '+')}; {told}")


def show_scores(result: Mapping[str, Any]) -> None:
    """Figures with their intervals, figures per label, the confusion matrix, slices, and what was written."""
    out = console()
    out.print(f"{result['predictor']}: {result['n']:,} rows")
    made = table("figure", "value", "95 % interval")
    for name in HEADLINES:
        found = result["intervals"][name]
        made.add_row(name.replace("_", " "), figure(found["value"]), ends(found))
    out.print(made)
    show_classes(result["labels"], result["per_class"], result["confusion"], result["intervals"]["per_class"])
    for way, rows in result.get("slices", {}).items():
        out.print(_slices(way, rows))
    for what in ("errors", "pictures"):
        if result.get(what):
            out.print(f"{what}: {result[what]}")


def _slices(way: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    made = table(way, "rows", "accuracy", "95 % interval", "macro-F1", "95 % interval")
    for found in rows:
        known = found["intervals"] or {}
        figures = (x for name in ("accuracy", "macro_f1") for x in (figure(found[name]), ends(known.get(name))))
        made.add_row(found["slice"], figure(found["n"]), *(figures if known else ("", "too few")))
    return made


def show_classes(
    labels: Sequence[str],
    per_class: Mapping[str, Any],
    confusion: Sequence[Sequence[int]],
    intervals: Mapping[str, Any] | None = None,
) -> None:
    """Per label its figures and its row of the confusion matrix; with intervals also that of F1."""
    more = ("95 % of f1",) if intervals else ()
    made = table("label", "precision", "recall", "f1", *more, "accuracy", "rows", *(f"as {x}" for x in labels))
    for label, counts in zip(labels, confusion, strict=True):
        own = per_class[label]
        figures = [figure(own[key]) for key in ("precision", "recall", "f1", "accuracy")]
        figures[3:3] = [ends(intervals[label]["f1"])] if intervals else []
        made.add_row(label, *figures, str(own["support"]), *map(str, counts))
    console().print(made)


def show_predictions(result: Mapping[str, Any]) -> None:
    """Each text with its label and all probabilities."""
    for found in result["predictions"]:
        shares = ", ".join(f"{label} {p:.3f}" for label, p in found["probabilities"].items())
        console().print(f"{found['label']}  ({shares})  {found['text']}")
