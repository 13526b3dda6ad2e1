"""Starts a local AWS and lets two independent clients train, register, deploy and predict against it.

make interop
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlops_core.local.aws.config import AwsConfig, Image
from mlops_core.local.aws.process import LocalAws
from mlops_core.local.environments import Environments, find_uv

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ACCOUNT, REGION = "000000000000", "us-east-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
BUCKET = "interop"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
# The SDK simulates the role's policies before it starts and wants far more than the jobs use.
WORK = {"Effect": "Allow", "Action": ["s3:*", "ecr:*", "logs:*", "cloudwatch:*", "ec2:*", "sagemaker:*", "kms:*", "iam:*"], "Resource": "*"}


def main() -> int:
    """Run both clients; the exit code is the number of clients that failed."""
    bin_folder = Path(os.environ["INTEROP_BIN"])
    with tempfile.TemporaryDirectory(prefix="interop-") as name:
        aws = LocalAws(configuration(Path(name)))
        aws.start()
        try:
            aws.wait_healthy(30)
            environment = client_environment(aws, bin_folder, Path(name))
            role = prepare(environment)
            clients = {
                "AWS CLI": [sys.executable, str(HERE / "with_cli.py")],
                "SageMaker SDK": [str(bin_folder / "python"), str(HERE / "with_sdk.py")],
            }
            failed = [client for client, command in clients.items() if not passes(client, command, {**environment, "ROLE": role})]
        finally:
            aws.stop()
    return len(failed)


def configuration(folder: Path) -> AwsConfig:
    """A local AWS with two images whose programs stand beside this file."""
    programs = folder / "image" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(os.path.realpath(sys.executable))
    images = {f"interop-{name}": Image(programs, ("python", str(HERE / f"program_{name}.py"))) for name in ("work", "serve")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    state = folder / "state"
    state.mkdir()
    return AwsConfig(port=port, state=state, python=ministack(), lambda_python=Path(sys.executable), images=images)


def ministack() -> Path:
    """The interpreter of MiniStack's environment, made of its lock unless one is named."""
    named = os.environ.get("MLOPS_MINISTACK_PYTHON")
    if named:
        return Path(named)
    return Environments(project=ROOT, folder=ROOT / ".envs", uv=find_uv(ROOT)).ensure("ministack") / "bin" / "python"


def client_environment(aws: LocalAws, bin_folder: Path, home: Path) -> dict[str, str]:
    """What the clients see: the endpoint, its certificate, the root user's keys, and nothing of ours."""
    told = dict(aws.environment())
    shared = {"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(home), "AWS_PAGER": "", "PYTHONWARNINGS": "ignore"}
    return {**told, **shared, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "REGISTRY": REGISTRY, "BUCKET": BUCKET}


def prepare(environment: Mapping[str, str]) -> str:
    """A bucket with training data and an execution role, made with the AWS CLI; the role's ARN."""
    aws(environment, "s3api", "create-bucket", "--bucket", BUCKET)
    data = Path(environment["HOME"]) / "train.csv"
    data.write_text("1,2\n2,4\n3,6\n", encoding="utf-8")
    aws(environment, "s3api", "put-object", "--bucket", BUCKET, "--key", "train/train.csv", "--body", str(data))
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    made = aws(environment, "iam", "create-role", "--role-name", "interop", "--assume-role-policy-document", trust)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [WORK]})
    aws(environment, "iam", "put-role-policy", "--role-name", "interop", "--policy-name", "p", "--policy-document", policy)
    return str(json.loads(made)["Role"]["Arn"])


def aws(environment: Mapping[str, str], *arguments: str) -> str:
    """Run the AWS CLI; its JSON. CalledProcessError when it refuses, with the reason on the terminal."""
    command = [str(Path(environment["PATH"].partition(":")[0]) / "aws"), *arguments, "--output", "json"]
    return subprocess.run(command, env=dict(environment), check=True, stdout=subprocess.PIPE, text=True).stdout


def passes(client: str, command: list[str], environment: Mapping[str, str]) -> bool:
    """Whether a client's program ends well."""
    done = subprocess.run(command, env=dict(environment), check=False, cwd=environment["HOME"])
    sys.stdout.write(f"{client}: {'trained, registered, deployed and predicted' if done.returncode == 0 else 'FAILED'}\n")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
