"""Results as people read them: tables on stdout."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.console.show_evaluation import show_classes, show_combinations, show_distilled
from stages.console.show_further import HEAD, comparison_notes, comparison_rows
from stages.console.show_labels import in_words, spending_lines, unity_lines
from stages.console.tables import console as _console
from stages.console.tables import ends
from stages.console.tables import figure as _figure
from stages.console.tables import table as _table

MEGABYTE = 1e6
MOST_SHOWN = 9  # trials in one line


def show_run(result: Mapping[str, Any]) -> None:
    """All stages, the table of all models, and where to look next."""
    out = _console()
    table = _table("stage", "state", "seconds")
    for stage in result["stages"]:
        table.add_row(stage["stage"], stage["state"], f"{stage['seconds']:.1f}")
    out.print(table)
    show_rows(result["results"])
    if result.get("labeller"):
        show_labeller(result["labeller"])
    if result.get("page"):
        out.print(f"page: {result['page']}")
    out.print(f"dashboard: moodline dashboard {result['plan']}")


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """One table in which all models stand, split by split."""
    table = _table("model", "split", "n", "accuracy", "95 % interval", "macro-F1", "95 % interval")
    for split in dict.fromkeys(row["split"] for row in rows):
        for row in (row for row in rows if row["split"] == split):
            of_accuracy = ends((row.get("intervals") or {}).get("accuracy"))
            of_f1 = "" if row.get("low") is None else ends(row)
            figures = (_figure(row["accuracy"]), of_accuracy, _figure(row["macro_f1"]), of_f1)
            table.add_row(row["model"], split, _figure(row.get("n")), *figures)
        table.add_section()
    _console().print(table)
    for note in sorted({row["note"] for row in rows if row.get("note")}):
        stages = sorted({row["stage"] for row in rows if row.get("note") == note})
        _console().print(f"{', '.join(stages)}: {note}")


def show_labeller(result: Mapping[str, Any]) -> None:
    """How the labeller agrees with people."""
    out = _console()
    kappa, model = result["kappa"], result["labeller"].get("model")
    agreement = "no kappa: no gold, or gold of one label only"
    if kappa:
        agreement = f"kappa with gold {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"
        agreement += f", accuracy {result['accuracy']:.3f}, macro-F1 {result['macro_f1']:.3f}"
    out.print(f"labeller {model}: {result['labelled']} labelled, {result['missing']} without a label; {agreement}")
    for tuning in result.get("tuning") or ():
        out.print(f"tuning {tuning['labeller']}: {tuning['summary']}")
    if result.get("calibrated"):
        _show_calibration(result)
    if result.get("simulation"):
        out.print("The labeller is a stand-in for an LLM: its figures, and those of stage two, are a simulation's.")


def show_label_stage(result: Mapping[str, Any]) -> None:
    """The labeller against gold in full: per label, confusions, and whether its confidence can be believed."""
    show_labeller(result)
    for line in (*unity_lines(result), *spending_lines(result)):
        _console().print(line)
    if result.get("per_class"):
        _console().print(f"against the {result['gold_n']} rows of gold's report half (rows true, columns said):")
        show_classes(list(result["per_class"]), result["per_class"], result["confusion"])
    if result.get("reliability"):
        _show_reliability(result["reliability"], result["unknown_confidence"])


def show_labels(result: Mapping[str, Any]) -> None:
    """What was imported and exported, and every labeller of the store."""
    out = _console()
    if result.get("imported"):
        told = result["imported"]
        out.print(f"{told['rows']:,} labels read from {told['file']}, {told['added']:,} of them new")
    if result.get("exported"):
        out.print(f"{result['exported']['rows']:,} labels written to {result['exported']['file']}")
    table = _table("labeller", "kind", "model", "answers", "labels")
    for found in result["labellers"]:
        fits = "the plan's" if found["fits"] else "others"
        table.add_row(found["identity"][:16], str(found["kind"]), found["model"] or "", f"{found['answers']:,}", fits)
    out.print(table if result["labellers"] else "no labels yet")


def show_annotations(result: Mapping[str, Any]) -> None:
    """How far an annotator is, how far people agree, and what to write into the plan."""
    out = _console()
    counts = f"{result['labelled']} labelled, {result['skipped']} passed over, {result['left']} left"
    out.print(f"{result['annotator']}: {counts} of {result['sample']}")
    if result.get("sheet"):
        out.print(f"sheet to fill in: {result['sheet']}; read it back with --import")
    for found in result["agreement"]:
        kappa = found["kappa"]
        figures = f"kappa {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})" if kappa else "no kappa"
        out.print(f"{' and '.join(found['annotators'])}: {figures} on {found['n']} comments")
    if result["disagreements"]:
        out.print(
            f"{result['disagreements']} comments have several labels: gold has the one given most often, "
            "of a tie that of whoever labelled most"
        )
    if result["gold"]:
        out.print(f"{result['rows']} rows of gold; in the plan:\n  gold: {result['source']}")


def _show_calibration(result: Mapping[str, Any]) -> None:
    before, after = result["calibrated"]["before"], result["calibrated"]["after"]
    moves = [f"log-loss {before['log_loss']:.3f} to {after['log_loss']:.3f}"] if after["log_loss"] is not None else []
    moves += [f"calibration error {before['ece']:.3f} to {after['ece']:.3f}"] if after["ece"] is not None else []
    if before["kappa"] and after["kappa"]:
        moves.append(f"kappa {before['kappa']['value']:.2f} to {after['kappa']['value']:.2f}")
    kind = result["calibration"]["kind"]
    _console().print(f"calibrated on gold's tune half ({kind}); on the report half {', '.join(moves)}")


def _show_reliability(found: Mapping[str, Any], unknown: int) -> None:
    out = _console()
    table = _table("confidence", "answers", "mean confidence", "right")
    for held in (held for held in found["bins"] if held["n"]):
        figures = (str(held["n"]), _figure(held["confidence"]), _figure(held["accuracy"]))
        table.add_row(f"{held['low']:.1f} to {held['high']:.1f}", *figures)
    out.print(table)
    left = f"; the confidence of {unknown} is unknown" if unknown else ""
    out.print(f"expected calibration error {found['ece']:.3f} over {found['n']} answers{left}")


def _kept_ends(winner: Mapping[str, Any]) -> str:
    """The interval of its kept weights; their own value, too, where its value is the mean over several seeds."""
    found = winner.get("interval")
    if found is None or abs(found["value"] - winner["value"]) < 5e-5:
        return _ends(found)
    return f"; the kept weights {found['value']:.4f}{_ends(found)}"


def show_stage(result: Mapping[str, Any]) -> None:
    """What one stage came to, whichever it was."""
    out = _console()
    if "studies" in result:
        show_studies(result["studies"])
    if result.get("winner"):
        winner = result["winner"]
        told = f"; {_over_seeds(winner['fresh'])}" if winner.get("fresh") else ""
        value = f"{winner['value']:.4f}{_kept_ends(winner)}{told}"
        out.print(f"winner: {winner['candidate']}, trial {winner['trial']}, {value}\n  {winner['path']}")
    if "kappa" in result:
        show_label_stage(result)
    if "members" in result:
        show_combinations(result)
    if "distilled" in result:
        show_distilled(result["distilled"])
    if "rows_per_second" in result:
        megabytes = result["peak_rss_bytes"] / MEGABYTE
        engine = f"{result['engine']} {result.get('precision', '')}".strip()
        out.print(
            f"{result['rows']:,} comments, {result['unique']:,} different texts read by {engine}, "
            f"{result['rows_per_second']:,} a second, peak memory {megabytes:,.0f} MB, {len(result['shards'])} shards"
        )
        if result["skipped"]:
            left_out = ", ".join(f"{n:,} × {reason}" for reason, n in result["skipped"].items())
            out.print(f"left out: {left_out}" + "; see results/skipped.jsonl" * bool(result.get("faults")))
    if "page" in result:
        out.print("\n".join(f"{name}: {result[name]}" for name in ("page", "png", "csv")))
    if isinstance(result.get("rows"), list):
        show_rows(result["rows"])
    if "comparisons" in result:
        show_comparisons(result)


def show_comparisons(result: Mapping[str, Any]) -> None:
    """Whether stage two is better than its controls, and what cannot be said."""
    table = _table(*HEAD)
    for row in comparison_rows(result):
        table.add_row(*row)
    _console().print(table)
    for note in comparison_notes(result):
        _console().print(note)


def show_studies(studies: Sequence[Mapping[str, Any]]) -> None:
    """Studies with their counts, best and baseline, and why trials failed."""
    out = _console()
    table = _table("study", "best", "trial", "baseline", "done", "pruned", "failed")
    for study in studies:
        best, baseline = study["best"], study["baseline"]
        table.add_row(
            _short(study),
            _value(best),
            str(best["trial"]) if best else "",
            _value(baseline),
            f"{study['complete'] + study['pruned']}/{study['target']}",
            str(study["pruned"]),
            str(study["failed"]),
        )
    out.print(table)
    for study in studies:
        if study["baseline"] and study["baseline"]["moved"]:
            out.print(
                f"{_short(study)}: the untuned baseline is the published recipe, but for what lies outside the "
                f"plan's space: {study['baseline']['moved']}"
            )
        told = [f"{name} {_on_validation(trial)}" for name, trial in _shown(study) if trial and trial.get("intervals")]
        if told:
            out.print(f"{_short(study)}, macro-F1 on validation with 95 % interval: {', '.join(told)}")
        for again in study.get("rechecked", []):
            out.print(f"{_short(study)}, trial {again['trial']}: {again['value']:.4f}; {_over_seeds(again)}")
        for line in _failures(study):
            out.print(line)


def _short(study: Mapping[str, Any]) -> str:
    """A study's name without its plan's, which stands above."""
    return str(study["name"]).partition(" · ")[2] or str(study["name"])


def _shown(study: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any] | None]]:
    """The best trial and the baseline, once where they are one."""
    best, baseline = study["best"], study["baseline"]
    same = best and baseline and best["trial"] == baseline["trial"]
    return [("best and baseline" if same else "best", best), *([] if same else [("baseline", baseline)])]


def _on_validation(trial: Mapping[str, Any]) -> str:
    found = trial["intervals"]["macro_f1"]
    return f"{found['value']:.4f}{_ends(found)}"


def _ends(interval: Mapping[str, Any] | None) -> str:
    return f" ({interval['low']:.4f} to {interval['high']:.4f})" if interval else ""


def _value(trial: Mapping[str, Any] | None) -> str:
    return "" if trial is None or trial["value"] is None else f"{trial['value']:.4f}"


def _failures(study: Mapping[str, Any]) -> list[str]:
    """One line a reason: a search of 2,000 trials may have failed hundreds of times alike."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for failure in study["failures"]:
        by_reason.setdefault((failure.get("state", "fail"), failure["reason"]), []).append(failure["trial"])
    lines = []
    for (state, reason), trials in by_reason.items():
        shown = ", ".join(map(str, trials[:MOST_SHOWN])) + (
            f" and {len(trials) - MOST_SHOWN} more" * (len(trials) > MOST_SHOWN)
        )
        what = {"fail": "failed: ", "running": "runs: "}.get(state, "")
        lines.append(f"{_short(study)}, trial{'s' * (len(trials) > 1)} {shown} {what}{reason}")
    return lines


