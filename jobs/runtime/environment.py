"""The Table environment of a job: name, parallelism, checkpoints and batch sizes from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StatementSet, StreamTableEnvironment, Table

from jobs.runtime.recovery import job_folder, newest_checkpoint
from jobs.runtime.settings import JobSettings

CHECKPOINT_DIR = "execution.checkpointing.dir"
ARRIVAL = "arrival"
"""The rowtime column of a view made by `evaluate_once`: the broker's append time."""
FRAME_BUNDLE_ROWS = 10_000
"""Of jobs that judge frames. A bundle costs a round trip to the worker; one of waveforms ends by time long before."""
RECOVERY_PATH = "execution.state-recovery.path"


@dataclass(frozen=True, slots=True)
class JobEnvironment:
    """One job under construction.

    Attributes:
        name: as in `jobs.runtime.registry`.
        settings: of the whole suite.
        tables: where its tables, views and functions are registered.
        statements: what it will run, submitted as one job.
    """

    name: str
    settings: JobSettings
    tables: StreamTableEnvironment
    statements: StatementSet

    def insert(self, sink: str, query: str) -> None:
        """Adds `INSERT INTO sink query`."""
        self.statements.add_insert_sql(f"INSERT INTO {sink} {query}")

    def view(self, name: str, query: str) -> None:
        """Names a query."""
        self.tables.create_temporary_view(name, self.tables.sql_query(query))

    def submit(self) -> str:
        """Sends the job to the cluster and returns its id; does not wait for it to end."""
        result = self.statements.execute()
        client = result.get_job_client()
        if client is None:
            raise RuntimeError(f"Flink gave no client for job {self.name}")
        return str(client.get_job_id())


def open_environment(settings: JobSettings, name: str, *, batch_rows: int, bundle_rows: int = 0) -> JobEnvironment:
    """An empty job of that name.

    Args:
        settings: of the suite.
        name: of the job, also its consumer group and checkpoint folder.
        batch_rows: rows of an Arrow batch. A row may be a whole session, so this bounds memory: choose it by the
            bytes a row may have.
        bundle_rows: rows after which a bundle ends even before its time; one batch if not given.
    """
    stream = StreamExecutionEnvironment.get_execution_environment()
    cluster = stream._j_stream_execution_environment.getConfiguration().toMap()
    folder = job_folder(settings.checkpoint_dir or cluster.get(CHECKPOINT_DIR) or "", name)
    options = {
        "pipeline.name": name,
        "parallelism.default": str(settings.parallelism),
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        "table.exec.uid.generation": "ALWAYS",
        "python.fn-execution.arrow.batch.size": str(batch_rows),
        "python.fn-execution.bundle.size": str(max(batch_rows, bundle_rows)),
        "python.fn-execution.bundle.time": str(settings.bundle_ms),
        **_state_options(settings, folder),
        **settings.flink_options,
    }
    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    stream.configure(configuration)
    tables = StreamTableEnvironment.create(stream)
    _number_operators_from_one(tables)
    for key, value in options.items():
        tables.get_config().set(key, value)
    return JobEnvironment(name, settings, tables, tables.create_statement_set())


def _number_operators_from_one(tables: StreamTableEnvironment) -> None:
    """Makes the uids of a job the same whether it is submitted alone or after others by the same client.

    A uid holds the number of its node, and the planner counts nodes through the life of the JVM. Its counter is
    not public, and the planner has a class loader of its own.
    """
    gateway = get_gateway()
    lang = gateway.jvm.java.lang
    planner = tables._j_tenv.getPlanner().getClass().getClassLoader()
    context = planner.loadClass("org.apache.flink.table.planner.plan.nodes.exec.ExecNodeContext")
    reset = context.getMethod("resetIdCounter", gateway.new_array(lang.Class, 0))
    reset.invoke(None, gateway.new_array(lang.Object, 0))


def _state_options(settings: JobSettings, folder: str) -> dict[str, str]:
    options = {CHECKPOINT_DIR: folder} if folder else {}
    state = settings.resume_from or (newest_checkpoint(folder) if settings.resume and folder else None)
    if state:
        options[RECOVERY_PATH] = state
    return options


def evaluate_once(job: JobEnvironment, name: str, table: Table) -> None:
    """Names a table whose Python results feed several sinks, so that they are computed once.

    The planner would merge a Python calculation into every branch that reads it and run it once for each; a
    DataStream between them stops that. Rows stay in Flink's internal form, so nothing is converted. The view
    has the table's columns, its rowtime column as a plain timestamp, and a new rowtime column `arrival`.
    """
    gateway = get_gateway().jvm
    loader = gateway.java.lang.Thread.currentThread().getContextClassLoader()
    row_data = gateway.java.lang.Class.forName("org.apache.flink.table.data.RowData", False, loader)
    schema = table._j_table.getResolvedSchema()
    stream = job.tables._j_tenv.toDataStream(table._j_table, schema.toSourceRowDataType().bridgedTo(row_data))
    builder = gateway.org.apache.flink.table.api.Schema.newBuilder()
    for column in schema.getColumns():
        builder = builder.column(column.getName(), _plain_type(gateway, column.getDataType()))
    builder = builder.columnByMetadata(ARRIVAL, "TIMESTAMP_LTZ(3)", "rowtime", True)
    builder = builder.watermark(ARRIVAL, "SOURCE_WATERMARK()")
    job.tables._j_tenv.createTemporaryView(name, stream, builder.build())


def _plain_type(gateway: Any, data_type: Any) -> Any:
    """The type without the mark that makes a timestamp a rowtime."""
    return gateway.org.apache.flink.table.types.utils.DataTypeUtils.removeTimeAttribute(data_type)
