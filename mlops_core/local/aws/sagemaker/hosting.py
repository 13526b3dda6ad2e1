"""Models and endpoint configurations: what endpoints are made of.

Hosting(platform, tags, registry).plan("census-config")   # everything a deployment needs, as one record
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_core.local.aws.sagemaker.errors import ProgramFailed, limit_exceeded, validation
from mlops_core.local.aws.sagemaker.job_api import Operation, check_unique, check_uris
from mlops_core.local.aws.sagemaker.paging import Listing, page
from mlops_core.local.aws.sagemaker.platform import Platform, now
from mlops_core.local.aws.sagemaker.registry import Registry
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.tags import Tags
from mlops_core.local.aws.sagemaker.transfer import Transfer

MODELS, CONFIGS = "models", "endpoint-configs"
MAX_INSTANCES = 4
MODEL_LIST = Listing(key="ModelName", answer="Models", members=("ModelName", "ModelArn", "CreationTime"), descending=True)
CONFIG_LIST = Listing(
    key="EndpointConfigName",
    answer="EndpointConfigs",
    members=("EndpointConfigName", "EndpointConfigArn", "CreationTime"),
    descending=True,
)


class Hosting:
    """Models and endpoint configurations."""

    def __init__(self, platform: Platform, tags: Tags, registry: Registry) -> None:
        self._platform = platform
        self._store = platform.store
        self._tags = tags
        self._registry = registry

    def operations(self) -> dict[str, Operation]:
        """Every call by its name."""
        return {
            "CreateModel": self._create_model,
            "DescribeModel": lambda request, _: public(self.model(request["ModelName"])),
            "ListModels": lambda request, _: page(self._store.all(MODELS), request, MODEL_LIST),
            "DeleteModel": lambda request, _: self._delete(MODELS, "model", self.model(request["ModelName"])["ModelName"]),
            "CreateEndpointConfig": lambda request, _: self._create_config(request),
            "DescribeEndpointConfig": lambda request, _: public(self.config(request["EndpointConfigName"])),
            "ListEndpointConfigs": lambda request, _: page(self._store.all(CONFIGS), request, CONFIG_LIST),
            "DeleteEndpointConfig": lambda request, _: self._delete(
                CONFIGS, "endpoint-config", self.config(request["EndpointConfigName"])["EndpointConfigName"]
            ),
        }

    def model(self, name: str) -> Record:
        """A model's record."""
        found = self._store.get(MODELS, name)
        if found is None:
            raise validation(f'Could not find model "{self._platform.arn("model", name)}".')
        return found

    def config(self, name: str) -> Record:
        """An endpoint configuration's record."""
        found = self._store.get(CONFIGS, name)
        if found is None:
            raise validation(f'Could not find endpoint configuration "{self._platform.arn("endpoint-config", name)}".')
        return found

    def plan(self, config_name: str) -> Record:
        """A configuration with the models it names, so that an endpoint outlives both."""
        config = self.config(config_name)
        variants = []
        for variant in config["ProductionVariants"]:
            model = self.model(variant["ModelName"])
            container = self.container(model["PrimaryContainer"] if "PrimaryContainer" in model else model["Containers"][0])
            variants.append({"Variant": variant, "Container": container, "RoleArn": model["ExecutionRoleArn"]})
        return {"Config": config_name, "Variants": variants, "Capture": config.get("DataCaptureConfig"), "Created": now()}

    def container(self, definition: Record) -> Record:
        """A container definition with the parts of its model package filled in."""
        if "ModelPackageName" not in definition:
            return definition
        package = self._registry.package(definition["ModelPackageName"])
        first: Record = package["InferenceSpecification"]["Containers"][0]
        merged: Record = {key: first[key] for key in ("Image", "ModelDataUrl", "ModelDataSource") if key in first}
        merged |= definition
        merged["Environment"] = {**first.get("Environment", {}), **definition.get("Environment", {})}
        return merged

    def _create_model(self, request: Record, headers: Mapping[str, str]) -> Record:
        name, tags = request["ModelName"], request.get("Tags", [])
        arn = self._platform.arn("model", name)
        self._tags.check(tags)
        definition = self._definition(request)
        self._platform.check_pass_role(headers, request["ExecutionRoleArn"])
        self._check_container(self.container(definition), request["ExecutionRoleArn"])
        with self._store.lock:
            if self._store.get(MODELS, name) is not None:
                raise validation(f'Cannot create already existing model "{arn}".')
            record = {key: value for key, value in request.items() if key != "Tags"}
            self._store.put(MODELS, name, {**record, "ModelArn": arn, "CreationTime": now(), "EnableNetworkIsolation": False})
        self._tags.put(arn, tags)
        return {"ModelArn": arn}

    def _definition(self, request: Record) -> Record:
        if ("PrimaryContainer" in request) == ("Containers" in request):
            raise validation("Give exactly one of PrimaryContainer and Containers.")
        if len(request.get("Containers", [0])) != 1:
            raise validation("Containers with more than one container is not supported by the local platform; give one.")
        if "ExecutionRoleArn" not in request:
            raise validation("ExecutionRoleArn is required: the container acts as that role.")
        definition: Record = request["PrimaryContainer"] if "PrimaryContainer" in request else request["Containers"][0]
        if "ModelPackageName" in definition:
            self._check_package(definition)
        elif "Image" not in definition:
            raise validation("A container needs Image or ModelPackageName.")
        return definition

    def _check_package(self, definition: Record) -> None:
        package = self._registry.package(definition["ModelPackageName"])
        arn = package["ModelPackageArn"]
        if "Image" in definition or "ModelDataUrl" in definition or "ModelDataSource" in definition:
            raise validation("ModelPackageName brings image and model data; remove Image, ModelDataUrl and ModelDataSource.")
        if "ModelPackageGroupName" in package and package["ModelApprovalStatus"] != "Approved":
            status = package["ModelApprovalStatus"]
            raise validation(f"Model package {arn} has approval status {status}; only an Approved one can be deployed.")
        if not package.get("InferenceSpecification", {}).get("Containers"):
            raise validation(f"Model package {arn} has no InferenceSpecification to deploy.")

    def _check_container(self, container: Record, role_arn: str) -> None:
        self._platform.image(container["Image"])
        if "ModelDataUrl" in container and "ModelDataSource" in container:
            raise validation("Give only one of ModelDataUrl and ModelDataSource.")
        uri = container.get("ModelDataUrl")
        source = container.get("ModelDataSource", {}).get("S3DataSource")
        if source is not None:
            packed = (source["CompressionType"], source["S3DataType"])
            if packed not in (("None", "S3Prefix"), ("Gzip", "S3Object")):
                raise validation("ModelDataSource is either S3Prefix without compression or S3Object with Gzip here.")
            uri = source["S3Uri"] if packed == ("Gzip", "S3Object") else None
            check_uris([source["S3Uri"]])
        if uri is None:
            return
        check_uris([uri])
        try:
            Transfer(self._platform.host, role_arn).fetch(uri)
        except ProgramFailed as error:
            raise validation(
                f"Could not access model data at {uri} with role {role_arn}. {str(error).removeprefix('ClientError: ')}"
            ) from error

    def _create_config(self, request: Record) -> Record:
        name, tags = request["EndpointConfigName"], request.get("Tags", [])
        arn = self._platform.arn("endpoint-config", name)
        self._tags.check(tags)
        check_unique([variant["VariantName"] for variant in request["ProductionVariants"]], "ProductionVariants.VariantName")
        for variant in request["ProductionVariants"]:
            self._check_variant(variant)
        check_uris([request["DataCaptureConfig"]["DestinationS3Uri"]] if "DataCaptureConfig" in request else [])
        with self._store.lock:
            if self._store.get(CONFIGS, name) is not None:
                raise validation(f'Cannot create already existing endpoint configuration "{arn}".')
            variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
            record = {key: value for key, value in request.items() if key != "Tags"}
            more = {"ProductionVariants": variants, "EndpointConfigArn": arn, "CreationTime": now()}
            self._store.put(CONFIGS, name, {**record, **more})
        self._tags.put(arn, tags)
        return {"EndpointConfigArn": arn}

    def _check_variant(self, variant: Record) -> None:
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise validation(
                    f"Production variant '{variant['VariantName']}' needs {member}; serverless variants are not supported here."
                )
        if variant["InitialInstanceCount"] > MAX_INSTANCES:
            count = variant["InitialInstanceCount"]
            raise limit_exceeded(
                f"{count} instances are more than the {MAX_INSTANCES} processes that a variant can have on the local platform."
            )
        self.model(variant["ModelName"])

    def _delete(self, kind: str, resource: str, name: str) -> Record:
        self._store.delete(kind, name)
        self._tags.forget(self._platform.arn(resource, name))
        return {}
