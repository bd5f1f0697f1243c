"""A labeller behind an OpenAI-compatible API: vLLM, llama.cpp, Ollama, OpenAI and their like.

Each comment is one request of its own, so no comment can change another's answer. Threads send them concurrently.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from queue import Empty, SimpleQueue
from typing import Self

from transfer.errors import UserError
from transfer.labellers.few_shot_examples import Example, FewShotExamples, FixedExamples
from transfer.labellers.labeller import Answer, identity_of
from transfer.labellers.labeller_settings import WHERE, LabellerSettings, require_labeller
from transfer.labellers.prompt import (
    OPEN,
    PromptSettings,
    frame,
    label_names,
    opening,
    remind,
    render,
    written_examples,
)
from transfer.labellers.server.answer_parsing import distribution, read_label, spellings
from transfer.labellers.server.openai_client import ChatClient, Stopped, Unanswered
from transfer.labellers.server.openai_messages import ANSWER_TOKENS, Reply, address


class ServerLabeller:
    """Asks the server at `settings.base_url`; see labeller.Labeller.

    A comment that a healthy server fails on, try after try, is answered with label None and the fault as `raw`.
    Arguments as of labeller_factory.make_labeller. Raises UserError where an address or a model is missing, the prompt
    does not fit the labels, or the openai client is not installed.
    """

    def __init__(
        self,
        settings: LabellerSettings,
        labels: Sequence[str],
        where: str = WHERE,
        examples: FewShotExamples | None = None,
    ) -> None:
        require_labeller(settings, labels, where)
        if not settings.base_url:
            raise UserError(f"{where}.base_url: not given", "a server's address, as in http://localhost:8000/v1")
        self._settings, self._labels, self._where = settings, tuple(labels), where
        self._examples = examples or FixedExamples(written_examples(settings.prompt))
        self._names = label_names(settings.prompt, labels)
        self._spellings = spellings(labels, self._names)
        self.client()  # so that a missing package is met before any work

    @property
    def identity(self) -> str:
        return identity_of({**self.description, "extra_body": self._settings.extra_body})

    @property
    def description(self) -> Mapping[str, object]:
        prompt = self._settings.prompt
        before, after = frame(prompt, self._labels)
        if self._examples.metadata:
            before = f"{opening(prompt, self._labels)}{{examples}}{OPEN}\n"
        free = {} if self._settings.constrain == "auto" else {"constrain": self._settings.constrain}
        return {
            "kind": "server",
            "base_url": address(self._settings.base_url or ""),
            "model": self._settings.model,
            "labels": list(self._labels),
            "names": list(self._names),
            "prompt": f"{before}{{comment}}{after}",
            "reminder": remind(after, prompt, self._labels),
            "max_characters": prompt.max_characters,
            "answer_tokens": ANSWER_TOKENS,
            **self._examples.metadata,
            **free,
        }

    def answer(self, texts: Sequence[str]) -> Iterator[tuple[int, Answer]]:
        client, shown = self.client(), self._examples.for_texts(texts)
        threads = min(self._settings.concurrency, len(texts))
        yield from run_concurrently(
            lambda i: self._answer_one(client, texts[i], shown[i]), len(texts), threads, client.stop
        )

    def with_prompt(self, prompt: PromptSettings) -> Self:
        other = copy(self)
        other._settings = self._settings.model_copy(update={"prompt": prompt})
        return other

    def client(self) -> ChatClient:
        """A client of the server. Raises UserError where the openai client is not installed."""
        return ChatClient(self._settings, self._where, render(self._settings.prompt, self._labels, "."), self._names)

    def _answer_one(self, client: ChatClient, text: str, examples: Sequence[Example]) -> Answer:
        message = render(self._settings.prompt, self._labels, text, examples)
        replies: list[Reply] = []
        try:
            replies.append(client.request(message))
            if read_label(replies[0].text, self._spellings) is None:
                replies.append(client.request(remind(message, self._settings.prompt, self._labels)))
        except Unanswered as fault:
            replies.append(Reply(str(fault), 0, 0, ()))
        raw = "\n".join(reply.text for reply in replies)
        tokens, written = sum(reply.tokens for reply in replies), sum(reply.written for reply in replies)
        label = read_label(replies[-1].text, self._spellings)
        if label is None:
            return Answer(None, None, raw, tokens, written)
        probabilities = distribution(replies[-1].positions, self._spellings)
        if probabilities:
            # Several spellings of one label may together be likelier than the one that was written.
            label = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Answer(probabilities, label, raw, tokens, written)


def run_concurrently(
    work: Callable[[int], Answer], count: int, threads: int, stop: threading.Event
) -> Iterator[tuple[int, Answer]]:
    """(i, work(i)) for each i below `count`, as they come, from `threads` threads.

    The first error ends the work: requests in progress are waited for, all answers are yielded, then it is raised.
    Threads are daemons, so that an interrupted program does not wait for a server that hangs.
    """
    todo: SimpleQueue[int] = SimpleQueue()
    for i in range(count):
        todo.put(i)
    done: SimpleQueue[tuple[int, Answer] | Exception | None] = SimpleQueue()

    def run() -> None:
        while not stop.is_set():
            try:
                i = todo.get_nowait()
                done.put((i, work(i)))
            except (Empty, Stopped):
                break
            except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                stop.set()
                done.put(error)
        done.put(None)

    for _ in range(threads):
        threading.Thread(target=run, daemon=True).start()
    failure, running = None, threads
    try:
        while running:
            result = done.get()
            if result is None:
                running -= 1
            elif isinstance(result, Exception):
                failure = failure or result
            else:
                yield result
    finally:
        stop.set()
    if failure:
        raise failure
