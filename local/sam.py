"""``make invoke`` and ``make api``: the built functions in SAM's containers, on the twin's services.

The containers reach this machine as host.docker.internal. On Linux that is the address of Docker's bridge,
where the services do not listen, so their ports are forwarded from there.
"""

import argparse
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from local import ROOT
from local.forward import Forward
from local.services import BUCKET, Services, TwinOptions

SAM = ROOT / ".venv-sam" / "bin" / "sam"
EVENTS = ROOT / "events"
DOCUMENTS = ROOT / "examples" / "documents"
CONTAINER_HOST = "host.docker.internal"


class DockerMissing(Exception):
    """No Docker engine answers."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.sam", description=__doc__)
    parser.add_argument("what", choices=["invoke", "api"])
    parser.add_argument("events", nargs="*", help="names of files in events/, without .json; all of them if none")
    parser.add_argument("--template", type=Path, required=True, help="the template that `sam build` wrote")
    parser.add_argument("--port", type=int, default=3000, help="where `api` serves")
    parser.add_argument("--config-env", default="default", help="of samconfig.toml")
    options = parser.parse_args()
    try:
        bridge = bridge_address()
    except DockerMissing as missing:
        print(f"needs a running Docker engine: {missing}", file=sys.stderr)
        return 1
    sam = [str(SAM), "local"]
    settings = ["--template", str(options.template), "--config-file", str(ROOT / "samconfig.toml")]
    # `make build` names each build's folder by its architecture.
    settings += [
        "--config-env",
        options.config_env,
        "--parameter-overrides",
        f"Architecture={options.template.parent.name}",
    ]
    with tempfile.TemporaryDirectory(prefix="bucketwise-sam-") as home, ExitStack() as running:
        services = running.enter_context(Services(TwinOptions(home=Path(home), environment=os.environ)))
        for port in _ports(services):
            running.enter_context(Forward(bridge, port))
        _drop_documents(services)
        variables = Path(home) / "variables.json"
        variables.write_text(json.dumps(container_variables(services)))
        settings += ["--env-vars", str(variables)]
        if options.what == "api":
            return _serve([*sam, "start-api", "--port", str(options.port), *settings])
        names = options.events or in_order(path.stem for path in EVENTS.glob("*.json"))
        return max(_invoke([*sam, "invoke", *settings], name) for name in names)


def bridge_address() -> str:
    """The address of this machine on Docker's bridge, or 127.0.0.1 where Docker runs in a machine of its own.

    Raises DockerMissing.
    """
    template = "{{json (index .IPAM.Config 0)}}"
    command = ["docker", "network", "inspect", "bridge", "--format", template]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)  # docker is on PATH
    except FileNotFoundError:
        raise DockerMissing("there is no docker command") from None
    except subprocess.CalledProcessError as error:
        raise DockerMissing(error.stderr.strip()) from None
    if sys.platform != "linux":
        return "127.0.0.1"
    bridge = json.loads(found.stdout)
    # Docker names its gateway only if somebody chose one; else it is the network's first address.
    return str(bridge.get("Gateway") or next(ipaddress.ip_network(bridge["Subnet"]).hosts()))


def function_of(event: dict[str, object]) -> str:
    """The logical id of the function that takes such an event."""
    if event.get("source") == "aws.scheduler":
        return "ReconcileFunction"
    if event.get("type") == "TOKEN":
        return "AuthorizeFunction"
    return "AskFunction" if "httpMethod" in event else "IngestFunction"


def in_order(names: Iterable[str]) -> list[str]:
    """Files are dropped before questions are asked. A stack without Auth=jwt has nobody who takes a token."""
    taken = [name for name in names if function_of(_read(name)) != "AuthorizeFunction"]
    return sorted(taken, key=lambda name: (function_of(_read(name)) == "AskFunction", name))


def container_variables(services: Services) -> dict[str, dict[str, str]]:
    """For ``--env-vars``: what each function needs, with this machine's address as containers see it."""
    index = services.index
    urls = {"IngestFunction": index.ingest, "ReconcileFunction": index.ingest, "AskFunction": index.ask}
    return {
        # The template's own secret is nowhere to be found on this machine.
        function: {"OPENAI_API_KEY_SECRET": ""}
        | {
            name: value.replace("127.0.0.1", CONTAINER_HOST)
            for name, value in services.function_environment(database_url=url).items()
            if name != "AWS_REGION"  # reserved: the runtime sets it
        }
        for function, url in urls.items()
    }


def _serve(command: Sequence[str]) -> int:
    """Runs until it ends or this process is told to; SAM then removes its containers."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            return server.wait()
        finally:
            server.terminate()


def _read(name: str) -> dict[str, object]:
    event: dict[str, object] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def _ports(services: Services) -> list[int]:
    urls = [services.index.ask, services.storage.url, *([services.models.url] if services.models else [])]
    return [port for url in urls if (port := urlsplit(url).port) is not None] if sys.platform == "linux" else []


def _drop_documents(services: Services) -> None:
    for path in sorted(path for path in DOCUMENTS.rglob("*") if path.is_file()):
        services.s3.put_object(Bucket=BUCKET, Key=path.relative_to(DOCUMENTS).as_posix(), Body=path.read_bytes())


def _invoke(sam: Sequence[str], name: str) -> int:
    path = EVENTS / f"{name}.json"
    function = function_of(json.loads(path.read_text(encoding="utf-8")))
    done = subprocess.run([*sam, function, "--event", str(path)], capture_output=True, text=True, check=False, cwd=ROOT)
    answer = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()[-1500:]
    print(f"{name} -> {function}: {answer}", flush=True)
    failed = done.returncode != 0 or '"errorType"' in answer
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
