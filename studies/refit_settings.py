"""The plan's settings for refits after a search: the best of a subset's on all rows, and the best with new seeds."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from transfer.errors import UserError

# A search of fewer trials flatters itself less, and is cheap: there another look would cost too large a share.
TRIALS_WORTH_RECHECKING = 20


class SubsetSettings(BaseModel):
    """A search on a stratified part of the training data; its best trials are fitted again on all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float | None = Field(default=None, gt=0, lt=1, description="share of the training rows; this or rows")
    rows: int | None = Field(default=None, ge=1, description="training rows; this or share")
    refit: int = Field(
        default=3, ge=1, le=100, description="best trials fitted again on all rows, beside the untuned baseline"
    )

    @model_validator(mode="after")
    def _says_how_many(self) -> "SubsetSettings":
        if (self.share is None) == (self.rows is None):
            raise ValueError("a subset has either a share or a number of rows: {share: 0.2} or {rows: 2000}")
        return self

    def size(self, rows: int) -> int:
        """How many of so many training rows. Raises UserError where that is all of them, or more."""
        wanted = self.rows if self.rows is not None else max(round((self.share or 0) * rows), 1)
        if wanted >= rows:
            raise UserError(
                f"search.subset: {wanted:,} rows are no part of the {rows:,} training rows",
                "ask for fewer, or leave subset out: then the search trains on all of them",
            )
        return wanted


class RecheckSettings(BaseModel):
    """The best trials once more with other seeds, since the best value of a noisy search flatters itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: int = Field(default=2, ge=1, le=100, description="best trials that are fitted again")
    seeds: int = Field(default=3, ge=1, le=100, description="fresh seeds for each")


def _recheck_kind(value: Any) -> str:
    return "settings" if isinstance(value, dict | RecheckSettings) else "name"


# As a plan's field: distinguished by its form, so that a mistake is reported once and not for each kind.
Recheck = Annotated[
    Annotated[RecheckSettings, Tag("settings")] | Annotated[Literal["auto", "none"], Tag("name")],
    Discriminator(_recheck_kind),
]


def check_recheck(setting: Recheck, keep: int) -> None:
    """Raises ValueError where trials are to be fitted again whose weights are not kept: one of them is to win."""
    if isinstance(setting, RecheckSettings) and setting.top > keep:
        raise ValueError(
            f"recheck.top {setting.top} is more than keep {keep}: raise keep, for one of these trials wins"
        )


def recheck_of(setting: Recheck, trials: int, keep: int) -> RecheckSettings | None:
    """What the setting comes to for a search of so many trials; None for nothing.

    auto: the best 2 (no more than are kept) on 3 fresh seeds from 20 trials on.
    """
    if isinstance(setting, RecheckSettings):
        return setting
    if setting == "none" or trials < TRIALS_WORTH_RECHECKING:
        return None
    return RecheckSettings(top=min(2, keep))
