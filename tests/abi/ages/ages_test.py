"""Plugins of other ages: built from the kept headers of each draft, with shorter and longer structs, for later minors.

Those of the host's draft load and keep the laws, whichever compiler made them; the others are refused in words.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
HEADERS = ROOT / "framework/abi"
COMPILERS = [["gcc", "-std=gnu11"], ["clang", "-std=gnu11"], ["g++", "-std=c++20", "-x", "c++"],
             ["clang++", "-std=c++20", "-x", "c++"]]
DRAFT = re.compile(r"#define PLAIT_ABI_DRAFT (\d+)")


def draft_of(headers):
    return int(DRAFT.search((headers / "plait/abi.h").read_text())[1])


class AgesTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.work)

    def build(self, headers=HEADERS, compiler=COMPILERS[0], form=None):
        library = self.work / "aged.plait.so"
        words = [*compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-I", headers]
        subprocess.run([*words, *([f"-D{form}"] if form else []), ROOT / "tests/abi/ages/ages.c", "-o", library], check=True)
        return library

    def plait(self, *words, status=0):
        done = subprocess.run(["plait", *map(str, words)], cwd=self.work, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)
        self.assertEqual(done.returncode, status, f"plait {' '.join(map(str, words))}\n{done.stdout}")
        return done.stdout

    def loads(self, library):
        self.assertIn("factor * x", self.plait("inspect", "example.aged", "--plugin", library))

    def test_plugins_of_the_kept_headers(self):
        kept = sorted((ROOT / "tests/abi/headers").iterdir())
        self.assertTrue(any(draft_of(headers) == draft_of(HEADERS) for headers in kept), "this draft's headers are kept")
        for headers in kept:
            for compiler in COMPILERS:
                if not shutil.which(compiler[0]):
                    continue
                with self.subTest(headers=headers.name, compiler=compiler[0]):
                    library = self.build(headers, compiler)
                    if draft_of(headers) == draft_of(HEADERS):
                        self.loads(library)
                        self.plait("verify", library)
                    else:
                        said = self.plait("inspect", "--plugin", library, status=1)
                        self.assertIn(f"was built for draft {draft_of(headers)} of the ABI", said)

    def test_shorter_structs_are_not_read_beyond_their_end(self):
        library = self.build(form="OLDER")
        self.loads(library)
        self.plait("verify", library)

    def test_longer_structs_of_a_later_minor_load(self):
        library = self.build(form="NEWER")
        self.loads(library)
        self.plait("verify", library)

    def test_a_need_of_a_later_minor_is_refused_in_words(self):
        said = self.plait("inspect", "--plugin", self.build(form="NEEDS_NEWER"), status=1)
        self.assertRegex(said, r'aged\.plait\.so" needs a Plait of ABI 1\.\d+ or newer, this one has 1\.\d+')

    def test_another_draft_is_refused_in_words(self):
        other = self.work / "other"
        shutil.copytree(HEADERS / "plait", other / "plait")
        subprocess.run(["chmod", "-R", "u+w", other], check=True)  # the tree may be read-only
        header = other / "plait/abi.h"
        header.write_text(DRAFT.sub("#define PLAIT_ABI_DRAFT 999", header.read_text()))
        said = self.plait("inspect", "--plugin", self.build(other), status=1)
        self.assertIn(f"was built for draft 999 of the ABI, this Plait has draft {draft_of(HEADERS)}: build it again", said)


if __name__ == "__main__":
    sys.exit(unittest.main())
