"""`own_folders.py COMMAND...`: runs it with temporary folders of its own, removed when it has ended.

An mpirun that was killed leaves its folder (ompi.PID in TMPDIR) and its ranks' shared memory. A later one with the same
process number refuses to start beside that folder, or its ranks read memory of the dead. Tests kill, and numbers come again.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

MEMORY = "/dev/shm"


def main(command):
    folders = [tempfile.mkdtemp(prefix="plait-")]
    environment = os.environ | {"TMPDIR": folders[0]}
    if os.access(MEMORY, os.W_OK):
        folders.append(tempfile.mkdtemp(prefix="plait-", dir=MEMORY))
        environment["OMPI_MCA_btl_sm_backing_directory"] = folders[1]
    try:
        status = subprocess.run(command, env=environment).returncode
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    if status < 0:
        print(f"{command[0]} was ended by {signal.Signals(-status).name}", file=sys.stderr)
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
