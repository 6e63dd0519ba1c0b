"""Datasets of the fake API: every csv is minutes of two symbols, a web page is none."""

import asyncio
import json
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData, UploadFile

SECOND = 1_000_000
START_US = 1_714_521_600 * SECOND
SYMBOLS = ("BTCUSDT", "ETHUSDT")
COLUMNS = ("time", "symbol", "open", "high", "low", "close", "volume")
REASON = "expected a number such as 64123.4, received 'x'"


class Datasets:
    """The datasets there are; nothing of an upload is read but while ``going``, ``role`` is what a caller may do."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.going = asyncio.Event()
        self.going.set()
        self.role = "write"


def problem(status: int, detail: str, **members: Any) -> Response:
    """Return a problem document."""
    document = {"type": "urn:fake", "title": "Fake", "status": status, "detail": detail, **members}
    return JSONResponse(document, status, media_type="application/problem+json")


def add(app: FastAPI) -> None:
    """Add the routes to `app`."""
    datasets = Datasets()

    def forbidden() -> Response | None:
        detail = "expected a caller with the role write, received 'desk' with the role read"
        return None if datasets.role == "write" else problem(403, detail)

    @app.get("/v1/datasets")
    async def get_datasets() -> dict[str, Any]:
        inner = ("symbols", "files", "findings")
        data = [
            {name: value for name, value in one.items() if name not in inner}
            for one in reversed(datasets.stored.values())
        ]
        return {"feed": "synthetic", "data": data}

    @app.post("/v1/datasets/preview")
    async def preview(request: Request) -> Any:
        sent = await _sent(request)
        if isinstance(sent, Response):
            return sent
        readings, lines, bad, _ = sent
        return {
            "files": readings,
            "symbols": SYMBOLS,
            "width_s": 60.0,
            "lines": lines,
            "complete": True,
            "rejected": len(bad),
            "out_of_order": 0,
            "skipped": 0,
            "adjusted": 0,
            "bars": [_bar(line) for line in range(2, 5)],
            "findings": bad,
        }

    @app.post("/v1/datasets")
    async def upload(request: Request) -> Any:
        if refused := forbidden():
            return refused
        await datasets.going.wait()
        sent = await _sent(request)
        if isinstance(sent, Response):
            return sent
        readings, lines, bad, name = sent
        if name == "taken":
            return problem(409, "expected a name that is free, received 'taken'")
        found = _detail(name, lines - 1 - len(bad), readings, bad)
        datasets.stored[found["dataset_id"]] = found
        return JSONResponse(found, 201)

    @app.get("/v1/datasets/{dataset}")
    async def get_dataset(dataset: str) -> Any:
        return datasets.stored.get(dataset) or problem(404, f"expected one of none, received {dataset!r}")

    @app.get("/v1/datasets/{dataset}/report")
    async def get_report(dataset: str, request: Request, kind: str | None = None) -> Any:
        found = [one for one in datasets.stored[dataset]["findings"] if kind in (None, one["kind"])]
        if request.query_params.get("format") == "csv":
            lines = ["kind,file,line,reason", *(",".join(map(str, one.values())) for one in found)]
            return Response("\n".join(lines), media_type="text/csv")
        return {"feed": "synthetic", "data": found}

    @app.delete("/v1/datasets/{dataset}")
    async def delete(dataset: str) -> Response:
        if refused := forbidden():
            return refused
        del datasets.stored[dataset]
        return Response(status_code=204)

    @app.post("/fake/datasets")
    async def fake_datasets(slow: bool = False, role: str = "write") -> dict[str, Any]:
        datasets.role = role
        if slow:
            datasets.going.clear()
        else:
            datasets.going.set()
        return {"stored": len(datasets.stored)}


async def _sent(request: Request) -> Any:
    async with request.form() as form:
        return await _read(form)


async def _read(form: FormData) -> Any:
    files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
    zone = str(form.get("zone", "UTC"))
    if zone not in ("UTC", "Asia/Tokyo"):
        error = {"field": "zone", "expected": "a zone such as UTC", "received": zone}
        return problem(422, "zone: expected a zone such as UTC", errors=[error])
    readings, lines, bad = [], 0, []
    for file in files:
        text = (await file.read()).decode()
        if text.startswith("<"):
            detail = f"{file.filename}:1: expected a csv of bars, received a web page"
            return problem(422, detail, file=file.filename, line=1)
        if text.startswith("asked") and "date_order" not in form:
            return _question(str(file.filename))
        columns = dict(zip(COLUMNS, COLUMNS, strict=True)) | json.loads(str(form.get("mapping", "{}")))
        readings.append(_reading(str(file.filename), zone, str(form.get("delimiter", "comma")), columns))
        rows = text.splitlines()
        lines += len(rows)
        bad += [
            {"kind": "rejected", "file": file.filename, "line": number, "reason": REASON}
            for number, row in enumerate(rows, 1)
            if ",x" in row
        ]
    return readings, lines, bad, str(form.get("name", readings[0]["name"].partition(".")[0]))


def _question(name: str) -> Response:
    readings = [{"value": value, "bars": [_bar(2)]} for value in ("dmy", "mdy")]
    question = {"option": "date_order", "readings": readings}
    detail = f"{name}: expected a date that tells day from month, or date_order=, received '03/01/2024'"
    return problem(422, detail, file=name, line=None, question=question)


def _reading(name: str, zone: str, delimiter: str, columns: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "delimiter": delimiter,
        "decimal": ".",
        "header_line": 1,
        "columns": columns,
        "time": "iso",
        "zone": zone,
        "symbol": None,
        "close_only": False,
    }


def _bar(line: int) -> dict[str, Any]:
    prices = {"open": 60_000.1, "high": 60_050.0, "low": 59_990.5, "close": 60_020.3, "volume": 12.5}
    start_us = START_US + 60 * SECOND * line
    return {"line": line, "symbol": "BTCUSDT", "start_us": start_us, "start_time": "", **prices}


def _detail(name: str, bars: int, readings: list[Any], bad: list[Any]) -> dict[str, Any]:
    span = {"first_us": START_US, "first_time": "", "last_us": START_US + 86_400 * SECOND, "last_time": ""}
    part = {"bars": bars // 2, **span, "gaps": 1, "missing": 2, "carried": 6, "carried_share": 0.3}
    return {
        "dataset_id": uuid.uuid4().hex,
        "name": name,
        "width_s": 60.0,
        "bars": bars,
        **span,
        "symbol_count": len(SYMBOLS),
        "gaps": 2,
        "missing": 4,
        "carried": 12,
        "carried_share": 0.3,
        "rejected": len(bad),
        "repeated": 0,
        "out_of_order": 0,
        "skipped": 0,
        "adjusted": 0,
        "odd": 0,
        "uploaded_us": START_US,
        "uploaded_time": "",
        "symbols": [{"symbol": symbol, **part} for symbol in SYMBOLS],
        "files": readings,
        "findings": bad,
    }
