"""Every combination of the plan is compared, selected and used; trying one takes no inference."""

import pytest

from stages.console.show_evaluation import show_ensemble
from stages.ensemble.run_ensemble import run_ensemble
from stages.final_model.model_card import model_card
from stages.results.ensemble_result import EnsembleResult
from stages.runtime.predictor import final_predictor
from tests.helpers.small_project import Project, opened
from transfer.ensembling.combination import COMBINATIONS, FITTED, MEAN

EVERY = [f"{how}{calibrated}" for calibrated in ("", ", calibrated") for how in (*COMBINATIONS, *FITTED)]


@pytest.mark.usefixtures("no_inference")
@pytest.mark.parametrize("how", ["product", "maximum", "minimum", "weighted", "greedy", "stacking", "auto"])
def test_another_combination_takes_no_inference(finished: Project, how: str) -> None:
    result = run_ensemble(opened(finished, f"ensemble.combine={how}"))
    table = {line.combination: line for line in result.combinations}
    assert result.target is not None
    assert list(table) == EVERY == list(result.validation) == list(result.target)
    assert {name for name, line in table.items() if not line.fitted} == set(COMBINATIONS)
    if how == "auto":
        uncalibrated = {name: line.value for name, line in table.items() if "calibrated" not in name}
        assert table[result.combine].value == max(uncalibrated.values())
    else:
        assert result.combine == result.mixture.how == how
    assert result.members == list(dict.fromkeys(result.members))
    assert 1 <= len(result.members) <= 3
    offered = {(name.split("/")[0], name.split("/")[1]) for name in result.values}
    assert offered >= {("search", "models-bert"), ("search", "models-roberta")}
    assert "further" in {stage for stage, _ in offered}
    assert len(result.values) == 5, "every kept trial is offered"
    assert result.diversity is not None
    assert len(result.diversity.pairs) == len(result.members) * (len(result.members) - 1) // 2


@pytest.mark.usefixtures("no_inference")
def test_members_are_calibrated_where_the_plan_says_so(finished: Project) -> None:
    result = run_ensemble(opened(finished, "ensemble.calibrate=temperature"))
    assert result.chosen == "ensemble (mean, calibrated of 3)"
    assert len(result.mixture.temperatures) == 3
    either = run_ensemble(opened(finished, "ensemble.calibrate=auto", "ensemble.combine=auto"))
    assert either.final.value.ensemble == max(line.value for line in either.combinations)


@pytest.mark.usefixtures("no_inference")
@pytest.mark.parametrize("final", ["best", "ensemble"])
def test_the_plan_may_name_what_is_final(finished: Project, final: str) -> None:
    run = opened(finished, f"final={final}")
    result = run_ensemble(run)
    assert result.final.kind == final
    assert final_predictor(run).members == (result.members if final == "ensemble" else [result.best_single])


@pytest.mark.usefixtures("no_inference")
def test_an_ensemble_of_one_is_called_the_single_model_that_it_is(
    finished: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    run = opened(finished, "ensemble.top=1", "ensemble.combine=greedy", "final=ensemble")
    result = run_ensemble(run)
    single = result.alone
    assert [single] == result.members == [result.best_single]
    assert result.chosen == f"ensemble of one (greedy): {single}"
    assert result.chosen in {row.model for row in result.rows}
    assert final_predictor(run).how == MEAN, "it is exported as one model"
    assert "what came out of that is this single model, and no ensemble" in model_card(run, final_predictor(run), {})
    show_ensemble(result)
    shown = capsys.readouterr().out
    assert f"that is the single model {single}: nothing is combined" in shown
    assert "they are the same model" in shown
    assert "which is better" not in shown
    several = run_ensemble(opened(finished))
    assert several.alone is None
    assert "no ensemble" not in model_card(run, final_predictor(opened(finished, "final=ensemble")), {})


def test_the_gain_has_its_interval_where_nothing_was_selected(finished: Project) -> None:
    result = EnsembleResult.model_validate(finished.json("ensemble", "plan.yaml"))
    assert set(result.gain) == {"gold report", "test"}
    for gain in result.gain.values():
        for interval in (gain.accuracy, gain.macro_f1, gain.log_loss):
            assert interval.low <= interval.value <= interval.high
        assert gain.better is (gain.macro_f1.low > 0)
    final = result.judged["test"]
    assert final.intervals.brier.value == pytest.approx(final.brier)
    scores = {row.model: row.macro_f1 or 0.0 for row in result.rows if row.split == "test"}
    single = next(value for name, value in scores.items() if result.best_single in name)
    assert result.gain["test"].macro_f1.value == pytest.approx(scores[result.chosen] - single)


def test_where_all_rows_selected_the_gain_is_shown_and_nothing_claimed(
    finished: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = finished.json("ensemble", "plan.yaml")
    assert "better" not in printed["gain_on_validation"]
    result = EnsembleResult.model_validate(printed)
    assert result.gain_on_validation is not None
    gain = result.gain_on_validation.accuracy
    assert gain.low <= gain.value <= gain.high
    show_ensemble(result)
    assert "nothing is claimed" not in capsys.readouterr().out
    show_ensemble(result.model_copy(update={"gain": {}}))
    shown = capsys.readouterr().out
    assert "ensemble less best single on validation: accuracy" in shown
    selected = "both were selected on these rows, which also fitted what is fitted, so nothing is claimed"
    assert selected in " ".join(shown.split())
    assert "better, as its interval shows" not in shown
