"""One request to an OpenAI-compatible server: retries, waiting as long as it asks for, and what its faults mean.

Temporary faults are retried with growing waits; permanent ones become a UserError at once. No message shows the key.
Why not by the client's own retries: docs/decisions.md, Labels.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transfer.errors import UserError
from transfer.labellers.labeller_settings import LabellerSettings
from transfer.labellers.server.openai_messages import (
    CONSTRAINTS,
    Reply,
    address,
    full_text,
    optional_fields,
    read_reply,
    retry_after,
)

if TYPE_CHECKING:
    import openai

FIRST_WAIT = 1.0  # seconds; each further wait is twice as long
LONGEST_WAIT = 30.0  # seconds, where the server names no time itself
LONGEST_ASKED_WAIT = 300.0  # seconds; a server that asks for more is out of quota, and a person should know
TEMPORARY = {408, 409, 425, 429}  # and 500 and above
OF_THE_MESSAGE = {400, 413, 422}  # too long, or met by a content filter; or of every message: then another fails too


class Stopped(Exception):
    """Another thread met a permanent fault, so this request was given up."""


class Unanswered(Exception):
    """This one request got no answer, while the server answers others."""


@dataclass(frozen=True)
class _Fault:
    """What went wrong; whether it is temporary, and a rate limit; the seconds that the server asks to wait."""

    what: str
    is_temporary: bool = True
    is_limit: bool = False
    wait: float = 0.0


class ChatClient:
    """Sends requests, from any number of threads. `stop` ends every wait and every further request.

    harmless: a message that a healthy server can answer, to distinguish its faults from a message's.
    names: the words that are an answer.
    """

    def __init__(self, settings: LabellerSettings, where: str, harmless: str, names: Sequence[str]) -> None:
        try:
            import openai
        except ImportError as error:
            raise UserError(
                f"{where}.base_url: a server as labeller needs the openai client, which is not installed",
                "pip install 'moodline[server]'",
            ) from error
        self.stop = threading.Event()
        self._fields = optional_fields(names, constrain=settings.constrain == "auto")
        self._has_answered = False
        self._settings, self._where, self._harmless = settings, where, harmless
        self._address = address(settings.base_url or "")
        self._key = os.environ.get(settings.api_key_env, "").strip() or None
        # Retries are ours: they end when the run stops, and distinguish one bad comment from a dead server.
        self._client = openai.OpenAI(
            base_url=settings.base_url,
            api_key=self._key or "none",  # the client insists on one; local servers take any
            timeout=settings.timeout,
            max_retries=0,
        )
        self._refused: set[str] = set()

    def request(self, message: str) -> Reply:
        """The server's reply to one message.

        Raises UserError where further requests are useless, Unanswered where this message alone fails, Stopped.
        """
        found, wait, tries = self._try(message), FIRST_WAIT, 1
        while isinstance(found, _Fault) and found.is_temporary and tries <= self._settings.retries:
            if self.stop.wait(max(wait, found.wait)):
                raise Stopped
            found, wait, tries = self._try(message), min(2 * wait, LONGEST_WAIT), tries + 1
        return found if isinstance(found, Reply) else self._last_try(message, found, tries)

    def _last_try(self, message: str, fault: _Fault, tries: int) -> Reply:
        """Whether the server or the message is at fault: where another message is answered, one more try decides."""
        if fault.is_limit or isinstance(self._try(self._harmless), _Fault):
            raise self._problem(
                f"gave no usable answer (tries: {tries}): {fault.what}",
                "is it running, at this address, and not overloaded? concurrency, timeout and retries are settings",
            )
        found = self._try(message)
        if isinstance(found, _Fault):
            raise Unanswered(f"[no answer: {found.what}]")
        return found

    def _try(self, message: str) -> Reply | _Fault:
        import openai

        if self.stop.is_set():
            raise Stopped
        try:
            return self._send(message)
        except openai.APIStatusError as error:
            self._require_temporary(error)
            code, what = error.status_code, f"HTTP {error.status_code}: {self._words(error)}"
            return _Fault(what, code not in OF_THE_MESSAGE, code == 429, retry_after(error) or 0.0)
        except openai.APITimeoutError:
            return _Fault(f"nothing within {self._settings.timeout:g} s")
        except openai.APIConnectionError:
            return _Fault("no connection")
        except (openai.APIError, ValueError):
            return _Fault("an answer that is not readable JSON")

    def _send(self, message: str) -> Reply:
        import openai

        while True:
            sent = {key: value for key, value in self._fields.items() if key not in self._refused}
            try:
                completion = self._client.chat.completions.create(
                    model=self._settings.model or "",
                    messages=[{"role": "user", "content": message}],
                    extra_body={**sent, **self._settings.extra_body},
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self._leave_out(error, sent):
                    raise
                continue
            self._has_answered = True
            if isinstance(getattr(completion, "choices", None), list):
                return read_reply(completion)
            raise self._problem("answered with something that is no chat completion", "does its address end in /v1?")

    def _leave_out(self, error: "openai.APIStatusError", sent: Mapping[str, object]) -> bool:
        """Whether the server refused an optional field by its name, so that the request can be sent without it.

        Some refuse unknown fields without naming them; so to one that has never answered, one request is sent without
        the fields that few servers know.
        """
        named = {field for field in sent if field in full_text(error)}
        if named & {"logprobs", "top_logprobs"}:
            named |= {"logprobs", "top_logprobs"}  # one is no use without the other
        if named & set(CONSTRAINTS) or not (named or self._has_answered):
            named |= set(CONSTRAINTS) & set(sent)
        self._refused |= named
        return bool(named)

    def _require_temporary(self, error: "openai.APIStatusError") -> None:
        code, words = error.status_code, f"its words: {self._words(error)}"
        if code in (401, 403):
            found = "is set" if self._key else "is not set"
            raise self._problem(
                f"refused the key (HTTP {code})",
                words,
                f"the key is read from the environment variable {self._settings.api_key_env}, which {found}",
            )
        if code == 404:
            raise self._problem(
                f"knows no model '{self._settings.model}' at this address (HTTP 404)", words, *self._models()
            )
        if code == 429 and "insufficient_quota" in full_text(error):
            raise self._problem("reports that the account's quota is used up (HTTP 429)", words)
        if code < 500 and code not in TEMPORARY | OF_THE_MESSAGE:
            raise self._problem(f"refused the request (HTTP {code})", words)
        wait = retry_after(error)
        if wait is not None and wait > LONGEST_ASKED_WAIT:
            raise self._problem(f"asks to wait for {wait:.0f} s (HTTP {code})", words, "run again after that time")

    def _models(self) -> list[str]:
        import openai

        try:
            names = [model.id for model in self._client.models.list()]
        except openai.OpenAIError:
            return [f"is {self._address} the address of an OpenAI-compatible server? It mostly ends in /v1"]
        return [f"its models: {', '.join(names[:20])}"]

    def _problem(self, fault: str, *details: str) -> UserError:
        kept = "what was labelled is kept; run again to go on"
        return UserError(f"{self._where}: the server {self._address} {fault}", *details, kept)

    def _words(self, error: "openai.APIError") -> str:
        words = error.body.get("message") if isinstance(error.body, dict) else None
        words = " ".join(str(words or error.message).split())
        return (words.replace(self._key, "***") if self._key else words)[:300]
