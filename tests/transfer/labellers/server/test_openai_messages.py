"""What a request asks for, and what is read from replies, addresses and errors."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from transfer.labellers.server.openai_messages import address, optional_fields, read_reply, retry_after


def test_an_answer_is_constrained_to_the_names_in_every_servers_way() -> None:
    fields = optional_fields(["기쁨", 'a "b"'], constrain=True)
    assert fields["structured_outputs"] == {"choice": ["기쁨", 'a "b"']}
    assert fields["guided_choice"] == ["기쁨", 'a "b"']
    assert fields["grammar"] == 'root ::= "기쁨" | "a \\"b\\""'
    assert fields["temperature"] == 0.0
    assert not {"grammar", "guided_choice"} & optional_fields(["a"], constrain=False).keys()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("https://me:s3cret@host/v1?key=s3cret#s3cret", "https://host/v1"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(given: str, shown: str) -> None:
    assert address(given) == shown


def _status_error(retry: str | None) -> Any:
    return SimpleNamespace(response=SimpleNamespace(headers={} if retry is None else {"retry-after": retry}))


def test_the_wait_that_a_server_asks_for_is_a_number_or_a_date() -> None:
    assert retry_after(_status_error("2.5")) == 2.5
    assert retry_after(_status_error("-1")) == 0.0
    assert retry_after(_status_error("nan")) is None
    assert retry_after(_status_error("soon")) is None
    assert retry_after(_status_error(None)) is None
    date = retry_after(_status_error(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)))
    assert date == pytest.approx(59, abs=2)


def test_a_reply_has_text_counts_and_the_likeliest_tokens() -> None:
    likely = SimpleNamespace(bytes=None, token="joy", logprob=-0.1)
    cut = SimpleNamespace(bytes=[0xEA, 0xB8, 0xB0], token="?", logprob=-3.0, top_logprobs=[likely])
    choice = SimpleNamespace(
        message=SimpleNamespace(content=None, refusal="no"), logprobs=SimpleNamespace(content=[cut])
    )
    usage = SimpleNamespace(total_tokens=12, completion_tokens=None)
    reply = read_reply(SimpleNamespace(choices=[choice], usage=usage))  # type: ignore[arg-type]
    assert (reply.text, reply.tokens, reply.written) == ("no", 12, 0)
    (position,) = reply.positions
    assert position.token == "기"
    assert position.likeliest == (("joy", -0.1),)
    empty = read_reply(SimpleNamespace(choices=[], usage=None))  # type: ignore[arg-type]
    assert (empty.text, empty.positions) == ("", ())
