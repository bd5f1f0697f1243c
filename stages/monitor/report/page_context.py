"""What is shown with a line: events, other series, a forecast, words, and where its comments come from."""

from collections.abc import Sequence
from dataclasses import dataclass

from stages.monitor.aggregation.provenance import Origins
from stages.monitor.analysis.cross_correlation import OtherSeriesLine
from stages.monitor.analysis.distinctive_words import Words
from stages.monitor.analysis.events import Event
from stages.monitor.analysis.forecast import Forecast, NoForecast
from stages.monitor.schema.index_settings import Every


@dataclass(frozen=True)
class Context:
    """All of it is optional. words: None where none were looked for. origins: None where they are not known."""

    events: Sequence[Event] = ()
    others: Sequence[OtherSeriesLine] = ()
    forecasts: Sequence[Forecast | NoForecast] = ()
    words: Words | None = None
    origins: Origins | None = None

    def forecast(self, every: Every) -> Forecast | None:
        """Of one length of period, if there is one."""
        found = (one for one in self.forecasts if isinstance(one, Forecast) and one.every == every)
        return next(found, None)

    @property
    def is_forecast(self) -> bool:
        return any(isinstance(one, Forecast) for one in self.forecasts)


NO_CONTEXT = Context()
