"""The same bits over two hosts with their own addresses. Skipped where the tool for such hosts is missing."""
import os
import subprocess
import sys
import tempfile

import jobs

SKIPPED = 77
tool = os.path.join(os.environ.get("PLAIT_SOURCE_DIR", "."), "..", "shared", "tools", "minicluster")
if not os.access(tool, os.X_OK):
    print("skipped: minicluster is not there")
    sys.exit(SKIPPED)
if os.geteuid() != 0 or subprocess.run([tool, "up", "2"], capture_output=True).returncode != 0:
    subprocess.run([tool, "down"], capture_output=True)
    print("skipped: network namespaces cannot be made here")
    sys.exit(SKIPPED)
try:
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder)
        alone, _ = jobs.run(folder, jobs.CONVOLUTION, "alone")
        across, done = jobs.run(folder, jobs.CONVOLUTION, "across", ranks=2,
                                launcher=[tool, "mpirun", "-n", "2", "-x", "PATH"])
finally:
    subprocess.run([tool, "down"], capture_output=True)
print("alone ", alone["weights_sha256"])
print("across", across["weights_sha256"], across["tasks_by_rank"])
sys.exit(0 if alone["weights_sha256"] == across["weights_sha256"] and across["ranks"] == 2 else 1)
