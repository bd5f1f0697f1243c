"""Faults of a server are retried, or stop at once with a message; fields that it refuses are left out."""

import sys
import time
from collections import Counter

import pytest

from tests.helpers.fake_server import Body, Fault, comment_in, completion, serve
from tests.helpers.server_labellers import LABELS, TEXTS, answers, by_number, gathered, settings_for
from transfer.errors import UserError
from transfer.labellers.labeller import Answer
from transfer.labellers.labeller_factory import make_labeller

pytestmark = pytest.mark.usefixtures("short_waits")


def test_faults_that_pass_are_tried_again() -> None:
    seen: Counter[str] = Counter()

    def often_out_of_order(body: Body, _: int) -> Body | Fault | bytes:
        seen[comment_in(body)] += 1
        faults: list[Fault | bytes] = [
            Fault(500, "internal error"),
            b"<html>",
            Fault(429, "slow down", {"Retry-After": "0"}),
        ]
        return faults[len(comment_in(body)) % 3] if seen[comment_in(body)] == 1 else by_number(body)

    found, asked = answers(often_out_of_order, TEXTS)
    assert {i: answer.label for i, answer in found.items()} == {i: i % 4 for i in range(12)}
    assert len(asked) == 24


def test_a_server_that_says_how_long_to_wait_is_left_alone_for_so_long() -> None:
    times: list[float] = []

    def limited(body: Body, before: int) -> Body | Fault:
        times.append(time.monotonic())
        return Fault(429, "rate limit", {"Retry-After": "0.4"}) if before == 0 else completion("anger")

    found, _ = answers(limited, ["x"])
    assert found[0].label == 0
    assert times[1] - times[0] >= 0.4


def test_a_wait_of_hours_is_a_message_not_a_wait() -> None:
    with serve(lambda *_: Fault(429, "come back tomorrow", {"Retry-After": "86400"})) as fake:
        _, problem = gathered(fake.url, ["x"])
    assert "asks to wait for 86400 s" in str(problem)
    assert "come back tomorrow" in str(problem)


def test_a_refused_key_stops_at_once_and_shows_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_KEY", "sk-secret-123")
    refusal = Fault(401, "Incorrect API key provided: sk-secret-123")
    with serve(lambda *_: refusal) as fake:
        _, problem = gathered(fake.url, TEXTS * 10, api_key_env="LLM_KEY", concurrency=2)
        assert len(fake.asked) <= 2
        assert fake.keys == {"Bearer sk-secret-123"}
    assert "pseudo_label.labeller: the server http://127.0.0.1" in str(problem)
    assert "refused the key (HTTP 401)" in str(problem)
    assert "variable LLM_KEY, which is set" in str(problem)
    assert "sk-secret" not in str(problem)
    assert problem.__cause__ is None


def test_a_server_without_keys_is_asked_without_one() -> None:
    with serve(lambda *_: completion("anger")) as fake:
        assert dict(make_labeller(settings_for(fake.url), LABELS, "cpu").answer(["x"]))[0].label == 0
        assert fake.keys == {"Bearer none"}


def test_an_unknown_model_stops_at_once_and_names_those_there_are() -> None:
    with serve(lambda *_: Fault(404, "no such model")) as fake:
        _, problem = gathered(fake.url, ["x"])
    assert "knows no model 'small-lm' at this address (HTTP 404)" in str(problem)
    assert "its models: small-lm" in str(problem)


def test_a_server_that_is_not_there_is_a_message() -> None:
    with serve(by_number) as fake:
        url = fake.url
    found, problem = gathered(url, TEXTS)
    assert found == {}
    assert f"the server {url} gave no usable answer (tries: 3): no connection" in str(problem)
    assert "run again to go on" in str(problem)


def test_a_server_that_hangs_is_given_up() -> None:
    def hangs(body: Body, _: int) -> Body:
        time.sleep(1.0)
        return completion("anger")

    with serve(hangs) as fake:
        _, problem = gathered(fake.url, ["x"], timeout=0.1, retries=1)
    assert "nothing within 0.1 s" in str(problem)


