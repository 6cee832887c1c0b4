"""Files that are a little wrong, of every kind, through the sandbox: each is text or a reason, and no child is lost.

The same files each time: a search with chance in it is ``python -m tests.fuzz.parsers``.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bucketwise.errors import UnreadableDocument
from ingest.parsing.kinds import KINDS
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from tests.fuzz.entry import members_of, packed, sample_of
from tests.hostile.samples import SAMPLES

PIECES = [b"", b"\0", b"\xff" * 8, b"<", b">", b'"', b"(", b")", b"{", b"}", b"[", b"]", b"\\", b"\r\n\r\n", b"-1",
          b"99999999999", b"%", b"&#x0;", b"\xed\xa0\x80", b"A" * 5000, b"\n" * 300]  # fmt: skip


@pytest.fixture(scope="module")
def losses() -> list[Loss]:
    return []


@pytest.fixture(scope="module")
def sandbox(losses: list[Loss]) -> Iterator[Sandbox]:
    with closing(Sandbox(SandboxLimits(stall_seconds=10, cpu_seconds=30), losses.append)) as box:
        yield box


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes flipped, taken out, put in or doubled, at up to six places."""
    mutable = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(mutable)))
        end = min(len(mutable), start + draw(st.sampled_from([0, 1, 2, 4, 16, 200])))
        match draw(st.sampled_from(["flip", "replace", "double", "cut"])):
            case "flip":
                mutable[start:end] = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in mutable[start:end])
            case "replace":
                mutable[start:end] = draw(st.sampled_from(PIECES))
            case "double":
                mutable[start:start] = mutable[start:end] * draw(st.sampled_from([1, 2, 50]))
            case "cut":
                del mutable[max(1, start) :]
    return bytes(mutable)


@st.composite
def files(draw: st.DrawFn, kind: str) -> bytes:
    content = sample_of(kind)
    members = members_of(content)
    if not members or draw(st.integers(0, 4)) == 0:
        return draw(changed(content))
    name = draw(st.sampled_from(sorted(members)))
    return packed({**members, name: draw(changed(members[name]))})


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_changed_file_is_text_or_a_reason(
    sandbox: Sandbox, losses: list[Loss], tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    path: Path = tmp_path_factory.mktemp("changed") / "file"

    @settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(files(kind))
    def ends_well(content: bytes) -> None:
        path.write_bytes(content)
        losses.clear()
        try:
            with sandbox.parse(path, key=SAMPLES[kind].name, content_type=None) as document:
                for block in document.blocks:
                    block.text.encode()
        except UnreadableDocument as problem:
            assert problem.hint  # noqa: PT017  # either is well
        assert losses == []

    ends_well()
