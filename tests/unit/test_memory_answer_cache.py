"""The cache of the tests keeps the rules of the real one."""

from ask.answer_cache import Cache, KeptAnswer, KeptVector
from bucketwise.deadline import Deadline
from bucketwise.index_kind import IndexKind
from tests.unit.ingest_fakes import SOON
from tests.unit.memory_answer_cache import MemoryAnswerCache

KIND = IndexKind("model", 2)


def test_an_answer_is_found_in_its_corpus_version_and_before_the_vector() -> None:
    cache = MemoryAnswerCache()
    kept: Cache = cache
    kept.keep(None, KeptVector("question", KIND, [1.0, 0.0], 5), deadline=SOON)
    kept.keep(KeptAnswer(b"f", 7, {"text": "answer"}, [("a.txt", "v1")]), None, deadline=SOON)
    kept.keep(KeptAnswer(b"late", 6, {"text": "late"}, []), None, deadline=SOON)
    found = kept.look_up(b"f", "question", KIND, deadline=SOON)
    assert (found.answer, found.vector, found.corpus_version) == ({"text": "answer"}, None, 7)
    assert kept.look_up(b"late", "question", KIND, deadline=SOON).vector == [1.0, 0.0]
    assert kept.look_up(b"late", "question", IndexKind("model", 3), deadline=SOON).vector is None
    cache.corpus_version += 1
    assert kept.look_up(b"f", "question", KIND, deadline=SOON).answer is None
    cache.forget("a.txt")
    assert cache.answers == {}


def test_without_time_nothing_is_kept() -> None:
    cache = MemoryAnswerCache()
    cache.keep(KeptAnswer(b"f", 7, {}, []), None, deadline=Deadline.after(-1))
    cache.keep(None, KeptVector("question", KIND, [1.0, 0.0], 5), deadline=Deadline.after(-1))
    assert (cache.answers, cache.vectors) == ({}, {})
