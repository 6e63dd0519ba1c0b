"""Queue of jobs in the database: asked for by the API, done by workers of which each holds a lease.

A worker that dies, or that its database has left, no longer renews its lease: then another one takes the job. Whoever
had it before is refused from then on, by the number of the attempt.
"""

import hashlib
import uuid
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from services.store.database import Connection

LEASE_S = 10
MOST_ATTEMPTS = 3
MOST_WAITING = 50
_CROWDED = """
SELECT count(*) >= %(most)s FROM jobs WHERE state = 'waiting' AND equality <> %(equality)s
"""
# An update that changes nothing returns the job that is there.
_SUBMIT = """
INSERT INTO jobs (job_id, kind, request, equality, estimate_s)
VALUES (%(job_id)s, %(kind)s, %(request)s, %(equality)s, %(estimate_s)s)
ON CONFLICT (equality) WHERE state IN ('waiting', 'running') DO UPDATE SET equality = excluded.equality
RETURNING job_id
"""
_GIVE_UP = """
UPDATE jobs SET state = 'failed', ended_at = now(), reason = %(reason)s
WHERE state = 'running' AND leased_until < now() AND attempts >= %(most)s
"""
_TAKE = """
UPDATE jobs SET state = 'running', worker = %(worker)s, attempts = attempts + 1, progress = 0, step = NULL,
    started_at = now(), leased_until = now() + %(lease_s)s * interval '1 second'
WHERE job_id = (
    SELECT job_id FROM jobs WHERE state = 'waiting' OR (state = 'running' AND leased_until < now())
    ORDER BY asked_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING job_id, kind, request::text, attempts
"""
_MINE = "job_id = %(job_id)s AND attempts = %(attempt)s AND state = 'running'"
_RENEW = f"""
UPDATE jobs SET progress = greatest(progress, %(progress)s), step = %(step)s,
    leased_until = now() + %(lease_s)s * interval '1 second'
WHERE {_MINE}
"""  # noqa: S608
_END = f"""
UPDATE jobs SET state = %(state)s, ended_at = now(), reason = %(reason)s, result = %(result)s,
    progress = CASE WHEN %(state)s = 'done' THEN 1 ELSE progress END
WHERE {_MINE}
"""  # noqa: S608
# One that was stopped with its worker has not failed.
_RELEASE = f"""
UPDATE jobs SET state = 'waiting', worker = NULL, leased_until = NULL, attempts = attempts - 1 WHERE {_MINE}
"""  # noqa: S608
_RETRY = f"UPDATE jobs SET leased_until = now() - interval '1 second' WHERE {_MINE}"  # noqa: S608
_HOLD = f"SELECT FROM jobs WHERE {_MINE} FOR UPDATE"
_CANCEL = """
UPDATE jobs SET state = 'cancelled', ended_at = now() WHERE job_id = %s AND state IN ('waiting', 'running')
"""
# Those of a radar are kept by the radar.
_FORGET = """
DELETE FROM jobs WHERE job_id IN (
    SELECT job_id FROM jobs WHERE ended_at IS NOT NULL AND request ->> 'radar' IS NULL
    ORDER BY ended_at DESC OFFSET %s
)
"""


class TakenJob(NamedTuple):
    """A job of this worker: `request` is JSON, `attempt` counts those who took it, this one included."""

    job_id: str
    kind: str
    request: str
    attempt: int


class CrowdedError(Exception):
    """Too many jobs wait for a further one."""


async def submit(connection: Connection, kind: str, request: Struct, estimate_s: float) -> tuple[str, bool]:
    """Ask for a job and return its id, and whether it is new: of equal ones that have not ended there is one.

    CrowdedError if `MOST_WAITING` others wait.
    """
    text = msgspec.json.encode(request, order="deterministic").decode()
    equality = hashlib.blake2b(f"{kind} {text}".encode(), digest_size=16).hexdigest()
    job_id = f"{kind}-{uuid.uuid4().hex[:12]}"
    values = {
        "job_id": job_id,
        "kind": kind,
        "request": text,
        "equality": equality,
        "estimate_s": estimate_s,
        "most": MOST_WAITING,
    }
    ((is_crowded,),) = await (await connection.execute(_CROWDED, values)).fetchall()
    if is_crowded:
        raise CrowdedError
    ((found,),) = await (await connection.execute(_SUBMIT, values)).fetchall()
    return found, found == job_id


async def cancel(connection: Connection, job_id: str) -> bool:
    """Cancel a job and tell whether it had not ended; its worker ends it at the next renewal of its lease."""
    return (await connection.execute(_CANCEL, [job_id])).rowcount > 0


async def take(connection: Connection, worker: str) -> TakenJob | None:
    """Take the job that has waited longest, or one whose worker is gone; None if there is none.

    One that has lost its worker `MOST_ATTEMPTS` times is given up.
    """
    reason = (
        f"its worker died {MOST_ATTEMPTS} times: see the log of research, or ask for fewer symbols or bars"
    )
    await connection.execute(_GIVE_UP, {"most": MOST_ATTEMPTS, "reason": reason})
    found = await (await connection.execute(_TAKE, {"worker": worker, "lease_s": LEASE_S})).fetchone()
    return None if found is None else TakenJob(*found)


async def renew(connection: Connection, job: TakenJob, progress: float, step: str | None) -> bool:
    """Renew the lease and note the progress; False if the job is this worker's no more."""
    values = {**_names(job), "progress": progress, "step": step, "lease_s": LEASE_S}
    return (await connection.execute(_RENEW, values)).rowcount > 0


async def release(connection: Connection, job: TakenJob) -> None:
    """Give a job back untouched."""
    await connection.execute(_RELEASE, _names(job))


async def retry(connection: Connection, job: TakenJob) -> None:
    """Return a job whose process has died to the queue, or fail it after its last attempt."""
    await connection.execute(_RETRY, _names(job))


async def state(connection: Connection, job_id: str) -> str | None:
    """Return the state of a job, None if it is gone."""
    found = await (await connection.execute("SELECT state FROM jobs WHERE job_id = %s", [job_id])).fetchone()
    return None if found is None else str(found[0])


async def hold(connection: Connection, job: TakenJob) -> bool:
    """Lock the job until the transaction ends; False if it is this worker's no more, and its result unwanted."""
    return (await connection.execute(_HOLD, _names(job))).rowcount > 0


async def finish(connection: Connection, job: TakenJob, result: Struct) -> None:
    """Note that a job is done, and what it found in short."""
    await _end(connection, job, "done", None, msgspec.json.encode(result).decode())


async def fail(connection: Connection, job: TakenJob, reason: str) -> None:
    """Note that a job cannot be done, and why."""
    await _end(connection, job, "failed", reason, None)


async def forget(connection: Connection, keep: int) -> int:
    """Delete all but the last `keep` jobs that have ended, with what they found, and return how many."""
    return (await connection.execute(_FORGET, [keep])).rowcount


async def _end(
    connection: Connection, job: TakenJob, state: str, reason: str | None, result: str | None
) -> None:
    values = {**_names(job), "state": state, "reason": reason, "result": result}
    await connection.execute(_END, values)


def _names(job: TakenJob) -> dict[str, Any]:
    return {"job_id": job.job_id, "attempt": job.attempt}
