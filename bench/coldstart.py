"""``python -m bench.coldstart [--rounds N]``: the CPU time of starting a function, beside what else could be started.

Each subject is imported and put together in a fresh interpreter, as an execution environment does it with its first
request, and in turn with the others: the machine's speed drifts. CPU time, user's and system's, of the whole process,
less that of an interpreter that does nothing; nothing is connected. Prints one JSON line, in milliseconds: medians of
the rounds with bytecode, as `make build` deploys it, and under `without_bytecode` the same with none. `ask_to_bare`
and the like are medians of each round's own ratio.

ask, ingest       the handlers, with settings, clients and pipelines
bare              the imports alone of the packages that both are built on: openai, psycopg, boto3, pydantic, and
                  Powertools with the X-Ray SDK, which its Tracer brings in when it is made; bare_untraced: without it
bare_uncollected  bare without looking for garbage, as the handlers start
langchain         a retrieval chain: OpenAI's chat and embedding models, a prompt, an engine for PGVectorStore
llamaindex        a query engine: OpenAI's models, an index over PGVectorStore

The peers need bench/peers/.venv (bench/peers/README.md); without it they are left out. They have no Powertools, and
LangChain's store itself is left out: it is not made without a database.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from local import CODE, ROOT

PEERS = ROOT / "bench" / "peers" / ".venv" / "bin" / "python"
NOTHING = "nothing"
BARE = """
import boto3
import openai
import psycopg
import pydantic
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.batch import BatchProcessor
"""
TRACED = BARE + "import aws_xray_sdk.core"
OURS = {
    NOTHING: "pass",
    "bare": TRACED,
    "bare_uncollected": "import gc; gc.disable()" + TRACED,
    "bare_untraced": BARE,
    "ask": """
from ask.handler import lambda_handler
from ask.composition import ask_pipeline, documents
ask_pipeline("default"), documents("default")
""",
    "ingest": """
from ingest.handler import lambda_handler
from ingest.composition import ingest_pipeline, postings, postponement, tagger
from ingest.tenants import Owner
ingest_pipeline(Owner("default")), postings("default"), postponement(), tagger()
""",
}
THEIRS = {
    "langchain": """
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_postgres import PGEngine, PGVectorStore
engine = PGEngine.from_connection_string("postgresql+asyncpg://nobody@127.0.0.1:9/none")
embeddings = OpenAIEmbeddings(model="text-embedding-3-small")
prompt = ChatPromptTemplate.from_template("Answer from {context}: {question}")
chain = {"question": RunnablePassthrough()} | prompt | ChatOpenAI(model="gpt-4.1-mini") | StrOutputParser()
""",
    "llamaindex": """
from llama_index.core import VectorStoreIndex
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from llama_index.vector_stores.postgres import PGVectorStore
store = PGVectorStore.from_params(
    host="127.0.0.1", port="9", database="none", user="nobody", password="", table_name="t", embed_dim=256,
    hybrid_search=True, perform_setup=False)
index = VectorStoreIndex.from_vector_store(store, embed_model=OpenAIEmbedding(model="text-embedding-3-small"))
engine = index.as_query_engine(llm=OpenAI(model="gpt-4.1-mini"))
""",
}
VARIABLES = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "BUCKET": "bench",
    "QUEUE_URL": "http://127.0.0.1:9/queue",
    "OPENAI_API_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.coldstart", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    programs = {name: (Path(sys.executable), program) for name, program in OURS.items()}
    if PEERS.exists():
        programs |= {name: (PEERS, program) for name, program in THEIRS.items()}
    with tempfile.TemporaryDirectory(prefix="bucketwise-coldstart-") as folder:
        kept = Path(folder) / "bytecode"
        measured = milliseconds(programs, options.rounds, kept)
        without = milliseconds(programs, max(3, options.rounds // 2), None)
    print(json.dumps(measured | {"without_bytecode": without}))
    return 0


def milliseconds(programs: dict[str, tuple[Path, str]], rounds: int, bytecode: Path | None) -> dict[str, float]:
    """Medians. ``bytecode`` is where it is kept, after a first round that is not counted; None: nowhere."""
    if bytecode is not None:
        for python, program in programs.values():
            cpu_seconds(python, program, bytecode)
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, (python, program) in programs.items():
            seconds[name].append(cpu_seconds(python, program, bytecode))
    nothing = median(seconds.pop(NOTHING))
    measured = {name: round((median(each) - nothing) * 1000, 1) for name, each in seconds.items()}
    for other in {"bare", "bare_uncollected", *THEIRS} & seconds.keys() if "ask" in seconds else ():
        rounds_of_both = zip(seconds["ask"], seconds[other], strict=True)
        measured[f"ask_to_{other}"] = round(
            median((ask - nothing) / (each - nothing) for ask, each in rounds_of_both), 3
        )
    return measured


def cpu_seconds(python: Path, program: str, bytecode: Path | None) -> float:
    """User's and system's, of a process that runs the program and has ended. Raises CalledProcessError."""
    own = {"PYTHONPATH": os.pathsep.join(map(str, CODE)), **VARIABLES, "PATH": os.defpath, "HOME": str(ROOT)}
    nowhere = tempfile.mkdtemp(prefix="bucketwise-coldstart-") if bytecode is None else None
    own["PYTHONPYCACHEPREFIX"] = nowhere or str(bytecode)  # what lies beside the sources is not looked at
    if nowhere:
        own["PYTHONDONTWRITEBYTECODE"] = "1"
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([python, "-c", program], env=own, cwd=ROOT, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    if nowhere:
        shutil.rmtree(nowhere)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


if __name__ == "__main__":
    raise SystemExit(main())
