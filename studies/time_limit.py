"""When a study's time is up: one moment for all of its workers, set by its leader."""

import time
from collections.abc import Callable

import optuna

STOPS_AT = "stops_at"


class TimeLimit:
    """Until when one run of a study begins further trials. A trial that runs then is finished, and counts.

    The moment stands in the study, so that workers that joined later stop with the others. One that had passed when a
    worker joined is an earlier run's, and does not concern it.
    """

    def __init__(
        self, study: optuna.Study, seconds: float | None, *, leads: bool, now: Callable[[], float] = time.time
    ):
        """seconds: how long this run may take; None: as long as it needs. Only the study's leader sets the moment."""
        self.study, self.now = study, now
        self.joined = now()
        self.is_first = leads  # a run makes at least one trial: a limit that is too short gets there, too
        if leads:
            study.set_user_attr(STOPS_AT, None if seconds is None else self.joined + seconds)

    def is_over(self) -> bool:
        """Whether no further trial may begin; asked before each. Never before the leader's first."""
        if self.is_first:
            self.is_first = False
            return False
        stops_at = self.study.user_attrs.get(STOPS_AT)
        return stops_at is not None and self.joined < stops_at <= self.now()
