"""Deliveries between services need the permission that AWS would ask for; each is tested both ways."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow


def _allow(lab: Lab, function: str, service: str, source: str) -> None:
    told = {"FunctionName": function, "StatementId": service.split(".", maxsplit=1)[0], "Action": "lambda:InvokeFunction"}
    lab.client("lambda").add_permission(**told, Principal=service, SourceArn=source)


def test_a_topic_reaches_a_function_only_with_its_permission(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-topic")
    sns = lab.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="unheard")
    time.sleep(0.5)
    assert mail() == []
    _allow(lab, "from-topic", "sns.amazonaws.com", topic)
    sns.publish(TopicArn=topic, Message="heard")
    assert lab.until(mail)[0]["Records"][0]["Sns"]["Message"] == "heard"


def test_a_rule_reaches_a_function_only_with_its_permission(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-rule")
    events = lab.client("events")
    rule = events.put_rule(Name="ours", EventPattern='{"source": ["ours"]}')["RuleArn"]
    queue = lab.client("sqs").create_queue(QueueName="lost")["QueueUrl"]
    lost = lab.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule="ours", Targets=[{"Id": "f", "Arn": arn, "DeadLetterConfig": {"Arn": lost}}])
    entry: dict[str, Any] = {"Source": "ours", "DetailType": "d", "Detail": '{"n": 1}'}
    events.put_events(Entries=[entry])
    dead = lab.until(lambda: lab.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert '"n": 1' in json.dumps(json.loads(dead[0]["Body"])).replace("\\", "")
    assert mail() == []
    _allow(lab, "from-rule", "events.amazonaws.com", rule)
    events.put_events(Entries=[entry])
    assert lab.until(mail)[0]["detail"] == {"n": 1}


def test_a_rule_starts_a_machine_only_with_a_role_that_may(lab: Lab) -> None:
    machine = lab.machine("ruled", lab.role("ruled-role", "states.amazonaws.com"), StartAt="P", States={"P": {"Type": "Succeed"}})
    role = lab.role("rule-role", "events.amazonaws.com")
    events, states = lab.client("events"), lab.client("stepfunctions")
    events.put_rule(Name="starts", EventPattern='{"source": ["starter"]}')
    events.put_targets(Rule="starts", Targets=[{"Id": "m", "Arn": machine, "RoleArn": role}])
    entry: dict[str, Any] = {"Source": "starter", "DetailType": "d", "Detail": "{}"}
    events.put_events(Entries=[entry])
    time.sleep(0.3)
    assert states.list_executions(stateMachineArn=machine)["executions"] == []
    lab.grant("rule-role", {"Action": "states:StartExecution", "Resource": machine})
    events.put_events(Entries=[entry])
    lab.until(lambda: states.list_executions(stateMachineArn=machine)["executions"])


def test_a_schedule_fires_only_with_a_role_that_may_and_that_trusts_the_scheduler(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-schedule")
    allowed = {"Action": "lambda:InvokeFunction", "Resource": arn}
    roles = {
        "denied": lab.role("schedule-denied", "scheduler.amazonaws.com"),
        "stranger": lab.role("schedule-stranger", "events.amazonaws.com", allowed),
        "fine": lab.role("schedule-fine", "scheduler.amazonaws.com", allowed),
    }
    scheduler = lab.client("scheduler")
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 1))
    for name, role in roles.items():
        target = {"Arn": arn, "RoleArn": role, "Input": json.dumps({"by": name})}
        scheduler.create_schedule(Name=name, ScheduleExpression=f"at({moment})", FlexibleTimeWindow={"Mode": "OFF"}, Target=target)
    assert lab.until(mail, 30) == [{"by": "fine"}]
    time.sleep(0.5)
    assert mail() == [{"by": "fine"}]


def test_an_api_reaches_its_function_only_with_the_permission_for_that_route(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-api")
    gateway = lab.client("apigatewayv2")
    api = gateway.create_api(Name="hooks", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0")
    for route in ("POST /webhook", "POST /other"):
        gateway.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration['IntegrationId']}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    def post(path: str) -> int:
        trust = ssl.create_default_context(cafile=str(lab.aws.ca_bundle))
        request = urllib.request.Request(f"{lab.aws.endpoint}/_aws/execute-api/{api}/$default/{path}", data=b"{}", method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, context=trust) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert post("webhook") == 500
    _allow(lab, "from-api", "apigateway.amazonaws.com", f"arn:aws:execute-api:us-east-1:000000000000:{api}/*/*/webhook")
    assert post("webhook") == 202
    assert post("other") == 500
    assert len(mail()) == 1


def test_a_firing_alarm_reaches_a_function_through_its_topic(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-alarm")
    sns, watch = lab.client("sns"), lab.client("cloudwatch")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    _allow(lab, "from-alarm", "sns.amazonaws.com", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    told = {"Namespace": "AWS/SageMaker", "Period": 60, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
    watch.put_metric_alarm(AlarmName="errors", MetricName="Invocation5XXErrors", Statistic="Sum", Threshold=0, AlarmActions=[topic], **told)
    watch.put_metric_alarm(
        AlarmName="slow", MetricName="ModelLatency", ExtendedStatistic="p99", Threshold=100, AlarmActions=[topic], **told
    )
    watch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[{"MetricName": "Invocation5XXErrors", "Value": 1, "Unit": "Count"}])
    watch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[{"MetricName": "ModelLatency", "Value": 900, "Unit": "Microseconds"}])
    heard = lab.until(lambda: len(mail()) >= 2 and mail())
    names = {json.loads(one["Records"][0]["Sns"]["Message"])["AlarmName"] for one in heard}
    assert names == {"errors", "slow"}


def test_an_alarm_reaches_a_topic_only_when_the_topics_own_policy_admits_it(lab: Lab) -> None:
    arn, mail = lab.mailbox("from-closed")
    sns, watch = lab.client("sns"), lab.client("cloudwatch")
    topic = sns.create_topic(Name="closed")["TopicArn"]
    _allow(lab, "from-closed", "sns.amazonaws.com", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    other = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [other]}))
    told = {"Namespace": "N", "Period": 60, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [topic]}
    for name in ("unheard", "heard"):
        watch.put_metric_alarm(AlarmName=name, MetricName=name, Statistic="Sum", Threshold=0, **told)
    watch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "unheard", "Value": 1}])
    other["Principal"] = {"Service": "cloudwatch.amazonaws.com"}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [other]}))
    watch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "heard", "Value": 1}])
    (one,) = lab.until(mail)
    assert json.loads(one["Records"][0]["Sns"]["Message"])["AlarmName"] == "heard"
