"""Words that nobody says by chance, one for each private thing; where one turns up, that thing has got out."""

from dataclasses import dataclass, fields
from uuid import uuid4


def _word(name: str) -> str:
    return f"canary{name}{uuid4().hex[:10]}"


@dataclass(frozen=True, slots=True)
class Canaries:
    question: str
    history: str
    text: str
    key: str
    metadata: str
    reply: str
    api_key: str
    password: str
    signature: str
    message: str

    @classmethod
    def fresh(cls) -> "Canaries":
        return cls(**{field.name: _word(field.name.replace("_", "")) for field in fields(cls)})

    def found_in(self, said: str) -> set[str]:
        """The names of those that ``said`` holds, in whatever case."""
        lower = said.lower()
        return {field.name for field in fields(self) if getattr(self, field.name) in lower}
