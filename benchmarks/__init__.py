"""Speed and memory, as ratios against named references. What each figure means: docs/benchmarks.md."""

import os

# As the program itself does before it imports numpy: threads of linear algebra are not what is measured.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
