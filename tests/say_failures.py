"""`say_failures.py BUILD`: the end of what each failed test of the last ctest run printed, so that it stands last in a long log."""
import pathlib
import re
import sys

LINES, CHARACTERS = 40, 400  # of a test, of a line


def main(build):
    logs = pathlib.Path(build, "Testing", "Temporary")
    failed = [line.partition(":")[2] for line in (logs / "LastTestsFailed.log").read_text().splitlines()]
    runs = re.split(r"^\d+/\d+ Testing: ", (logs / "LastTest.log").read_text(errors="replace"), flags=re.MULTILINE)
    for run in runs:
        name, _, rest = run.partition("\n")
        if name in failed and (output := re.search(r"\nOutput:\n-+\n(.*?)\n?<end of output>", rest, re.DOTALL)):
            lines = [line[:CHARACTERS] for line in output[1].splitlines()[-LINES:]]
            print(f"---- {name} failed:", *lines, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1])
