"""The thin client against the real server, over the Lambda transport, on in-memory ports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_core import errors
from mlops_core.adapters.in_memory import MemoryPorts, in_memory_ports
from mlops_core.mcp_server import wire
from mlops_core.mcp_server.client import Client
from mlops_core.mcp_server.lambda_transport import Transport
from mlops_core.mcp_server.main import answer, transport_of
from mlops_core.mcp_server.offers import OFFERS, offer

ARN = "arn:aws:lambda:us-east-1:000000000000:function:mlops-server"
KEY = "test-key-1"


class Server:
    """An MCP server in this process, reached as Lambda would carry it."""

    def __init__(self) -> None:
        self.memory: MemoryPorts = in_memory_ports(bucket="lake", repositories="octo/churn")
        self.transport: Transport = transport_of(self.memory.ports)

    def invoke(self, function: str, payload: bytes) -> bytes:
        """What lambda:InvokeFunction does: the alias of the name is in the invoked ARN."""
        alias = function.partition(":")[2]
        return json.dumps(answer(self.transport, json.loads(payload), f"{ARN}:{alias}" if alias else ARN)).encode()

    def client(self, word: str) -> Client:
        """A client of one alias."""
        return Client(f"mlops-server:{word}", self.invoke)


@pytest.fixture
def server() -> Iterator[Server]:
    """A fresh server."""
    made = Server()
    yield made
    made.transport.close()


def post(server: Server, body: bytes | str, alias: str = "evaluation", **headers: str) -> dict[str, Any]:
    """A raw POST of any body."""
    text = body.decode() if isinstance(body, bytes) else body
    given = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "host": "lambda",
        "mcp-protocol-version": wire.PROTOCOL,
        "mcp-method": "tools/call",
        "mcp-name": "count_look",
    }
    event = {"path": wire.PATH, "method": "POST", "headers": {**given, **headers}, "body": text}
    return answer(server.transport, event, f"{ARN}:{alias}")


def call_body(name: str, arguments: object, **extra: object) -> dict[str, Any]:
    """A tools/call body of the stateless specification."""
    meta = {wire.META_PROTOCOL: wire.PROTOCOL, wire.META_CAPABILITIES: {}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments, "_meta": meta}, **extra}


def looks(server: Server) -> object:
    """How often the handler of count_look had its effect."""
    row = server.memory.ledger.get("DATASET#adult", "LOOKS#v1.0.0") or {}
    return row.get("count", 0)


GOOD = {"dataset": "adult", "version": "v1.0.0", "key": KEY}


def test_a_call_reaches_its_function_and_returns_its_object(server: Server) -> None:
    assert server.client("evaluation").call("count_look", **GOOD) == {"looks": 1}


def test_nothing_comes_back_as_none(server: Server) -> None:
    assert server.client("evaluation").call("read_champion", model_name="income") is None


def test_many_calls_share_one_process(server: Server) -> None:
    client = server.client("evaluation")
    assert [client.call("count_look", **{**GOOD, "key": f"k{number}"})["looks"] for number in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("alias", sorted(OFFERS))
def test_every_alias_lists_exactly_its_offer(server: Server, alias: str) -> None:
    assert set(server.client(alias).tools()) == set(offer(alias))


def test_an_error_of_ours_arrives_as_its_class_with_headline_remedy_and_code(server: Server) -> None:
    with pytest.raises(errors.NotFound) as caught:
        server.client("data").call("read_run", run_id="income-1a2b3c4d-g0")
    assert "income-1a2b3c4d-g0" in caught.value.headline
    assert caught.value.remedy
    with pytest.raises(errors.InvalidRequest) as other:
        server.client("data").call("inspect_object", uri="s3://elsewhere/datasets/x.csv")
    assert other.value.code == "E-DATA-URI"


def test_throttling_keeps_its_retry_after(server: Server) -> None:
    def busy(_: str) -> None:
        raise errors.Throttled("GitHub asks to wait.", retry_after=61.0)

    server.memory.repository.fault = busy
    with pytest.raises(errors.Throttled) as caught:
        server.client("issue").call("check_permission", repository="octo/churn", login="ana")
    assert caught.value.retry_after == 61.0
    assert caught.value.retryable


def test_a_crash_becomes_a_defect_without_its_text(server: Server) -> None:
    def crash(_: str) -> None:
        raise RuntimeError("password=hunter22")

    server.memory.repository.fault = crash
    with pytest.raises(errors.Defect) as caught:
        server.client("issue").call("check_permission", repository="octo/churn", login="ana")
    assert "RuntimeError" in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("no_such_tool", GOOD),
        ("start_training_job", GOOD),
        ("count_look", {**GOOD, "extra": 1}),
        ("count_look", {**GOOD, "version": 1}),
        ("count_look", {"dataset": "adult", "version": "v1.0.0"}),
        ("count_look", {**GOOD, "key": "a key with blanks"}),
        ("count_look", {**GOOD, "dataset": None}),
        ("count_look", {}),
    ],
)
def test_abuse_row_77_wrong_calls_are_refused_with_32602_and_reach_no_handler(server: Server, name: str, arguments: object) -> None:
    reply = json.loads(post(server, json.dumps(call_body(name, arguments)), **{"mcp-name": name})["body"])
    assert reply["error"]["code"] == wire.INVALID_PARAMS
    assert looks(server) == 0


def test_abuse_row_77_nothing_is_coerced(server: Server) -> None:
    with pytest.raises(errors.InvalidRequest):
        server.client("packaging").call("prune_versions", model_name="income", keep="5", key=KEY)
    with pytest.raises(errors.InvalidRequest):
        server.client("packaging").call("prune_versions", model_name="income", keep=5.0, key=KEY)
    assert server.client("packaging").call("prune_versions", model_name="income", keep=5, key=KEY) == {"removed": []}


def test_abuse_row_77_bodies_that_are_no_single_small_request_are_refused(server: Server) -> None:
    good = call_body("count_look", GOOD)
    assert post(server, json.dumps([good, good]))["status"] == 400
    assert post(server, "{" * 100)["status"] == 400
    assert post(server, "[" * 20_000)["status"] == 400
    assert post(server, json.dumps(call_body("count_look", {**GOOD, "key": "k" * 5_000_000})))["status"] == 413
    deep: object = "x"
    for _ in range(600):
        deep = [deep]
    assert post(server, json.dumps(call_body("count_look", {**GOOD, "dataset": deep})))["status"] in {200, 400}
    assert looks(server) == 0


def test_abuse_row_77_headers_and_versions_must_agree_with_the_body(server: Server) -> None:
    good = json.dumps(call_body("count_look", GOOD))
    assert post(server, good, **{"mcp-name": "another_tool"})["status"] == 400
    assert post(server, good, **{"mcp-method": "tools/list"})["status"] == 400
    assert post(server, good, **{"mcp-protocol-version": "1999-01-01"})["status"] == 400
    assert post(server, good, accept="text/plain")["status"] == 406
    assert post(server, good, host="evil.example")["status"] == 421
    assert looks(server) == 0


@pytest.mark.parametrize("function", ["mlops-server:nobody", "mlops-server:judge", "mlops-server:$LATEST"])
def test_abuse_row_78_an_unknown_alias_gets_nothing(server: Server, function: str) -> None:
    with pytest.raises(errors.Unauthorized):
        Client(function, server.invoke).call("count_look", **GOOD)
    assert looks(server) == 0


def test_abuse_row_78_no_alias_gets_nothing(server: Server) -> None:
    with pytest.raises(errors.EnvironmentBroken):
        Client("mlops-server", server.invoke)
    assert answer(server.transport, {}, ARN)["error"]["name"] == "Unauthorized"


def test_abuse_row_78_an_alias_has_no_tools_of_another(server: Server) -> None:
    with pytest.raises(errors.InvalidRequest):
        server.client("data").call("count_look", **GOOD)
    assert looks(server) == 0


def test_abuse_row_78_a_replayed_key_answers_the_first_result_without_a_second_effect(server: Server) -> None:
    client = server.client("evaluation")
    assert client.call("count_look", **GOOD) == client.call("count_look", **GOOD) == {"looks": 1}
    assert looks(server) == 1


def test_abuse_row_78_a_key_of_other_arguments_is_refused(server: Server) -> None:
    client = server.client("evaluation")
    client.call("count_look", **GOOD)
    with pytest.raises(errors.Conflict) as caught:
        client.call("count_look", **{**GOOD, "version": "v2.0.0"})
    assert caught.value.code == "E-KEY-REUSED"
    assert looks(server) == 1


def test_keys_of_two_aliases_do_not_meet(server: Server) -> None:
    retraining, notification = server.client("retraining"), server.client("notification")
    for client in (retraining, notification):
        with pytest.raises(errors.NotFound):
            client.call("park_operator", run_id="income-1a2b3c4d-g0", round=0, token="t", key=KEY)


def test_a_call_under_way_is_not_run_a_second_time_until_its_lease_ends(server: Server) -> None:
    client = server.client("evaluation")
    client.call("count_look", **GOOD)
    row = server.memory.ledger.get(f"CALL#evaluation#{KEY}", "RESULT") or {}
    until = int(server.memory.clock.now().timestamp()) + 60
    server.memory.ledger.put(f"CALL#evaluation#{KEY}", "RESULT", {"digest": row["digest"], "status": "running", "until": until})
    with pytest.raises(errors.Unavailable):
        client.call("count_look", **GOOD)
    server.memory.clock.sleep(61)
    assert client.call("count_look", **GOOD) == {"looks": 2}


def test_a_failed_call_gives_its_key_back(server: Server) -> None:
    client = server.client("training")
    with pytest.raises(errors.NotFound):
        client.call("stop_job", job="mlops-income-1a2b3c4d-g0-data", kind="processing", key=KEY)
    assert server.memory.ledger.get(f"CALL#training#{KEY}", "RESULT") is None


def test_abuse_row_79_a_result_is_bounded(server: Server) -> None:
    memory = server.memory
    arn = "arn:aws:states:us-east-1:000000000000:execution:mlops-pipeline:x"
    memory.machines.start(arn.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0], "x", json.dumps({"text": "<b>" * 400_000}))
    facts = server.client("history").call("describe_execution", arn=arn)
    assert len(json.dumps(facts)) < wire.RESULT_LIMIT


def test_abuse_row_79_an_oversized_result_is_an_error_not_a_flood(server: Server) -> None:
    from mlops_core.mcp_server.server import _answer
    from mlops_core.tool import reads

    def flood(_: object) -> None:
        """Never called."""

    result = _answer(reads(flood), {"text": "x" * 10_000_000})
    assert result.is_error
    assert len(json.dumps(result.structured_content)) < 1000


def test_an_envelope_that_is_no_request_is_refused(server: Server) -> None:
    assert answer(server.transport, {"hello": 1}, f"{ARN}:data")["error"]["name"] == "InvalidRequest"


@pytest.mark.parametrize("reply", [b"", b"[]", b"not json", b'{"status":200,"body":"[]"}', b'{"status":500,"body":""}'])
def test_a_server_that_answers_rubbish_is_unavailable(reply: bytes) -> None:
    with pytest.raises(errors.Unavailable):
        Client("s:data", lambda _function, _payload: reply).call("read_run", run_id="x")


def test_every_error_class_survives_the_wire() -> None:
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MlopsError)]
    assert len(tree) >= 15
    for kind in tree:
        again = wire.error_from_wire(wire.error_to_wire(kind("headline.", remedy="Do this.", code="E-X")))
        assert (type(again), again.headline, again.remedy, again.code) == (kind, "headline.", "Do this.", "E-X")


def test_a_name_outside_the_tree_is_a_defect() -> None:
    assert type(wire.error_from_wire({"name": "SystemExit", "headline": "no"})) is errors.Defect
    assert type(wire.error_from_wire({"name": "annotations", "headline": "no"})) is errors.Defect
