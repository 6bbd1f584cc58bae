"""The peer of `onus import`: the least that a file load can do.

Reads the terminal journals and the clearing CSV of a city day into SQLite, one durable
transaction a file (synchronous=FULL). No captured traffic is decoded, no legs are matched, no
verdict is made. Standard library only.

    python3 plain_load.py DAY DATABASE REPORT
"""

import csv
import json
import sqlite3
import sys
from itertools import islice
from pathlib import Path

BATCH = 10_000


def load(connection, path):
    """Stores one CSV file as one table and returns (rows, sale rows)."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        columns = ", ".join(f'"{name}" text' for name in header)
        marks = ", ".join("?" * len(header))
        table = path.stem
        connection.execute("begin")
        connection.execute(f'create table "{table}" ({columns})')
        kind = header.index("txn") if "txn" in header else None
        count = sales = 0
        while batch := list(islice(rows, BATCH)):
            connection.executemany(f'insert into "{table}" values ({marks})', batch)
            count += len(batch)
            if kind is not None:
                sales += sum(row[kind] == "SALE" for row in batch)
        connection.execute("commit")
    return count, sales


def main(day, database, report):
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    files = sorted(Path(day).glob("journal/*.csv")) + sorted(Path(day).glob("clearing/*.csv"))
    if not files:
        sys.exit(f"no journal or clearing CSV below {day}")
    rows = payments = 0
    for path in files:
        count, sales = load(connection, path)
        rows += count
        payments += sales
    connection.close()
    Path(report).write_text(json.dumps({"rows": rows, "payments": payments}))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
