"""Draws a part of a trace (plait run --trace FILE) as a picture: a row for each thread of each rank, time to the right.

usage: python3 tests/bench/trace_picture.py TRACE [--passes 2] [--skip 20] > picture.svg
Shown are `passes` passes of a stage after the first `skip`. Perfetto shows all of it, and what each piece is.
"""
import argparse
import json

options = argparse.ArgumentParser()
options.add_argument("trace")
options.add_argument("--passes", type=int, default=2)
options.add_argument("--skip", type=int, default=20)
options = options.parse_args()

WIDTH, LEFT, ROW, BAR, HEAD = 1180, 128, 46, 15, 40
COLOURS = {"input": "#8c8c8c", "forward": "#4e79a7", "loss": "#b07aa1", "backward": "#f28e2b", "update": "#59a14f",
           "combine": "#e15759", "stage": "#9c755f", "map": "#dddddd"}

events = json.load(open(options.trace))["traceEvents"]
names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
pieces = [e for e in events if e["ph"] == "X"]
ends = sorted(e["ts"] + e["dur"] for e in pieces if e["name"] == "next pass" and e["pid"] == 0)
begin, end = ends[options.skip], ends[options.skip + options.passes]
shown = [e for e in pieces if e["ts"] < end and e["ts"] + e["dur"] > begin]
rows = sorted({(e["pid"], e["tid"]) for e in shown})
scale = (WIDTH - LEFT - 10) / (end - begin)


def place(time):
    return LEFT + (min(max(time, begin), end) - begin) * scale


height = HEAD + ROW * len(rows) + 24
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">')
print(f'<rect width="{WIDTH}" height="{height}" fill="white"/>')
at = LEFT
for name, colour in COLOURS.items():
    print(f'<rect x="{at}" y="10" width="12" height="12" fill="{colour}"/><text x="{at + 16}" y="21">{name}</text>')
    at += 100
for number, row in enumerate(rows):
    top = HEAD + ROW * number
    print(f'<text x="6" y="{top + 20}">rank {row[0]}, {names.get(row, row[1])}</text>')
    print(f'<line x1="{LEFT}" y1="{top + ROW - 6}" x2="{WIDTH - 10}" y2="{top + ROW - 6}" stroke="#ccc"/>')
    for e in sorted((e for e in shown if (e["pid"], e["tid"]) == row), key=lambda e: (e["ts"], -e["dur"])):
        left, right = place(e["ts"]), place(e["ts"] + e["dur"])
        if right - left < 0.15:
            continue
        is_outer = e["cat"] == "map"  # a step of a task, which holds the others
        y, tall = (top, 2 * BAR + 6) if is_outer else (top + 3 + (BAR if e["cat"] in ("backward", "update") else 0), BAR)
        print(f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 0.3):.1f}" height="{tall}" '
              f'fill="{COLOURS.get(e["cat"], "#444")}"/>')
        if e["cat"] == "stage" and right - left > 60:
            print(f'<text x="{left + 3:.1f}" y="{y + 12}" fill="white">{e["name"]}</text>')
print(f'<text x="{LEFT}" y="{height - 6}">0 ms</text>')
print(f'<text x="{WIDTH - 60}" y="{height - 6}">{(end - begin) / 1000:.1f} ms</text>')
print("</svg>")
