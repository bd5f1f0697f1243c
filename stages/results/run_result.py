"""What a whole run comes to."""

from stages.results.label_result import LabelResult
from stages.results.status_result import RunOverview


class RunResult(RunOverview):
    """labeller: what labelling came to; None where the plan has none. page: of the daily line; None without one."""

    labeller: LabelResult | None = None
    page: str | None = None
