"""Asks DuckDB questions about the streams of a store, kept in a Parquet file, with one thread.

    ask.py STORE PARQUET < QUESTIONS

A question is a line of SQL over the table "streams". For each one a line is printed: processor time of one answer
in milliseconds, and how many rows it has. The file is written first, if it is not there yet.
"""

import os
import sys
import time

import duckdb

# Rounds of a question: until it took so many seconds, or was asked so often.
SECONDS = 1.0
ROUNDS = 50

# The columns of a store's streams, with instants in 100 ns and durations in 100 ns, as they are stored.
STREAMS = """
    SELECT r.start_date_time AS start, r.id AS record, r.type AS type, m.label AS media,
      m.caller_network_subnet AS caller_subnet, m.caller_network_connection_type AS caller_connection,
      m.callee_network_subnet AS callee_subnet, m.callee_network_connection_type AS callee_connection,
      m.caller_device_capture_device_name AS caller_capture, m.caller_device_render_device_name AS caller_render,
      g.caller_user_agent AS caller_agent, g.caller_platform AS caller_platform,
      g.callee_platform AS callee_platform,
      t.stream_direction AS direction, t.average_jitter AS jitter, t.max_jitter AS max_jitter,
      t.average_packet_loss_rate AS loss, t.max_packet_loss_rate AS max_loss,
      t.average_round_trip_time AS round_trip, t.average_audio_degradation AS degradation,
      t.packet_utilization AS packets, t.average_ratio_of_concealed_samples AS concealed,
      t.audio_codec AS audio_codec, t.video_codec AS video_codec, t.average_video_frame_rate AS frame_rate,
      t.quality_verdict AS verdict
    FROM call_record r CROSS JOIN stream t ON t.record_key = r.record_key
    CROSS JOIN segment g ON g.record_key = t.record_key AND g.session = t.session AND g.ordinal = t.segment
    CROSS JOIN media m ON m.record_key = t.record_key AND m.session = t.session AND m.segment = t.segment
      AND m.ordinal = t.media
    WHERE r.is_current = 1 ORDER BY r.start_date_time DESC, r.id
"""
# What is no text.
NUMBERS = {
    **dict.fromkeys(["start", "jitter", "max_jitter", "round_trip", "packets"], "BIGINT"),
    **dict.fromkeys(["loss", "max_loss", "degradation", "concealed", "frame_rate"], "DOUBLE"),
}


def write(store, parquet):
    """Writes the streams of a store, by way of a file that DuckDB reads."""
    import csv
    import sqlite3

    rows = sqlite3.connect(f"file:{store}?mode=ro", uri=True).execute(STREAMS)
    names = [column[0] for column in rows.description]
    text = parquet + ".csv"
    with open(text, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    types = {name: NUMBERS.get(name, "VARCHAR") for name in names}
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{text}', columns={types}, header=true)) "
        f"TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)"
    )
    os.remove(text)


def main():
    store, parquet = sys.argv[1:]
    if not os.path.exists(parquet):
        write(store, parquet)
    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.execute(f"CREATE VIEW streams AS SELECT * FROM '{parquet}'")
    for question in sys.stdin:
        rows = len(database.execute(question).fetchall())
        begin, rounds = time.process_time(), 0
        while rounds < ROUNDS and time.process_time() - begin < SECONDS:
            database.execute(question).fetchall()
            rounds += 1
        taken = (time.process_time() - begin) / rounds
        print(f"{taken * 1000:.3f} {rows}", flush=True)


main()
