"""Events, forecast and its backtest as plain sentences in English and Korean, for page and picture."""

from stages.monitor.analysis.backtest import Backtest
from stages.monitor.analysis.events import within
from stages.monitor.analysis.forecast import SEASON, Forecast
from stages.monitor.report.context import Context
from stages.monitor.report.messages import PERIOD, Both
from stages.monitor.schema.index_settings import Every
from stages.monitor.schema.line import Line

SEASONS: dict[int | None, Both] = {
    7: (" and a weekly season", "(요일 효과 포함)"),
    12: (" and a yearly season", "(계절 효과 포함)"),
}


def context_notes(line: Line, context: Context, every: Every) -> list[Both]:
    """For below a printed picture of one length of period."""
    notes: list[Both] = []
    forecast = context.forecast(every)
    if forecast is not None:
        outcome = forecast_texts(forecast)[1]
        notes.append((f"Dashed: forecast. {outcome[0]}", f"파선: 예측. {outcome[1]}"))
    events = " · ".join(f"{i} {event.text}" for i, event in enumerate(within(line, context.events), start=1))
    return [*notes, (f"Events: {events}", f"사건: {events}")] if events else notes


def forecast_texts(forecast: Forecast) -> list[Both]:
    """The model; its coverage and errors in the past; and what speaks against it, if something does."""
    english, korean = PERIOD[forecast.every]
    with_season = SEASONS.get(SEASON[forecast.every], ("", ""))
    widened = _widened(forecast.widened)
    ahead, tested = len(forecast.ahead), forecast.backtest
    return [
        (
            f"By {english}, {ahead} ahead: a local level with noise{with_season[0]}, fitted to {forecast.observed} "
            f"{english}s by maximum likelihood; gaps are passed over by the Kalman filter, not filled.{widened[0]}",
            f"{korean} 단위, {ahead}개 앞까지: 잡음이 있는 국소 수준 모형{with_season[1]}을 "
            f"{forecast.observed}개 기간에 최대 가능도로 맞췄습니다. 빈 기간은 칼만 필터가 건너뛰며 채우지 "
            f"않습니다.{widened[1]}",
        ),
        _outcome(tested, forecast),
        *_cautions(tested),
    ]


def _widened(times: float) -> Both:
    if times == 1:
        return "", ""
    return (
        f" Its intervals are {times:.2f} times as wide as the model's own, for so large were its errors in the past.",
        f" 과거의 오차가 그만큼 컸으므로 구간을 모형의 것보다 {times:.2f}배 넓혔습니다.",
    )


def _outcome(tested: Backtest, forecast: Forecast) -> Both:
    english, korean = PERIOD[forecast.every]
    also = ("", "")
    if tested.seasonal is not None:
        also = (f", of the last one of its season {tested.seasonal:.1f}", f", 계절 단순 예측 {tested.seasonal:.1f}점")
    return (
        f"Forecast so from {tested.origins} {english}s of the past, {100 * tested.coverage:.0f} % of "
        f"{tested.pairs} values came within their 95 % interval ({100 * tested.low:.0f} to {100 * tested.high:.0f} %; "
        f"one ahead {100 * tested.near:.0f} %, the furthest {100 * tested.far:.0f} %). Mean error "
        f"{tested.error:.1f} points; of repeating the last value {tested.naive:.1f}{also[0]}.",
        f"과거 {korean} 단위 {tested.origins}개 시점에서 같은 방법으로 예측해 보니 값 {tested.pairs}개 중 "
        f"{100 * tested.coverage:.0f} %가 95 % 구간 안에 들었습니다({100 * tested.low:.0f}~{100 * tested.high:.0f} %, "
        f"한 기간 앞 {100 * tested.near:.0f} %, 가장 먼 기간 {100 * tested.far:.0f} %). 평균 오차 "
        f"{tested.error:.1f}점, 마지막 값을 되풀이하면 {tested.naive:.1f}점{also[1]}.",
    )


def _cautions(tested: Backtest) -> list[Both]:
    found: list[Both] = []
    if not tested.holds:
        found.append(
            (
                "Its intervals promised more than they held: read them as narrower than they should be.",
                "구간이 약속만큼 맞지 않았습니다. 실제보다 좁다고 보고 읽으십시오.",
            )
        )
    if not tested.gains:
        found.append(
            (
                "Its errors were no smaller than those of repeating a past value: it knows nothing that such a one "
                "does not.",
                "오차가 지난 값을 되풀이하는 것보다 작지 않았습니다. 단순한 되풀이보다 아는 것이 없습니다.",
            )
        )
    return found
