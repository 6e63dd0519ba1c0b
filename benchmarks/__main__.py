"""Every benchmark, one line or two each: ``make bench``."""

from benchmarks import freshness, ingest, quant, sink, up

for benchmark in (quant, ingest, sink, freshness, up):
    benchmark.main()
