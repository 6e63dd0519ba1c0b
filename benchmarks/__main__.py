"""Every benchmark, one line or two each: ``make bench``."""

from benchmarks import quant, sink, up

for benchmark in (quant, sink, up):
    benchmark.main()
