"""What the user can mend, in the user's own words. The command line prints these and nothing else."""

from collections.abc import Sequence


class UserError(Exception):
    """One message: what is wrong and where, the value got, what to do.

    what: the first line, beginning with the place ("plan.yaml:7, comments[1].time: no column 'time' in a.csv").
    details: further lines, shown indented below it: the values there are, a near miss, what to do.
    """

    def __init__(self, what: str, *details: str) -> None:
        super().__init__("\n  ".join([what, *details]))


class UserErrors(UserError):
    """Several problems found in one reading, numbered in the order in which they were found."""

    def __init__(self, heading: str, problems: Sequence[UserError | str]) -> None:
        self.problems = [str(problem) for problem in problems]
        numbered = [f"{i}. {text}".replace("\n", "\n   ") for i, text in enumerate(self.problems, 1)]
        super().__init__(heading, *"\n".join(numbered).split("\n"))
