"""What the user can fix, in the words of the user's own files. The command line prints these and nothing else."""

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


def raise_all(heading: str, problems: Sequence[UserError]) -> None:
    """Raises the one problem, or several as UserErrors under `heading`; nothing where there is none."""
    if problems:
        raise problems[0] if len(problems) == 1 else UserErrors(heading, problems)


def first_line(error: BaseException, most: int = 300) -> str:
    """The first line of an error's message, at most `most` characters; its class where it has no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:most]
