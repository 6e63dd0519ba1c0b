"""Every benchmark, one line or two each: ``make bench``."""

from benchmarks import freshness, ingest, quant, sink, stream, up

for benchmark in (quant, ingest, stream, sink, freshness, up):
    benchmark.main()
