"""Storage of scans: the pairs and the summary of a job in one transaction, or nothing."""

from psycopg import sql

from services.common import clock
from services.research.scan.pair_rows import PairRow, rows
from services.research.scan.run import FoundPairs
from services.store import jobs, radars
from services.store.database import Connection

_COPY = sql.SQL("COPY scan_pairs (job_id, {}) FROM STDIN").format(
    sql.SQL(", ").join(sql.Identifier(name.replace("_us", "_ts")) for name in PairRow._fields)
)


async def store(connection: Connection, job: jobs.TakenJob, scanned: FoundPairs) -> bool:
    """Store what a job found; False if it is this worker's no more, and nothing is stored."""
    async with connection.transaction():
        if not await jobs.hold(connection, job):
            return False
        async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in rows(scanned):
                at = None if row.break_us is None else clock.to_datetime(row.break_us)
                await copy.write_row((job.job_id, *row._replace(break_us=at)))  # type: ignore[arg-type]
        await jobs.finish(connection, job, scanned.summary)
        if (radar := scanned.request.radar) is not None:
            summary = scanned.summary
            await radars.scanned(connection, radar, job.job_id, summary.last_us + summary.width_us)
    return True
