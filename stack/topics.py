"""Creates the topics of the line from their one declaration and says what was there already."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported, but not by __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from schemas.topics import TopicSpec
from stack.errors import TopicMismatchError

_TIMEOUT_S = 30.0


@dataclass(slots=True)
class TopicReport:
    """What `ensure_topics` did.

    Attributes:
        created: names of new topics.
        existing: names of topics that were as specified.
        altered: `topic: setting old -> new` for every setting that was changed.
    """

    created: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)


def ensure_topics(bootstrap: str, specs: Sequence[TopicSpec]) -> TopicReport:
    """Create what is missing and bring settings to their specification; running it again changes nothing.

    Raises:
        TopicMismatchError: an existing topic has another number of partitions. That is never changed in
            place, because keys would move to other partitions. Nothing has been created or altered then.
        KafkaException: the broker is away or refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap})
    present = admin.list_topics(timeout=_TIMEOUT_S).topics
    known = [spec for spec in specs if spec.name in present]
    _require_same_partitions(known, {name: len(topic.partitions) for name, topic in present.items()})
    report = TopicReport()
    report.created = _create(admin, [spec for spec in specs if spec.name not in present])
    _align(admin, known, report)
    return report


def _require_same_partitions(specs: Sequence[TopicSpec], partitions: dict[str, int]) -> None:
    problems = [
        f"{spec.name} has {partitions[spec.name]} partitions, its specification says {spec.partitions}"
        for spec in specs
        if partitions[spec.name] != spec.partitions
    ]
    if problems:
        cure = "set BRAIN_STACK_PARTITIONS to the present number, or delete the topics and their data"
        raise TopicMismatchError("; ".join(problems) + f": {cure}")


def _create(admin: AdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    if not specs:
        return []
    new = [
        NewTopic(spec.name, num_partitions=spec.partitions, replication_factor=1, config=dict(spec.config))
        for spec in specs
    ]
    futures: dict[str, Future[None]] = admin.create_topics(new, operation_timeout=_TIMEOUT_S)
    return [name for name, future in futures.items() if _was_created(future)]


def _was_created(future: Future[None]) -> bool:
    try:
        future.result(timeout=_TIMEOUT_S)
    except KafkaException as error:
        # Somebody else created it since the listing.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return False
    return True


def _align(admin: AdminClient, specs: Sequence[TopicSpec], report: TopicReport) -> None:
    """Compare the settings of existing topics and change those that differ."""
    if not specs:
        return
    resources = {spec.name: ConfigResource(ResourceType.TOPIC, spec.name) for spec in specs}
    answers = {
        resource.name: future.result(timeout=_TIMEOUT_S)
        for resource, future in admin.describe_configs(list(resources.values())).items()
    }
    changes = []
    for spec in specs:
        different = {name: value for name, value in spec.config.items() if answers[spec.name][name].value != value}
        if not different:
            report.existing.append(spec.name)
            continue
        for name, value in different.items():
            report.altered.append(f"{spec.name}: {name} {answers[spec.name][name].value} -> {value}")
            entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            resources[spec.name].add_incremental_config(entry)
        changes.append(resources[spec.name])
    for future in admin.incremental_alter_configs(changes).values() if changes else ():
        future.result(timeout=_TIMEOUT_S)