def show_status(result: Mapping[str, Any]) -> None:
    """Stages, studies, who works, how long it will take, and the bytes on disk."""
    out = _console()
    if not result["begun"]:
        out.print(f"{result['name']}: not begun; nothing is in {result['workspace']}")
        return
    leader = result["leader"]
    who = f"process {leader['pid']} on {leader['host']} since {leader['since']}" if leader else "nobody"
    out.print(f"{result['name']} in {result['workspace']}; led by {who}")
    table = _table("stage", "state", "seconds")
    for stage in result["stages"]:
        table.add_row(stage["stage"], stage["state"], f"{stage['seconds']:.1f}")
    out.print(table)
    if result["studies"]:
        show_studies(result["studies"])
    for line in map(_at_work, result["workers"]):
        out.print(line)
    if result["seconds_to_go"]:
        out.print(f"the searches will take roughly {_duration(result['seconds_to_go'])} more at this pace")
    parts = ", ".join(f"{name} {size / MEGABYTE:,.1f}" for name, size in result["disk"].items() if size)
    out.print(f"on disk: {result['disk_bytes'] / MEGABYTE:,.1f} MB ({parts})")


def _at_work(worker: Mapping[str, Any]) -> str:
    progress = f"epoch {worker['epoch']}" + (f" of {worker['epochs']:g}" if worker["epochs"] else "")
    if worker["epochs"] and worker["epoch"] > worker["epochs"]:  # of several seeds, each of which has so many
        progress = f"{worker['share'] or 0:.0%} done"
    study, ago = _short({"name": worker["study"]}), _duration(worker["seconds"])
    what = f"{study}, trial {worker['trial']}: {progress}, begun {ago} ago"
    if worker["alive"]:
        return f"{what}, by process {worker['pid']} on {worker['host']}"
    last = f"; {worker['worker']} is gone" if worker["worker"] else ""
    return f"{what}, interrupted{last}: it goes on when the search does"


