"""Trains golden.txtpb with `plait` and compares its weights with golden.json.

Tolerance: the golden values are f64; a step in f32 errs by about 48 products of 2^-24 each in a dense layer, times rate
0.05 and 15 steps amplified at most tenfold by momentum 0.9: 48 x 15 x 10 x 0.05 x 6e-8 = 2e-5 at values of order 1.
"""
import json
import os
import subprocess
import sys
import tempfile

import golden_data as data

TOLERANCE = 2e-5
here = os.path.dirname(os.path.abspath(__file__))
with tempfile.TemporaryDirectory() as folder:
    data.write_idx(folder)
    data.write_safetensors(f"{folder}/first.safetensors", data.first_weights())
    subprocess.run(["plait", "run", f"{here}/golden.txtpb", "--var", f"data={folder}", "--run-dir", f"{folder}/run",
                    "--weights", f"{folder}/first.safetensors", "--progress", "none"], check=True)
    got = data.read_safetensors(f"{folder}/run/weights.safetensors")
with open(f"{here}/golden.json") as file:
    wanted = json.load(file)["weights"]
if sorted(got) != sorted(wanted):
    sys.exit(f"tensors: got {sorted(got)}, wanted {sorted(wanted)}")
first = data.first_weights()
worst = 0.0
for name, values in wanted.items():
    moved = max(abs(a - b) for a, b in zip(values, first[name]))
    error = max(abs(a - b) for a, b in zip(values, got[name]))
    print(f"{name}: moved by up to {moved:.3g} in training, differs by up to {error:.3g}")
    worst = max(worst, error)
sys.exit(0 if worst <= TOLERANCE else f"got a difference of {worst:.3g}, wanted at most {TOLERANCE:.3g}")
