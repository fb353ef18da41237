"""Speed and memory, as ratios against named references. What each figure means: docs/benchmarks.md."""

import os

# As the program does, before numpy is imported: threads of the linear algebra library are not what is measured.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
