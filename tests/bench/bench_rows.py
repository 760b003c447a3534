"""Where the benchmarks leave their rows: one JSON list for all areas."""

import json


def replace(target, area, rows):
    """Puts an area's rows in the place of its earlier ones; those of other areas stay."""
    before = json.loads(target.read_text()) if target.exists() else []
    target.write_text(json.dumps([row for row in before if row["area"] != area] + rows, indent=1) + "\n")
