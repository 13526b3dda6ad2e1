"""Endpoints: created, updated without a gap, weighted, brought back after a restart, deleted.

    endpoints = Endpoints(platform, tags, hosting)
    endpoints.operations()["CreateEndpoint"](request, headers)

An update starts the new processes first and swaps only when they are healthy; otherwise the old ones stay and ``FailureReason`` says
why.  Slow work runs in one thread per change; one housekeeping thread replaces processes that died.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from mlops_core.local.aws.sagemaker.errors import ApiError, ProgramFailed, limit_exceeded, validation
from mlops_core.local.aws.sagemaker.fleet import Deployment, current
from mlops_core.local.aws.sagemaker.hosting import MAX_INSTANCES, Hosting
from mlops_core.local.aws.sagemaker.job_api import Operation, check_unique
from mlops_core.local.aws.sagemaker.jobs import event_detail
from mlops_core.local.aws.sagemaker.paging import Listing, page
from mlops_core.local.aws.sagemaker.platform import Platform, now
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.tags import Tags

LOG = logging.getLogger(__name__)
KIND = "endpoints"
EVENT = "SageMaker Endpoint State Change"
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
LIST = Listing(
    key="EndpointName",
    answer="Endpoints",
    members=("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
    status="EndpointStatus",
    descending=True,
)


class Endpoints:
    """Endpoints and their running deployments."""

    def __init__(self, platform: Platform, tags: Tags, hosting: Hosting) -> None:
        self._platform = platform
        self._store = platform.store
        self._tags = tags
        self._hosting = hosting
        self._folder = platform.settings.folder / "endpoints"
        self._live: dict[str, Deployment] = {}
        self._pending: set[Deployment] = set()
        self._closed = False

    def operations(self) -> dict[str, Operation]:
        """Every call by its name."""
        return {
            "CreateEndpoint": lambda request, _: self._create(request),
            "DescribeEndpoint": lambda request, _: self._describe(request["EndpointName"]),
            "ListEndpoints": lambda request, _: page(self._store.all(KIND), request, LIST),
            "UpdateEndpoint": lambda request, _: self._update(request),
            "UpdateEndpointWeightsAndCapacities": lambda request, _: self._reweigh(request),
            "DeleteEndpoint": lambda request, _: self._delete(request),
        }

    def live(self, name: str) -> Deployment | None:
        """What serves an endpoint now; None while nothing does."""
        return self._live.get(name)

    def sessions(self) -> list[tuple[str, str, list[int]]]:
        """Every variant that serves with the sessions of its processes: (endpoint, variant, process ids)."""
        return [
            (name, variant.name, [worker.process.pid for worker in variant.workers])
            for name, deployment in list(self._live.items())
            for variant in deployment.variants.values()
        ]

    def known(self, name: str) -> bool:
        """Whether there is such an endpoint, serving or not."""
        return self._store.get(KIND, name) is not None

    def record(self, name: str) -> Record:
        """An endpoint's record."""
        found = self._store.get(KIND, name)
        if found is None:
            raise validation(f'Could not find endpoint "{self._platform.arn("endpoint", name)}".')
        return found

    def restore(self) -> None:
        """Serve again what served when an earlier process ended; finish deletions; each endpoint in a thread of its own."""
        records = self._store.all(KIND)
        kept = {(one["EndpointName"], one["_plan"]["Id"]) for one in records if "_plan" in one}
        for folder in self._folder.glob("*/*"):
            if (folder.parent.name, folder.name) not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        for record in records:
            name = record["EndpointName"]
            if record["EndpointStatus"] == "Deleting":
                self._forget(name)
            elif "_plan" in record:
                self._mark_restart(record)
                self._background(name, partial(self._serve_again, name, record["_plan"]))
            elif record["EndpointStatus"] == "Creating":
                self._background(name, partial(self._bring_up, name, record["EndpointConfigName"]))

    def _mark_restart(self, record: Record) -> None:
        fields: dict[str, Any] = {"_next": None}
        if "_next" in record:
            fields["FailureReason"] = f"the local platform was stopped during the update to {record['_next']}"
        self._move(record["EndpointName"], "SystemUpdating", **fields)

    def revive(self) -> None:
        """Replace serving processes that died; called by the housekeeper."""
        for name, deployment in list(self._live.items()):
            for variant in deployment.variants.values():
                if variant.lacking() and not self._closed:
                    LOG.warning("endpoint %s: a process of variant %s ended; starting another", name, variant.name)
                    try:
                        variant.revive()
                    except ProgramFailed as error:
                        LOG.warning("endpoint %s: %s", name, error)

    def close(self) -> None:
        """End every serving process; the records stay, so the next start serves again."""
        self._closed = True
        for deployment in [*self._live.values(), *self._pending]:
            deployment.kill()

    def _create(self, request: Record) -> Record:
        name, tags = request["EndpointName"], request.get("Tags", [])
        arn = self._platform.arn("endpoint", name)
        self._tags.check(tags)
        self._hosting.plan(request["EndpointConfigName"])
        with self._store.lock:
            if self._store.get(KIND, name) is not None:
                raise validation(f'Cannot create already existing endpoint "{arn}".')
            moment = now()
            record = {
                "EndpointName": name,
                "EndpointArn": arn,
                "EndpointConfigName": request["EndpointConfigName"],
                "EndpointStatus": "Creating",
            }
            self._store.put(KIND, name, {**record, "CreationTime": moment, "LastModifiedTime": moment})
        self._tags.put(arn, tags)
        self._announce(name)
        self._background(name, lambda: self._bring_up(name, request["EndpointConfigName"]))
        return {"EndpointArn": arn}

    def _update(self, request: Record) -> Record:
        name, config = request["EndpointName"], request["EndpointConfigName"]
        with self._store.lock:
            record = self._settled(name)
            if record["EndpointStatus"] == "Failed":
                raise validation(f'Cannot update endpoint "{record["EndpointArn"]}" with status "Failed"; delete it and create it again.')
            plan = self._hosting.plan(config)
            if request.get("RetainAllVariantProperties"):
                retain(plan, record["_plan"])
            self._move(name, "Updating", announce=False, _next=config, FailureReason=None)
        self._announce(name)
        self._background(name, lambda: self._swap(name, plan))
        return {"EndpointArn": record["EndpointArn"]}

    def _reweigh(self, request: Record) -> Record:
        name, changes = request["EndpointName"], request["DesiredWeightsAndCapacities"]
        check_unique([change["VariantName"] for change in changes], "DesiredWeightsAndCapacities.VariantName")
        with self._store.lock:
            record = self._settled(name)
            deployment = self._live.get(name)
            if deployment is None:
                raise validation(f'Endpoint "{record["EndpointArn"]}" serves nothing; its status is {record["EndpointStatus"]}.')
            for change in changes:
                check_change(deployment, change)
            self._move(name, "Updating", announce=False)
        self._announce(name)
        self._background(name, lambda: self._apply(name, deployment, changes))
        return {"EndpointArn": record["EndpointArn"]}

    def _delete(self, request: Record) -> Record:
        name = request["EndpointName"]
        with self._store.lock:
            record = self.record(name)
            if record["EndpointStatus"] in ("Creating", "Updating", "Deleting"):
                raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}". Its status is {record["EndpointStatus"]}.')
            self._move(name, "Deleting", announce=False)
            deployment = self._live.pop(name, None)
        self._announce(name)

        def finish() -> None:
            if deployment is not None:
                deployment.stop()
            self._forget(name)

        self._background(name, finish)
        return {}

    def _describe(self, name: str) -> Record:
        record = self.record(name)
        answer = public(record)
        if "_plan" in record:
            answer["ProductionVariants"] = [self._variant_summary(name, one) for one in record["_plan"]["Variants"]]
            capture = record["_plan"]["Capture"]
            if capture:
                answer["DataCaptureConfig"] = capture_summary(capture)
        if "_next" in record:
            answer["PendingDeploymentSummary"] = {"EndpointConfigName": record["_next"]}
        return answer

    def _variant_summary(self, name: str, one: Record) -> Record:
        variant, image = one["Variant"], one["Container"]["Image"]
        deployment = self._live.get(name)
        running = deployment.variants[variant["VariantName"]] if deployment else None
        desired = current(variant)
        return {
            "VariantName": variant["VariantName"],
            "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image}],
            "CurrentWeight": running.weight if running else desired["Weight"],
            "DesiredWeight": desired["Weight"],
            "CurrentInstanceCount": running.count if running else 0,
            "DesiredInstanceCount": desired["Count"],
        }

    def _bring_up(self, name: str, config: str) -> None:
        try:
            plan = self._hosting.plan(config)
            self._live[name] = self._started(name, plan)
        except (ProgramFailed, ApiError) as error:
            self._move(name, "Failed", FailureReason=str(error)[:1024])
        else:
            self._move(name, "InService", _plan=plan, FailureReason=None)

    def _serve_again(self, name: str, plan: Record) -> None:
        try:
            self._live[name] = self._started(name, plan)
        except ProgramFailed as error:
            self._move(name, "Failed", FailureReason=str(error)[:1024])
        else:
            self._move(name, "InService")

    def _swap(self, name: str, plan: Record) -> None:
        try:
            fresh = self._started(name, plan)
        except ProgramFailed as error:
            self._move(name, "RollingBack", _next=None)
            self._move(name, "InService", FailureReason=str(error)[:1024])
            return
        with self._store.lock:
            old = self._live.get(name)
            self._live[name] = fresh
            self._move(name, "InService", announce=False, EndpointConfigName=plan["Config"], _plan=plan, _next=None, FailureReason=None)
        self._announce(name)
        if old is not None:
            old.stop()

    def _apply(self, name: str, deployment: Deployment, changes: list[Record]) -> None:
        reason = None
        plan: Record = self.record(name)["_plan"]
        try:
            for change in changes:
                variant = deployment.variants[change["VariantName"]]
                variant.weight = float(change.get("DesiredWeight", variant.weight))
                variant.scale(int(change.get("DesiredInstanceCount", variant.count)))
        except ProgramFailed as error:
            reason = str(error)[:1024]
        deployment.reweigh()
        for one in plan["Variants"]:
            variant = deployment.variants[one["Variant"]["VariantName"]]
            one["Variant"] |= {"CurrentWeight": variant.weight, "CurrentInstanceCount": variant.count}
        self._move(name, "InService", _plan=plan, FailureReason=reason)

    def _started(self, name: str, plan: Record) -> Deployment:
        # The folder is named after the plan, so that a restart finds the model already unpacked.
        folder = self._folder / name / str(plan.setdefault("Id", uuid.uuid4().hex))
        deployment = Deployment(self._platform, name, plan, folder=folder)
        self._pending.add(deployment)
        try:
            deployment.start()
        finally:
            self._pending.discard(deployment)
        return deployment

    def _settled(self, name: str) -> Record:
        record = self.record(name)
        if record["EndpointStatus"] in BUSY:
            raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}". Its status is {record["EndpointStatus"]}.')
        return record

    def _move(self, name: str, status: str, *, announce: bool = True, **fields: Any) -> None:
        with self._store.lock:
            record = {**self.record(name), **fields, "EndpointStatus": status, "LastModifiedTime": now()}
            self._store.put(KIND, name, {key: value for key, value in record.items() if value is not None})
        if announce:
            self._announce(name)

    def _forget(self, name: str) -> None:
        self._store.delete(KIND, name)
        self._tags.forget(self._platform.arn("endpoint", name))

    def _announce(self, name: str) -> None:
        record = self._store.get(KIND, name)
        if record is not None:
            detail = {**event_detail(record), "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", record["EndpointStatus"]).upper()}
            self._platform.announcer.tell(EVENT, detail, record["EndpointArn"])

    def _background(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:  # the outermost edge of a thread: a defect must not leave the endpoint changing for ever
                if self._closed:
                    return
                LOG.exception("endpoint %s", name)
                if self.known(name):
                    status = "InService" if name in self._live else "Failed"
                    self._move(name, status, _next=None, FailureReason=f"InternalServerError: {type(error).__name__}: {error}"[:1024])

        threading.Thread(target=guarded, name=f"endpoint-{name}", daemon=True).start()


def retain(plan: Record, before: Record) -> None:
    """Carry weights and instance counts of variants of the same name into a new plan."""
    earlier = {one["Variant"]["VariantName"]: one["Variant"] for one in before["Variants"]}
    for one in plan["Variants"]:
        old = earlier.get(one["Variant"]["VariantName"], {})
        one["Variant"] |= {key: old[key] for key in ("CurrentWeight", "CurrentInstanceCount") if key in old}


def check_change(deployment: Deployment, change: Record) -> None:
    """ValidationException for a change of a variant that is not there or cannot be."""
    if change["VariantName"] not in deployment.variants:
        raise validation(f"Variant '{change['VariantName']}' is not one of {', '.join(deployment.variants)}.")
    count = change.get("DesiredInstanceCount", 1)
    if count < 1:
        raise validation("DesiredInstanceCount must be at least 1; set the weight to 0 to take traffic away.")
    if count > MAX_INSTANCES:
        raise limit_exceeded(
            f"{count} instances are more than the {MAX_INSTANCES} processes that a variant can have on the local platform."
        )


def capture_summary(capture: Record) -> Record:
    """DataCaptureConfig as DescribeEndpoint shows it."""
    on = bool(capture.get("EnableCapture", False))
    return {
        "EnableCapture": on,
        "CaptureStatus": "Started" if on else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
