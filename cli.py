"""The command `moodline`: each command reads a plan, calls one stage, prints what came out, and maps errors once.

Heavy imports stand inside the commands, so that --help answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from stages.console.command_context import edge, finish
from stages.console.command_help import STAGE_COMMANDS
from stages.console.options import (
    Ablation,
    Anew,
    AsJson,
    Candidate,
    Column,
    Debug,
    Encoding,
    ExportTo,
    Forms,
    ImportFrom,
    ModelName,
    On,
    Overrides,
    Parameters,
    PlanFile,
    Preset,
    StageName,
    StudyStage,
    Workers,
    Write,
)
from stages.runtime.quiet_libraries import quiet_libraries
from stages.session import begun_run, infer_command, lead_stage, opened_run, read

app = typer.Typer(
    name="moodline",
    help="Emotion in social-media comments: search, pseudo-label, ensemble, daily line.\n\nBegin with: moodline demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to make.")] = Path("demo"),
    language: Annotated[Literal["en", "ko"], typer.Option(help="Language of the corpus.")] = "en",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a small corpus, tiny models and a plan in DIR, and run all of it offline. Run again to resume.

    Example: moodline demo --language ko
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.console.progress_bar import Terminal
        from stages.console.show_run import show_run
        from stages.demo.make_demo import make_demo

        plan = make_demo(folder, language, seed, Terminal().message)
        finish(lead_stage(plan, overrides, "run", None), as_json, show_run)


@app.command()
def init(
    preset: Preset = "quickstart",
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("plan.yaml"),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a commented plan to begin with.

    Example: moodline init korean-comments --out korean.yaml
    """
    from stages.plan.presets import write_preset

    with edge(as_json, debug):
        finish(write_preset(preset, out), as_json, lambda result: print(f"wrote {out}; next: {result['next']}"))


@app.command()
def check(plan: PlanFile, overrides: Overrides = [], as_json: AsJson = False, debug: Debug = False) -> None:
    """Read everything that the plan names; report what would run, on what data, and every problem.

    Example: moodline check plan.yaml
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.check.check_plan import check_file
        from stages.console.show_check import show_check

        found = check_file(plan, overrides)
        finish(found, as_json, show_check)
        if found.problems:
            raise typer.Exit(1)


@app.command()
def run(
    plan: PlanFile,
    overrides: Overrides = [],
    anew: Anew = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Do all stages in order. What is done is skipped: run again to resume.

    Example: moodline run plan.yaml
    """
    with edge(as_json, debug):
        from stages.console.show_run import show_run

        finish(lead_stage(plan, overrides, "run", anew, workers), as_json, show_run)


def _stage_command(
    plan: Path, overrides: list[str], what: str, anew: str | None, as_json: bool, debug: bool, workers: int = 1
) -> None:
    with edge(as_json, debug):
        from stages.console.show_run import show_stage

        finish(lead_stage(plan, overrides, what, anew, workers), as_json, show_stage)


def _add_stage_command(stage: str) -> None:
    @app.command(stage, help=STAGE_COMMANDS[stage])
    def command(
        plan: PlanFile, overrides: Overrides = [], anew: Anew = None, as_json: AsJson = False, debug: Debug = False
    ) -> None:
        _stage_command(plan, overrides, stage, anew, as_json, debug)


