"""Every benchmark, one line or two each: ``make bench``."""

from benchmarks import analysis, freshness, ingest, page, quant, sink, stream, stream_api, up

for benchmark in (quant, analysis, ingest, stream, sink, stream_api, freshness, up, page):
    benchmark.main()
