"""The answering half: prompt, generate, check what was quoted, and ask once more if nothing holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from time import perf_counter

from ask.citations import Citation, verify
from ask.cleaning import cleaned
from ask.generation import Generation, Generator
from ask.markers import keep_markers
from ask.prompt import PROMPT_VERSION, Prompt, build_prompt
from ask.replies import Quotation
from ask.support import unsupported
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.telemetry import Metric, Telemetry

# With less time left, an answer none of whose quotes was found is not asked for once more.
REPAIR_SECONDS = 3.0
_WORD = re.compile(r"\w")
# Nobody but an attacker puts markers into markers deeper than this; all brackets go then.
MOST_PASSES = 5
WITHOUT_BRACKETS = str.maketrans("[]［］【】", " " * 6)


class Reason(StrEnum):
    """Why there is no answer."""

    NOTHING_RELEVANT = "nothing_relevant"
    NOT_IN_PASSAGES = "not_in_passages"
    NO_QUOTE_VERIFIED = "no_quote_verified"
    MODEL_FAILED = "model_failed"


@dataclass(frozen=True, slots=True)
class Draft:
    """``text`` is None if there is no answer, and then ``reason`` says why.

    ``missing`` is what the model says that the passages lack. ``unsupported`` are (start, end) of the sentences of
    ``text`` that have no citation. ``dropped`` are quotations that do not stand in the passage that was named.
    """

    text: str | None = None
    reason: Reason | None = None
    missing: str | None = None
    citations: list[Citation] = field(default_factory=list)
    unsupported: list[tuple[int, int]] = field(default_factory=list)
    dropped: list[Quotation] = field(default_factory=list)
    in_prompt: tuple[Passage, ...] = ()
    prompt_version: str = PROMPT_VERSION
    usages: tuple[ModelUsage, ...] = ()
    generate_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class AnsweringStage:
    """passages -> prompt -> generate -> verify -> repair"""

    generator: Generator
    telemetry: Telemetry
    max_context_tokens: int

    def answer(self, question: str, passages: Sequence[Passage], *, deadline: Deadline) -> Draft:
        """What the model makes of the passages, as far as it can be checked. A model that fails costs the answer."""
        prompt = build_prompt(question=question, passages=passages, max_context_tokens=self.max_context_tokens)
        began = perf_counter()
        draft = self._draft(prompt, deadline)
        return replace(draft, in_prompt=prompt.passages, generate_ms=(perf_counter() - began) * 1000)

    def _draft(self, prompt: Prompt, deadline: Deadline) -> Draft:
        generation = self._generate(prompt, deadline)
        if generation is None:
            return Draft(reason=Reason.MODEL_FAILED)
        draft = checked(generation, prompt.passages)
        if draft.reason is not Reason.NO_QUOTE_VERIFIED or deadline.remaining() < REPAIR_SECONDS:
            return draft
        repaired = self._generate(prompt.asked_again(generation.reply), deadline)
        if repaired is None:
            return draft
        again = checked(repaired, prompt.passages)
        return replace(again, usages=draft.usages + again.usages, dropped=draft.dropped + again.dropped)

    def _generate(self, prompt: Prompt, deadline: Deadline) -> Generation | None:
        try:
            with self.telemetry.step("generate", Metric.GENERATION_LATENCY):
                generation = self.generator.generate(prompt, deadline=deadline)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded) as error:
            self.telemetry.log_failure(error)
            return None
        self.telemetry.count_usage(generation.usage)
        return generation


def checked(generation: Generation, shown: Sequence[Passage]) -> Draft:
    """The model's answer with the citations that hold, or without text if none does."""
    said = generation.answer
    verified = verify(said.citations, shown)
    citations = verified.citations
    text = _as_text(said.answer, citations, len(shown))
    reason = None
    if not said.answerable or not said.answer.strip():
        reason = Reason.NOT_IN_PASSAGES
    elif not citations or not _WORD.search(keep_markers(text, set(), shown=len(shown))):
        reason = Reason.NO_QUOTE_VERIFIED
    return Draft(
        text=text if reason is None else None,
        reason=reason,
        missing=(_as_text(said.reason, [], len(shown)) or None) if reason is Reason.NOT_IN_PASSAGES else None,
        citations=citations if reason is None else [],
        unsupported=unsupported(text, {citation.marker for citation in citations}) if reason is None else [],
        dropped=verified.dropped,
        prompt_version=generation.prompt_version,
        usages=(generation.usage,),
    )


def _as_text(written: str, citations: Sequence[Citation], shown: int) -> str:
    """Cleaned, and with no markers but those of the citations."""
    quotes, numbers = [citation.quote for citation in citations], {citation.marker for citation in citations}
    for _ in range(MOST_PASSES):
        text = keep_markers(cleaned(written, quotes=quotes), numbers, shown=shown)
        if text == written:
            return text
        written = text  # a marker that is taken away may have stood in the middle of an element, or of another marker
    return cleaned(written, quotes=quotes).translate(WITHOUT_BRACKETS)
