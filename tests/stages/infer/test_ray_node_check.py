"""What is reported of nodes that cannot take part; no cluster is started."""

from pathlib import Path

import pytest

from stages.infer.executors import ExecutorChoice
from stages.infer.ray_node_check import NodeFacts, check_nodes, node_facts, problems_of
from tests.helpers.classifying_project import make_comment_project
from transfer.ensembling.combination import mixture_from
from transfer.errors import UserErrors

HERE = NodeFacts("here", {"moodline": "1.1", "torch": "2.9"}, [])
MARK = Path("/shared/runs/small/scratch/mark")


def test_each_node_that_differs_is_reported_with_what_to_do() -> None:
    same = NodeFacts("a", dict(HERE.versions), [])
    older = NodeFacts("b", {"moodline": "1.0", "torch": "2.9", "onnxruntime": "1.2"}, [str(MARK), "/shared/models/x"])
    found = {host: problems_of(host, there, HERE, MARK) for host, there in (("1", same), ("2", older))}
    assert found["1"] == []
    assert [str(problem) for problem in found["2"]] == [
        "node 2 (b): moodline is 1.0 there and 1.1 here, onnxruntime is 1.2 there and none here\n"
        "  install the same on all nodes",
        "node 2 (b) does not see the workspace /shared/runs/small\n"
        "  put it on a folder that all nodes mount under the same path (workspace: in the plan)",
    ]
    [without] = problems_of("3", NodeFacts("c", dict(HERE.versions), ["/shared/models/x"]), HERE, MARK)
    assert "does not see /shared/models/x" in str(without)
    assert problems_of("5", None, HERE, MARK) == []  # it went away; others do its work
    [bare] = problems_of("4", "No module named 'stages'", HERE, MARK)
    assert "moodline does not run there: No module named 'stages'" in str(bare)


def test_all_nodes_are_asked_before_any_work_and_the_mark_is_taken_away(tmp_path: Path) -> None:
    run = make_comment_project(tmp_path).open()
    choice = ExecutorChoice([], [], mixture_from("mean"))
    check_nodes(run, choice, {"n1": "10.0.0.1"}, lambda node, paths: node_facts(paths))
    with pytest.raises(UserErrors) as caught:
        check_nodes(run, choice, {"n1": "10.0.0.1", "n2": "10.0.0.2"}, lambda node, paths: "it is gone")
    assert len(caught.value.problems) == 2
    assert list(run.scratch.iterdir()) == []
