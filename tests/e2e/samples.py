"""The recordings in samples/ and what is said in each."""

import csv
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"
with (SAMPLES / "texts.tsv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table, delimiter="\t"))
TEXTS = {row["file"]: row["text"] for row in ROWS}
