"""Answer a question by quoting the sentences of the passages that fit it best."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from local.model_server.embeddings import Embedder
from local.model_server.prompt import Passage
from local.model_server.sentences import Unit, leads, split_units
from local.model_server.words import content_stems, stems, wanted_kinds

NAMED_SHARE = 0.5  # of the words that say where, in what is at hand of a document
_LONGEST_ANSWER = 3
_NEXT_BEST = 0.85
_FEWEST_ASKED = 2  # words behind a colon that make a question


@dataclass(frozen=True, slots=True)
class Least:
    """What the best sentence must have: a score, and a share of the question's words in it or around it."""

    score: float
    coverage: float


# Where questions that are refused and could be answered, and those that are answered and should not be, are few
# together: of questions that say where, the contracts' in bench.answers; of others, those of Natural Questions
# and XQuAD, asked of their own documents and of each other's.
OF_A_NAMED_DOCUMENT = Least(0.25, 0.15)
OF_ANY_DOCUMENT = Least(0.35, 0.2)


@dataclass(frozen=True, slots=True)
class Quote:
    """An exact substring of the passage with that number, and how well it fits the question (0 to ~1)."""

    passage: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    unit: Unit
    words: frozenset[str]
    nearby: frozenset[str]
    around: frozenset[str]


def answer(question: str, passages: Sequence[Passage], embedder: Embedder) -> list[Quote]:
    """The one to three best sentences, best first; none when the passages do not seem to hold the answer."""
    candidates = [one for passage in passages for one in _candidates(passage)]
    where, question = parted(question)
    named = _named(where, passages)
    wanted = content_stems(question)
    if not candidates or not wanted:
        return []
    weights = _weights(wanted, candidates)
    cosines = _cosines(question, candidates, embedder)
    kinds = wanted_kinds(question)
    scored: list[tuple[float, _Candidate]] = []
    for candidate, cosine in zip(candidates, cosines, strict=True):
        score = _score(kinds, candidate, weights, cosine)
        coverage = _share(weights, candidate.words | candidate.nearby | candidate.around)
        least = OF_A_NAMED_DOCUMENT if candidate.passage.context in named else OF_ANY_DOCUMENT
        if score >= least.score and coverage >= least.coverage:
            scored.append((score, candidate))
    scored.sort(key=lambda pair: -pair[0])
    return list(_choose(scored, weights)) if scored else []


def parted(question: str) -> tuple[str, str]:
    """What says where, and what is asked: "In the lease of 2019: who pays for repairs?" has both, most only ask."""
    where, _, rest = question.rpartition(": ")
    return (where, rest) if len(content_stems(rest)) >= _FEWEST_ASKED else ("", question)


def _named(where: str, passages: Sequence[Passage]) -> set[str]:
    """Documents, by their passages' context, that hold enough of the words which say where; none if nothing does."""
    wanted = set(content_stems(where))
    held = defaultdict[str, set[str]](set)
    for passage in passages:
        held[passage.context].update(wanted.intersection(stems(f"{passage.context}\n{passage.text}")))
    return {document for document, words in held.items() if wanted and len(words) >= NAMED_SHARE * len(wanted)}


def _candidates(passage: Passage) -> Iterator[_Candidate]:
    around = frozenset(stems(f"{passage.context}\n{passage.text}"))
    units = split_units(passage.text)
    # A heading or a repeated question fits the question's words best of all and answers nothing.
    telling = [unit for unit in units if not leads(unit)]
    for unit in telling or units:
        yield _Candidate(passage, unit, frozenset(stems(unit.text)), frozenset(stems(unit.context)), around)


def _weights(wanted: Sequence[str], candidates: Sequence[_Candidate]) -> dict[str, float]:
    """Inverse frequency over the sentences at hand: ln(1 + (N - n + 0.5) / (n + 0.5)), as BM25 has it."""
    total = len(candidates)
    seen = Counter(word for candidate in candidates for word in candidate.words)
    return {word: math.log1p((total - seen[word] + 0.5) / (seen[word] + 0.5)) for word in wanted}


def _cosines(question: str, candidates: Sequence[_Candidate], embedder: Embedder) -> list[float]:
    vectors = embedder.embed([question, *(candidate.unit.text for candidate in candidates)]).vectors
    return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


def _share(weights: Mapping[str, float], words: frozenset[str]) -> float:
    return sum(weight for word, weight in weights.items() if word in words) / sum(weights.values())


def _score(
    kinds: Sequence[re.Pattern[str]], candidate: _Candidate, weights: Mapping[str, float], cosine: float
) -> float:
    own = _share(weights, candidate.words)
    near = _share(weights, candidate.words | candidate.nearby)
    around = _share(weights, candidate.words | candidate.around)
    score = 0.25 * own + 0.2 * near + 0.25 * around + 0.35 * max(0.0, cosine)
    if any(kind.search(candidate.unit.text) for kind in kinds):
        score += 0.08
    return score


def _choose(scored: Sequence[tuple[float, _Candidate]], weights: Mapping[str, float]) -> Iterator[Quote]:
    best, top = scored[0]
    covered: frozenset[str] = frozenset()
    texts: set[str] = set()
    for score, candidate in scored[: 2 * _LONGEST_ANSWER]:
        step = candidate.unit.kind == "item" and candidate.unit.context == top.unit.context != ""
        adds = step or bool(weights.keys() & (candidate.words - covered))
        if candidate.unit.text in texts or (texts and not (adds and score >= _NEXT_BEST * best)):
            continue
        yield Quote(candidate.passage.number, candidate.unit.text, score)
        covered |= candidate.words
        texts.add(candidate.unit.text)
        if len(texts) == _LONGEST_ANSWER:
            return