@app.command(help=STAGE_COMMANDS["search"])
def search(
    plan: PlanFile,
    overrides: Overrides = [],
    anew: Anew = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    _stage_command(plan, overrides, "search", anew, as_json, debug, workers)


_add_stage_command("label")


@app.command(help=STAGE_COMMANDS["further"])
def further(
    plan: PlanFile,
    ablation: Ablation = False,
    overrides: Overrides = [],
    anew: Anew = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    _stage_command(plan, overrides, "ablation" if ablation else "further", anew, as_json, debug, workers)


_add_stage_command("ensemble")
_add_stage_command("monitor")


@app.command()
def infer(
    plan: PlanFile,
    overrides: Overrides = [],
    anew: Anew = None,
    follow: Annotated[bool, typer.Option("--follow", help="Also classify what comes later, until Ctrl-C.")] = False,
    on: On = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Classify all comments into Parquet shards. Run again to resume, or for files that came later.

    Example: moodline infer plan.yaml --follow
    """
    with edge(as_json, debug):
        from stages.console.show_infer import show_inference

        finish(infer_command(plan, overrides, anew, follow, on), as_json, show_inference)


@app.command()
def worker(
    plan: PlanFile,
    overrides: Overrides = [],
    member_of: Annotated[int | None, typer.Option("--member-of", hidden=True)] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Join a running search from another terminal or machine, until its budget is used up.

    It uses a GPU that no other worker of this machine uses, if there is one.

    Example: moodline worker plan.yaml
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.console.show_run import show_stage
        from stages.join_worker import join_running_search

        finish(join_running_search(opened_run(read(plan, overrides)), member_of), as_json, show_stage)


@app.command()
def enqueue(
    plan: PlanFile,
    settings: Parameters,
    candidate: Candidate = None,
    stage: StudyStage = "search",
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Queue a trial by hand: the study runs it next, within its budget. Parameters not named are the baseline's.

    Example: moodline enqueue plan.yaml learning_rate=1e-4 batch_size=16 --candidate klue/bert-base
    """
    with edge(as_json, debug):
        from stages.study_runs.enqueue import enqueue_trial

        queued = enqueue_trial(begun_run(read(plan, overrides)), settings, candidate, stage)
        finish(queued, as_json, lambda queued: print(queued.message))


@app.command()
def labels(
    plan: PlanFile,
    export_to: ExportTo = None,
    import_from: ImportFrom = None,
    encoding: Encoding = None,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List labellers and their labels; write all to a csv, xlsx or parquet file, or add a file's to the store.

    Example: moodline labels plan.yaml --export labels.parquet
    """
    with edge(as_json, debug):
        from stages.console.show_labels import show_labels
        from stages.label.labels_command import labels_command

        result = labels_command(opened_run(read(plan, overrides)), import_from, export_to, encoding)
        finish(result, as_json, show_labels)


@app.command()
def annotate(
    plan: PlanFile,
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Your name: labels are kept by annotator.")] = "me",
    rows: Annotated[int, typer.Option(help="Comments to label.", min=1, max=5000)] = 400,
    export_to: ExportTo = None,
    import_from: ImportFrom = None,
    encoding: Encoding = None,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Label a random sample of the comments, one key each; writes WORKSPACE/gold.csv. Run again to continue.

    Example: moodline annotate plan.yaml --annotator kim --rows 300
    """
    with edge(as_json, debug):
        from stages.annotation.annotate import Annotator, label_keys, run_annotate
        from stages.annotation.key_input import TerminalKeyboard
        from stages.console.show_labels import show_annotations

        opened = opened_run(read(plan, overrides))
        keyboard = None if export_to or import_from else TerminalKeyboard(label_keys(opened.plan.labels))
        who = Annotator(annotator, rows)
        result = run_annotate(opened, who, keyboard, export_to, import_from, encoding)
        finish(result, as_json, show_annotations)


@app.command()
def evaluate(
    plan: PlanFile,
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
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Evaluate the final predictor on a labelled file: figures with intervals, by length, by --source and by month.

    Example: moodline evaluate plan.yaml --data test.csv --time written_at --errors wrong.csv --pictures test-pictures
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.console.show_evaluation import show_evaluation
        from stages.final_model.evaluate import EvaluationRequest, run_evaluate
        from transfer.tables.sources import LabelledSource

        rows = LabelledSource(path=str(data), text=text, label=label, encoding=encoding)
        wanted = EvaluationRequest(source, time, errors, pictures)
        finish(run_evaluate(begun_run(read(plan, overrides)), rows, stage, model, wanted), as_json, show_evaluation)


@app.command()
def predict(
    plan: PlanFile,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts to classify.", show_default=False)],
    stage: StageName = None,
    model: ModelName = None,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Classify some texts.

    Example: moodline predict plan.yaml "what a day" "not again"
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.console.show_evaluation import show_predictions
        from stages.final_model.predict import run_predict

        finish(run_predict(begun_run(read(plan, overrides)), texts, stage, model), as_json, show_predictions)


@app.command()
def status(plan: PlanFile, overrides: Overrides = [], as_json: AsJson = False, debug: Debug = False) -> None:
    """Show where a run stands: stages, studies, best against baseline, failures, disk.

    Example: moodline status plan.yaml
    """
    with edge(as_json, debug):
        from stages.console.show_status import show_status
        from stages.reports.run_status import run_status

        finish(run_status(read(plan, overrides)), as_json, show_status)


@app.command()
def dashboard(
    plan: PlanFile,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=0, max=65535)] = 8080,
    write: Write = False,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Serve optuna-dashboard on the run's store, at 127.0.0.1 only, until Ctrl-C.

    Example: moodline dashboard plan.yaml --port 8081
    """
    with edge(as_json, debug):
        from stages.reports.dashboard import serve_dashboard, show_address

        serve_dashboard(read(plan, overrides), port, write, lambda address: finish(address, as_json, show_address))


@app.command()
def export(
    plan: PlanFile,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    form: Forms = [],
    stage: StageName = None,
    model: ModelName = None,
    overrides: Overrides = [],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the final predictor as a folder that transformers loads, with a model card; an ensemble as its members.

    Example: moodline export plan.yaml my-model --format onnx
    """
    with edge(as_json, debug):
        quiet_libraries()
        from stages.final_model.export import run_export

        result = run_export(begun_run(read(plan, overrides)), folder, stage, model, form)
        finish(result, as_json, lambda result: print(f"{result.predictor} written to {result.folder}"))


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
