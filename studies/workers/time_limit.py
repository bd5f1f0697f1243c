"""When a study's time is up: one moment for all of its workers, set by its leader."""

import time
from collections.abc import Callable

import optuna

STOPS_AT = "stops_at"


class TimeLimit:
    """Until when one run of a study begins further trials. A trial that runs then is finished, and counts.

    The moment stands in the study, so that workers that joined later stop with the others, and one that joins after it
    begins nothing.
    """

    def __init__(
        self,
        study: optuna.Study,
        seconds: float | None,
        *,
        leads: bool,
        since: float = 0.0,
        now: Callable[[], float] = time.time,
    ):
        """seconds: how long this run may take; None: as long as it needs. Only the study's leader sets the moment.

        since: when the run began, by its leader's clock: a moment before that is an earlier run's, which the leader
        has not changed yet.
        """
        self.study, self.since, self.now = study, since, now
        self.is_first = leads  # a run makes at least one trial: then also a limit that is too short ends at some time
        if leads:
            study.set_user_attr(STOPS_AT, None if seconds is None else now() + seconds)

    def is_over(self) -> bool:
        """Whether no further trial may begin; asked before each. Never before the leader's first."""
        if self.is_first:
            self.is_first = False
            return False
        stops_at = self.study.user_attrs.get(STOPS_AT)
        return stops_at is not None and self.since <= stops_at <= self.now()
