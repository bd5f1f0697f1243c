"""The command `moodline`: each command calls one stage, and gives its result and how people read it.

What all commands share (--set, --json, --debug, errors) is in stages.console.command_context. Heavy imports stand
inside the commands, so that --help answers at once.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.console.command_context import Outcome, as_command, finish
from stages.console.options import (
    Ablation,
    Anew,
    Candidate,
    Column,
    Encoding,
    ExportTo,
    Forms,
    ImportFrom,
    ModelName,
    On,
    Overrides,
    Parameters,
    Preset,
    StageName,
    StudyStage,
    Workers,
    Write,
)
from stages.session import PlanSource

app = typer.Typer(
    name="moodline",
    help="Emotion in social-media comments: search, pseudo-label, ensemble, daily line.\n\nBegin with: moodline demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
command = partial(as_command, app)


@command(quiet=True)
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to make.")] = Path("demo"),
    language: Annotated[Literal["en", "ko"], typer.Option(help="Language of the corpus.")] = "en",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    overrides: Overrides = [],
) -> Outcome:
    """Make a small corpus, tiny models and a plan in DIR, and run all of it offline. Run again to resume.

    Example: moodline demo --language ko
    """
    from stages.console.progress_bar import Terminal
    from stages.console.show_run import show_run
    from stages.demo.make_demo import make_demo

    plan = PlanSource(make_demo(folder, language, seed, Terminal().message), overrides)
    return plan.lead("run"), show_run


@command()
def init(
    preset: Preset = "quickstart",
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("plan.yaml"),
) -> Outcome:
    """Write a commented plan to begin with.

    Example: moodline init korean-comments --out korean.yaml
    """
    from stages.plan.presets import write_preset

    return write_preset(preset, out), lambda written: print(f"wrote {out}; next: {written.next}")


@command(quiet=True)
def check(plan: PlanSource) -> Outcome:
    """Read everything that the plan names; report what would run, on what data, and every problem.

    Example: moodline check plan.yaml
    """
    from stages.check.check_plan import check_file
    from stages.console.show_check import show_check

    found = check_file(plan.path, plan.overrides)
    finish(found, show_check)
    if found.problems:
        raise typer.Exit(1)
    return None


@command()
def run(plan: PlanSource, anew: Anew = None, workers: Workers = 1) -> Outcome:
    """Do all stages in order. What is done is skipped: run again to resume.

    Example: moodline run plan.yaml
    """
    from stages.console.show_run import show_run

    return plan.lead("run", anew, workers), show_run


def _stage(plan: PlanSource, what: str, anew: str | None, workers: int = 1) -> Outcome:
    from stages.console.show_run import show_stage

    return plan.lead(what, anew, workers), show_stage


@command()
def search(plan: PlanSource, anew: Anew = None, workers: Workers = 1) -> Outcome:
    """Do stage one: a study for each candidate. Trials go to the store, the best weights to the workspace.

    Example: moodline search plan.yaml --set search.trials=30
    """
    return _stage(plan, "search", anew, workers)


@command()
def label(plan: PlanSource, anew: Anew = None) -> Outcome:
    """Have the labeller label a sample of the comments, and compare it with gold. No comment is sent twice.

    Example: moodline label plan.yaml --set pseudo_label.sample=2000
    """
    return _stage(plan, "label", anew)


@command()
def further(plan: PlanSource, ablation: Ablation = False, anew: Anew = None, workers: Workers = 1) -> Outcome:
    """Do stage two: fine-tune the winner further on pseudo-labels and original data; compare with stage one.

    Example: moodline further plan.yaml --ablation
    """
    return _stage(plan, "ablation" if ablation else "further", anew, workers)


@command()
def ensemble(plan: PlanSource, anew: Anew = None) -> Outcome:
    """Combine the best trials, compare all models, and read the test split, for all of them at once; then, where the
    plan has distil:, train one model on their predictions.

    Example: moodline ensemble plan.yaml --set ensemble.combine=product
    """
    return _stage(plan, "ensemble", anew)


@command()
def monitor(plan: PlanSource, anew: Anew = None) -> Outcome:
    """Draw the daily line: results/line.csv, line.png and index.html in the workspace.

    Example: moodline monitor plan.yaml --set index.timezone=Asia/Seoul
    """
    return _stage(plan, "monitor", anew)


@command()
def infer(
    plan: PlanSource,
    anew: Anew = None,
    follow: Annotated[bool, typer.Option("--follow", help="Also classify what comes later, until Ctrl-C.")] = False,
    on: On = None,
) -> Outcome:
    """Classify all comments into Parquet shards. Run again to resume, or for files that came later.

    Example: moodline infer plan.yaml --follow
    """
    from stages.console.show_run import show_stage
    from stages.session import infer_command

    return infer_command(plan, anew, follow, on), show_stage


@command(quiet=True)
def worker(
    plan: PlanSource, member_of: Annotated[int | None, typer.Option("--member-of", hidden=True)] = None
) -> Outcome:
    """Join a running search from another terminal or machine, until its budget is used up.

    It uses a GPU that no other worker of this machine uses, if there is one.

    Example: moodline worker plan.yaml
    """
    from stages.console.show_run import show_stage
    from stages.join_worker import join_running_search

    return join_running_search(plan.opened_run(), member_of), show_stage


@command()
def enqueue(
    plan: PlanSource, settings: Parameters, candidate: Candidate = None, stage: StudyStage = "search"
) -> Outcome:
    """Queue a trial by hand: the study runs it next, within its budget. Parameters not named are the baseline's.

    Example: moodline enqueue plan.yaml learning_rate=1e-4 batch_size=16 --candidate klue/bert-base
    """
    from stages.study_runs.enqueue import enqueue_trial

    return enqueue_trial(plan.begun_run(), settings, candidate, stage), lambda queued: print(queued.message)


@command()
def labels(
    plan: PlanSource, export_to: ExportTo = None, import_from: ImportFrom = None, encoding: Encoding = None
) -> Outcome:
    """List labellers and their labels; write all to a csv, xlsx or parquet file, or add a file's to the store.

    Example: moodline labels plan.yaml --export labels.parquet
    """
    from stages.console.show_labels import show_labels
    from stages.label.label_export import labels_command

    return labels_command(plan.opened_run(), import_from, export_to, encoding), show_labels


@command()
def annotate(
    plan: PlanSource,
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Your name: labels are kept by annotator.")] = "me",
    rows: Annotated[int, typer.Option(help="Comments to label.", min=1, max=5000)] = 400,
    export_to: ExportTo = None,
    import_from: ImportFrom = None,
    encoding: Encoding = None,
) -> Outcome:
    """Label a random sample of the comments, one key each; writes WORKSPACE/gold.csv. Run again to continue.

    Example: moodline annotate plan.yaml --annotator kim --rows 300
    """
    from stages.annotation.annotate import Annotator, label_keys, run_annotate
    from stages.annotation.key_input import TerminalKeyboard
    from stages.console.show_labels import show_annotations

    opened = plan.opened_run()
    keyboard = None if export_to or import_from else TerminalKeyboard(label_keys(opened.plan.labels))
    return run_annotate(
        opened, Annotator(annotator, rows), keyboard, export_to, import_from, encoding
    ), show_annotations


@command(quiet=True)
def evaluate(
    plan: PlanSource,
    data: Annotated[Path, typer.Option("--data", help="A labelled file: csv, tsv, xlsx, json, jsonl, parquet.")],
    text: Annotated[str, typer.Option(help="Its text column.")] = "text",
    label: Annotated[str, typer.Option(help="Its label column.")] = "label",
    encoding: Annotated[str | None, typer.Option(help="Its encoding, if not UTF-8.", show_default=False)] = None,
    source: Annotated[str | None, Column] = None,
    time: Annotated[str | None, Column] = None,
    errors: Annotated[Path | None, typer.Option(help="A csv for the texts labelled wrong.", show_default=False)] = None,
    pictures: Annotated[Path | None, typer.Option(help="A folder for PNGs.", show_default=False)] = None,
    stage: StageName = None,
    model: ModelName = None,
) -> Outcome:
    """Evaluate the final predictor on a labelled file: figures with intervals, by length, by --source and by month.

    Example: moodline evaluate plan.yaml --data test.csv --time written_at --errors wrong.csv --pictures test-pictures
    """
    from stages.console.show_evaluation import show_evaluation
    from stages.final_model.evaluate import EvaluationRequest, run_evaluate
    from transfer.tables.sources import LabelledSource

    rows = LabelledSource(path=str(data), text=text, label=label, encoding=encoding)
    wanted = EvaluationRequest(source, time, errors, pictures)
    return run_evaluate(plan.begun_run(), rows, stage, model, wanted), show_evaluation


@command(quiet=True)
def predict(
    plan: PlanSource,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts to classify.", show_default=False)],
    stage: StageName = None,
    model: ModelName = None,
) -> Outcome:
    """Classify some texts.

    Example: moodline predict plan.yaml "what a day" "not again"
    """
    from stages.console.show_evaluation import show_predictions
    from stages.final_model.evaluate import run_predict

    return run_predict(plan.begun_run(), texts, stage, model), show_predictions


@command()
def status(plan: PlanSource) -> Outcome:
    """Show where a run stands: stages, studies, best against baseline, failures, disk.

    Example: moodline status plan.yaml
    """
    from stages.console.show_status import show_status
    from stages.reports.run_status import run_status

    return run_status(plan.read()), show_status


@command()
def dashboard(
    plan: PlanSource,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=0, max=65535)] = 8080,
    write: Write = False,
) -> Outcome:
    """Serve optuna-dashboard on the run's store, at 127.0.0.1 only, until Ctrl-C.

    Example: moodline dashboard plan.yaml --port 8081
    """
    from stages.reports.dashboard import serve_dashboard, show_address

    serve_dashboard(plan.read(), port, write, partial(finish, show=show_address))
    return None


@command(quiet=True)
def export(
    plan: PlanSource,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    form: Forms = [],
    stage: StageName = None,
    model: ModelName = None,
) -> Outcome:
    """Write the final predictor as a folder that transformers loads, with a model card; an ensemble as its members.

    Example: moodline export plan.yaml my-model --format onnx
    """
    from stages.final_model.export import run_export

    result = run_export(plan.begun_run(), folder, stage, model, form)
    return result, lambda written: print(f"{written.predictor} written to {written.folder}")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
