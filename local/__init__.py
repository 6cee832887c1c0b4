"""The local twin: what AWS runs around the functions, on one machine."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = (ROOT / "functions", ROOT / "layers" / "bucketwise")

# In Lambda these two are on the path already: the code's folder and the layer's.
sys.path[:0] = [str(folder) for folder in CODE if str(folder) not in sys.path]
