"""Endpoints and registry in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlops_core.errors import Conflict, NotFound
from mlops_core.facts import Answer, Capture, EndpointFacts, Package, Variant
from mlops_core.ports import Clock


@dataclass
class MemoryEndpoints:
    """Endpoints that are in service at once; ``answers`` holds what an endpoint replies."""

    models: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    variants: dict[str, tuple[Variant, ...]] = field(default_factory=dict)
    captures: dict[str, Capture | None] = field(default_factory=dict)
    endpoints: dict[str, EndpointFacts] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)

    def create_model(self, name: str, *, model_uri: str, environment: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Make a model."""
        if name in self.models:
            raise Conflict(f"the model {name} exists.", code="E-NAME-TAKEN")
        self.models[name] = (model_uri, {**environment, **tags})

    def create_config(self, name: str, variants: Sequence[Variant], *, capture: Capture | None, tags: Mapping[str, str]) -> None:
        """Make a config."""
        if name in self.variants:
            raise Conflict(f"the endpoint config {name} exists.", code="E-NAME-TAKEN")
        self.variants[name] = tuple(variants)
        self.captures[name] = capture if tags is not None else None

    def config_variants(self, name: str) -> tuple[Variant, ...]:
        """Variants of a config."""
        if name not in self.variants:
            raise NotFound(f"there is no endpoint config {name}.")
        return self.variants[name]

    def configs(self, contains: str) -> list[str]:
        """Configs, newest first."""
        return [name for name in reversed(self.variants) if contains in name]

    def delete_config(self, name: str) -> None:
        """Remove a config."""
        self.variants.pop(name, None)

    def delete_model(self, name: str) -> None:
        """Remove a model."""
        self.models.pop(name, None)

    def create(self, endpoint: str, config_name: str, *, tags: Mapping[str, str]) -> None:
        """Make an endpoint."""
        if endpoint in self.endpoints:
            raise Conflict(f"the endpoint {endpoint} exists.", code="E-NAME-TAKEN")
        self._serve(endpoint, config_name if tags is not None else "")

    def update(self, endpoint: str, config_name: str) -> None:
        """Point to another config."""
        if endpoint not in self.endpoints:
            raise NotFound(f"there is no endpoint {endpoint}.")
        self._serve(endpoint, config_name)

    def _serve(self, endpoint: str, config_name: str) -> None:
        weights = {variant.name: variant.weight for variant in self.config_variants(config_name)}
        self.endpoints[endpoint] = EndpointFacts(endpoint, "InService", config_name, weights)

    def delete(self, endpoint: str) -> None:
        """Remove an endpoint."""
        self.endpoints.pop(endpoint, None)

    def describe(self, endpoint: str) -> EndpointFacts | None:
        """Facts or None."""
        return self.endpoints.get(endpoint)

    def invoke(self, endpoint: str, body: bytes, *, content_type: str = "application/json") -> Answer:
        """The prepared answer."""
        if endpoint not in self.answers:
            raise NotFound(f"there is no endpoint {endpoint} that answers {content_type}.")
        self.sent.append(body)
        return self.answers[endpoint]


@dataclass
class MemoryRegistry:
    """Packages by ARN."""

    clock: Clock
    groups: dict[str, str] = field(default_factory=dict)
    found: dict[str, Package] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def ensure_group(self, group: str, description: str) -> None:
        """Make a group unless it exists."""
        self.groups.setdefault(group, description)

    def register(self, group: str, *, model_uri: str, properties: Mapping[str, str], description: str) -> str:
        """Register a version."""
        number = 1 + sum(package.group == group for package in self.found.values())
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{group}/{number}"
        self.reasons[arn] = description
        self.found[arn] = Package(arn, group, number, "Completed", "PendingManualApproval", model_uri, dict(properties), self.clock.now())
        return arn

    def describe(self, arn: str) -> Package:
        """One version."""
        if arn not in self.found:
            raise NotFound(f"there is no model package {arn}.")
        return self.found[arn]

    def packages(self, group: str) -> list[Package]:
        """Versions, newest first."""
        return sorted((package for package in self.found.values() if package.group == group), key=lambda package: -package.number)

    def approve(self, arn: str, *, approved: bool, reason: str) -> None:
        """Set the approval."""
        self.found[arn] = replace(self.describe(arn), approval="Approved" if approved else "Rejected")
        self.reasons[arn] = reason

    def delete(self, arn: str) -> None:
        """Remove a version."""
        self.found.pop(arn, None)
