"""The fields of a request to an OpenAI-compatible server, and what is read from its replies and errors."""

import email.utils
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from transfer.labellers.server.answer_parsing import Alternatives

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion
    from openai.types.chat.chat_completion import ChoiceLogprobs

ANSWER_TOKENS = 32  # a label's name is shorter, and a sentence is no answer anyway
LISTED_TOKENS = 20  # the most that OpenAI's API lists at a position
# Fields that make some servers write one of the names and nothing else. Others ignore them, or refuse them.
# vLLM: structured_outputs (guided_choice before 0.11); llama.cpp: grammar, in its own form of BNF.
CONSTRAINTS = ("structured_outputs", "guided_choice", "grammar")


@dataclass(frozen=True)
class Reply:
    """What the server wrote; tokens in all, and those written; the likeliest tokens where it lists them."""

    text: str
    tokens: int
    written: int
    positions: tuple[Alternatives, ...]


def optional_fields(names: Sequence[str], *, constrain: bool) -> dict[str, object]:
    """Fields that are sent where the server takes them. constrain: to answer with one of `names`."""
    listed = {"logprobs": True, "top_logprobs": LISTED_TOKENS}
    quoted = " | ".join(json.dumps(name, ensure_ascii=False) for name in names)
    values = {"choice": list(names)}, list(names), f"root ::= {quoted}"
    constraints = dict(zip(CONSTRAINTS, values, strict=True)) if constrain else {}
    return {"max_tokens": ANSWER_TOKENS, "temperature": 0.0, **listed, **constraints}


def read_reply(completion: "ChatCompletion") -> Reply:
    """The reply in a chat completion; an empty one where it has no choices."""
    if not completion.choices:
        return Reply("", 0, 0, ())
    choice, usage = completion.choices[0], completion.usage
    text = choice.message.content or choice.message.refusal if choice.message else None
    # some servers leave a count out, which the client then gives as None
    tokens, written = (usage.total_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)
    return Reply(text or "", tokens, written, _positions(choice.logprobs))


def address(base_url: str) -> str:
    """An address without the user name, password or query that it may carry."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")).rstrip("/")


def full_text(error: "openai.APIStatusError") -> str:
    """The server's message, code and parameter; some versions of the client have only the message in the error."""
    return f"{error} {error.body}"


def retry_after(error: "openai.APIStatusError") -> float | None:
    """Seconds that the server asks to wait, or None: RFC 9110, section 10.2.3, a number or a date."""
    value = error.response.headers.get("retry-after")
    try:
        seconds = float(value or "")
        return None if math.isnan(seconds) else max(seconds, 0.0)
    except ValueError:
        date = email.utils.parsedate_tz(value or "")
    return max(email.utils.mktime_tz(date) - time.time(), 0.0) if date else None


def _positions(logprobs: "ChoiceLogprobs | None") -> tuple[Alternatives, ...]:
    content: Sequence[Any] = (logprobs.content if logprobs else None) or ()
    return tuple(
        Alternatives(_text(at), tuple((_text(top), float(top.logprob)) for top in at.top_logprobs or ()))
        for at in content
    )


def _text(token: Any) -> str:
    return bytes(token.bytes).decode("utf-8", "replace") if token.bytes else str(token.token)
