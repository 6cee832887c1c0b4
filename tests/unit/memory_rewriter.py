"""A follow-up question made to stand alone without a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ask.prompt import Turn
from ask.rewriting import Rewritten
from bucketwise.deadline import Deadline
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage

MODEL = "gpt-4.1-mini"


@dataclass
class JoiningRewriter:
    """Puts the question before in front of the new one."""

    failure: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def rewrite(self, question: str, history: Sequence[Turn], *, deadline: Deadline) -> Rewritten:
        deadline.allow(1)
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure
        usage = ModelUsage(MODEL, 100, 10)
        tell_usage(usage)
        return Rewritten(f"{history[-1].question} {question}", usage)
