"""Several labellers or prompts, and what they cost, as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from stages.console.show_evaluation import show_classes
from stages.console.tables import console, figure, table


def in_words(guess: Mapping[str, Any]) -> str:
    """An estimate of what a server will cost."""
    money = "" if guess["money"] is None else f", about {guess['money']:,.2f} {guess['currency']}"
    return f"{guess['questions']:,} questions, about {guess['tokens']:,} tokens{money}"


def unity_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Each labeller and prompt against gold, and how they agree with one another, where there are several."""
    several = len(result.get("labellers", [])) > 1
    for told in result.get("labellers", []):
        if several:
            yield f"{told['labeller']}: {_figures(told)}"
        if told.get("prompts"):
            yield from _prompt_lines(told)
    between = result.get("between")
    for pair in between["pairs"] if between else []:
        kappa = pair["kappa"]
        figures = f"kappa {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})" if kappa else "no kappa"
        same = "" if pair["same"] is None else f", {pair['same']:.1%} alike"
        yield f"{' and '.join(pair['labellers'])}: {figures}{same} on {pair['n']:,} comments"
    if between and between["alpha"] is not None:
        yield f"all labellers: Krippendorff's alpha {between['alpha']:.2f}"


def spending_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Tokens and money, by the servers' own counts."""
    for told in result.get("usage", []):
        if not told["tokens"]:
            continue
        money = "" if told["money"] is None else f", {told['money']:,.4g} {told['currency']}"
        left = f"; {told['uncounted']:,} answers came without a count" if told["uncounted"] else ""
        yield f"{told['labeller']}: {told['answers']:,} answers in all, {told['tokens']:,} tokens{money}{left}"


def _prompt_lines(told: Mapping[str, Any]) -> Iterator[str]:
    for i, prompt in enumerate(told["prompts"]):
        wording = f'"{prompt["instruction"][:60]}"' if prompt["instruction"] else "the language's own wording"
        yield f"  prompt {i + 1}, {wording}, {' · '.join(prompt['order'])}: {_figures(prompt)}"
    found = told["agreement"]
    if found["mean"] is not None:
        alpha = "" if found["alpha"] is None else f", Krippendorff's alpha {found['alpha']:.2f}"
        yield f"  prompts agree: {found['mean']:.1%} on average, all on {found['unanimous']:.1%} of comments{alpha}"


def _figures(told: Mapping[str, Any]) -> str:
    counts = f"{told['labelled']:,} labelled, {told['missing']:,} without a label"
    kappa = told["kappa"]
    if not kappa:
        return counts
    return f"{counts}; kappa with gold {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f})"


def show_labeller(result: Mapping[str, Any]) -> None:
    """How the labeller agrees with people."""
    out = console()
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
        console().print(line)
    if result.get("per_class"):
        console().print(f"against the {result['gold_n']} rows of gold's report half (rows true, columns said):")
        show_classes(list(result["per_class"]), result["per_class"], result["confusion"])
    if result.get("reliability"):
        _show_reliability(result["reliability"], result["unknown_confidence"])


def show_labels(result: Mapping[str, Any]) -> None:
    """What was imported and exported, and every labeller of the store."""
    out = console()
    if result.get("imported"):
        told = result["imported"]
        out.print(f"{told['rows']:,} labels read from {told['file']}, {told['added']:,} of them new")
    if result.get("exported"):
        out.print(f"{result['exported']['rows']:,} labels written to {result['exported']['file']}")
    made = table("labeller", "kind", "model", "answers", "labels")
    for found in result["labellers"]:
        fits = "the plan's" if found["fits"] else "others"
        made.add_row(found["identity"][:16], str(found["kind"]), found["model"] or "", f"{found['answers']:,}", fits)
    out.print(made if result["labellers"] else "no labels yet")


def show_annotations(result: Mapping[str, Any]) -> None:
    """How far an annotator is, how far people agree, and what to write into the plan."""
    out = console()
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
    console().print(f"calibrated on gold's tune half ({kind}); on the report half {', '.join(moves)}")


def _show_reliability(found: Mapping[str, Any], unknown: int) -> None:
    out = console()
    made = table("confidence", "answers", "mean confidence", "right")
    for held in (held for held in found["bins"] if held["n"]):
        figures = (str(held["n"]), figure(held["confidence"]), figure(held["accuracy"]))
        made.add_row(f"{held['low']:.1f} to {held['high']:.1f}", *figures)
    out.print(made)
    left = f"; the confidence of {unknown} is unknown" if unknown else ""
    out.print(f"expected calibration error {found['ece']:.3f} over {found['n']} answers{left}")