def test_one_comment_that_the_server_cannot_take_does_not_stop_the_others() -> None:
    def stumbles(body: Body, _: int) -> Body | Fault:
        return Fault(500, "tokenizer error") if comment_in(body).startswith("comment 3") else completion("anger")

    found, asked = answers(stumbles, TEXTS[:4], concurrency=2)
    assert found[3] == Answer(None, None, "[no answer: HTTP 500: tokenizer error]", 0)
    assert [found[i].label for i in range(3)] == [0, 0, 0]
    assert Counter(map(comment_in, asked)) == Counter([*map(str.strip, TEXTS[:3]), *[TEXTS[3]] * 4, "."])
    assert dict(answers(stumbles, TEXTS[3:4])[0])[0].label is None  # also when no other is left to be asked


def test_a_content_filter_costs_one_comment() -> None:
    def prudish(body: Body, _: int) -> Body | Fault:
        if comment_in(body) == ".":
            return completion("neutral")
        return Fault(400, "flagged", code="content_filter") if "1 " in comment_in(body) else by_number(body)

    found, _ = answers(prudish, TEXTS[:3])
    assert [found[i].label for i in range(3)] == [0, None, 2]
    assert found[1].raw == "[no answer: HTTP 400: flagged]"


def test_a_request_that_is_always_refused_stops_at_once() -> None:
    with serve(lambda *_: Fault(400, "no chat template")) as fake:
        found, problem = gathered(fake.url, TEXTS, concurrency=1)
        assert len(fake.asked) == 3  # in full, without the fields that few servers know, and a harmless question
    assert found == {}
    assert "gave no usable answer (tries: 1): HTTP 400: no chat template" in str(problem)


def test_a_field_that_the_server_does_not_know_is_left_out() -> None:
    def plain(body: Body, _: int) -> Body | Fault:
        refused = [field for field in ("max_tokens", "logprobs") if field in body]
        return Fault(400, f"unsupported parameter: {refused[0]}") if refused else completion("anger")

    found, asked = answers(plain, ["x", "y"], concurrency=1)
    assert [found[i].label for i in (0, 1)] == [0, 0]
    assert len(asked) == 4  # twice to learn, then once for each comment
    assert "top_logprobs" not in asked[-1]


def test_a_server_that_can_is_told_to_answer_with_a_label_alone() -> None:
    _, asked = answers(lambda *_: completion("분노"), ["x"], prompt={"names": {"anger": "분노"}})
    names = ["분노", "sadness", "neutral", "happiness"]
    assert asked[0]["structured_outputs"] == {"choice": names}
    assert asked[0]["guided_choice"] == names
    assert asked[0]["grammar"] == 'root ::= "분노" | "sadness" | "neutral" | "happiness"'
    _, asked = answers(lambda *_: completion("anger"), ["x"], constrain="none")
    assert not {"structured_outputs", "guided_choice", "grammar"} & set(asked[0])


@pytest.mark.parametrize("words", ["Unrecognized request argument supplied: guided_choice", "Invalid JSON payload"])
def test_a_server_that_cannot_be_told_so_is_asked_without_it(words: str) -> None:
    def strict(body: Body, _: int) -> Body | Fault:
        return Fault(400, words) if "guided_choice" in body else by_number(body)

    found, asked = answers(strict, TEXTS, concurrency=1)
    assert [found[i].label for i in range(12)] == [i % 4 for i in range(12)]
    assert len(asked) == 13  # once to learn
    assert "logprobs" in asked[-1]


def test_a_message_refused_later_does_not_end_the_constraint() -> None:
    def filters(body: Body, _: int) -> Body | Fault:
        return Fault(400, "flagged") if comment_in(body).startswith("comment 1 ") else completion("anger")

    _, asked = answers(filters, TEXTS[:3], concurrency=1)
    assert all("structured_outputs" in body for body in asked)


def test_a_missing_client_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UserError, match=r"pip install 'moodline\[server\]'"):
        make_labeller(settings_for("http://localhost:1/v1"), LABELS, "cpu")
