"""The difference between two stages' models on a labelled file, with the interval of a paired bootstrap.

    python -m benchmarks.gain PLAN FILE [--of further] [--than search] [--set KEY=VALUE]

PLAN: a plan that was run. FILE: texts with labels (columns text, label), as for `moodline evaluate --data`.
Prints one JSON object. If a model was selected on the file, as on gold's tune half, the difference is too optimistic.
Do not use it on the test split: its readings are not counted here.
"""

import argparse
import json
from pathlib import Path

from stages.plan.schema import read_plan
from stages.runtime.predictor import final_predictor
from stages.runtime.run_context import open_run
from transfer.corpus.labelled_reader import read_labelled
from transfer.metrics.paired_bootstrap import paired_metric_differences
from transfer.metrics.scores import score
from transfer.tables.sources import LabelledSource


def main() -> None:
    """Classifies the file with both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--of", default="further")
    parser.add_argument("--than", default="search")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    given = parser.parse_args()
    run = open_run(read_plan(given.plan, given.overrides))
    rows = read_labelled([LabelledSource(path=str(given.file))], run.plan.labels, Path.cwd(), "FILE")
    predictors = [final_predictor(run, stage) for stage in (given.of, given.than)]
    said = [predictor.probabilities(rows.texts) for predictor in predictors]
    told = {
        stage: {"model": predictor.name, **score(probabilities, rows.labels, run.plan.labels).as_dict()}
        for stage, predictor, probabilities in zip((given.of, given.than), predictors, said, strict=True)
    }
    gain = paired_metric_differences(said[0], said[1], rows.labels, seed=run.plan.seed)
    print(json.dumps({"n": len(rows), "scores": told, "gain": gain}, indent=1))


if __name__ == "__main__":
    main()