def show_check(result: Mapping[str, Any]) -> None:
    """Data, what would run, and the problems."""
    out = _console()
    if result["rows"]:
        _show_data(result)
    for note in result.get("notes", []):
        out.print(f"note: {note}")
    for problem in result["problems"]:
        out.print(f"problem: {problem}", style="bold")
    out.print("no problems found" if not result["problems"] else f"{len(result['problems'])} problems found")


def show_predictions(result: Mapping[str, Any]) -> None:
    """Each text with its label and all probabilities."""
    for found in result["predictions"]:
        shares = ", ".join(f"{label} {p:.3f}" for label, p in found["probabilities"].items())
        _console().print(f"{found['label']}  ({shares})  {found['text']}")


def _show_data(result: Mapping[str, Any]) -> None:
    out = _console()
    labels = list(next(iter(result["labels"].values()), {}))
    lengths = ("median", "95 %", "longest")
    table = _table("split", "rows", *labels, *(f"characters, {name}" for name in lengths))
    for split, rows in ((split, rows) for split, rows in result["rows"].items() if rows):
        counts = result["labels"].get(split, {})
        measured = result["lengths"].get(split, {})
        table.add_row(
            split, f"{rows:,}", *(str(counts.get(x, "")) for x in labels), *(str(measured.get(x, "")) for x in lengths)
        )
    out.print(table)
    for what in ("dropped", "overlaps", "conflicts"):
        if result[what]:
            out.print(f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in result[what].items()))
    for stage in result["would_run"]:
        seconds = result["seconds"].get(stage["stage"])
        out.print(f"{stage['stage']}: {stage['what']}" + (f", roughly {_duration(seconds)}" if seconds else ""))
    for told in result.get("labelling", []):
        out.print(f"labelling by {told['labeller']}: {in_words(told)}")
    device = result["device"]
    out.print(f"on {device['name']}{', bf16' if device['bf16'] else ''}")


def _over_seeds(figures: Mapping[str, Any]) -> str:
    interval = "" if figures["low"] is None else _ends(figures)
    failed = f", {figures['failed']} failed" if figures["failed"] else ""
    return f"over {figures['n']} fresh seeds {figures['mean']:.4f}{interval}{failed}"


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"
