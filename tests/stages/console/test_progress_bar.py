import subprocess
import sys
from pathlib import Path

import pytest

from stages.console.progress_bar import Terminal, _plain_line


def test_without_a_terminal_progress_is_plain_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().bar("classifying", 10, "comments") as advance:
        advance(10)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("classifying: 10 of 10 comments, ")


def test_a_line_has_a_rate_and_a_time_to_go() -> None:
    assert _plain_line("x", 25, 100, "texts", 5.0) == "x: 25 of 100 texts, 5/s, 15 s to go"
    assert _plain_line("x", 25, None, "texts", 5.0) == "x: 25 texts, 5/s"


def test_markup_in_a_name_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().message("study [bold]x[/bold]")
    assert "[bold]x[/bold]" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["Terminal", "Lines"])
def test_where_nobody_reads_any_more_the_work_goes_on_and_its_result_is_told(kind: str) -> None:
    words = f"""if True:
        import sys
        from stages.console.progress_bar import {kind}
        report = {kind}()
        report.message("begun")
        sys.stdin.readline()  # by now the other end of stderr is closed
        for _ in range(3):
            with report.bar("work", 10, "texts") as advance:
                report.message("at it")
                advance(10)
        print("a word of somebody else's", file=sys.stderr, flush=True)
        print("done")
    """
    root = Path(__file__).parents[3]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    work = subprocess.Popen([sys.executable, "-c", words], cwd=root, text=True, **pipes)  # type: ignore[call-overload]
    assert work.stderr.readline() == "begun\n"
    work.stderr.close()
    work.stdin.write("\n")
    work.stdin.close()
    assert work.stdout.read() == "done\n"
    assert work.wait(timeout=60) == 0
