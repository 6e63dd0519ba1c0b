"""Every benchmark, one line or two each: ``make bench``."""

from benchmarks import analysis, freshness, ingest, quant, sink, stream, stream_api, up

for benchmark in (quant, analysis, ingest, stream, sink, stream_api, freshness, up):
    benchmark.main()
