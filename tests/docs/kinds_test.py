"""The page that tells how a kind is added names files that are there, and names that stand in them."""
import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
PAGE = ROOT / "framework/registry/kinds.md"
WORD = re.compile(r"`([^`]+)`")


def cells():
    """Of each row of its tables the cells, without headings and rules."""
    for line in PAGE.read_text().splitlines():
        if line.startswith("| ") and not line.startswith(("| file |", "| step |")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def is_file(word):
    return "/" in word and "." in word and "<" not in word


def faults(row):
    """In each cell, or where the first names files in the whole row: files, then the names that stand in one of them."""
    parts = [part for cell in row for part in cell.split(";")]
    if any(is_file(word) for word in WORD.findall(row[0])):
        parts = [" ".join(row)]
    for part in parts:
        words = WORD.findall(part)
        files = [ROOT / "framework" / word for word in words if is_file(word)]
        yield from (f"{file} is not there" for file in files if not file.exists())
        texts = [file.read_text() for file in files if file.exists()]
        for word in words:
            if texts and re.fullmatch(r"\w+", word) and not any(re.search(rf"\b{word}\b", text) for text in texts):
                yield f'none of {[file.name for file in files]} has the name "{word}"'


def kinds():
    table = (ROOT / "framework/abi/plait/kinds.h").read_text()
    return re.findall(r"^  X\((\w+), ", table, re.MULTILINE)


class KindsTest(unittest.TestCase):
    def test_what_the_page_names_is_there(self):
        rows = list(cells())
        self.assertGreater(len(rows), 15)
        self.assertEqual([fault for row in rows for fault in faults(row)], [])

    def test_a_wrong_name_is_found(self):
        self.assertTrue(list(faults(["`verify/engine/no_such_file.cc`", "what"])))
        self.assertTrue(list(faults(["step", "`verify/engine/laws.cc`: `no_such_name`", ""])))
        self.assertFalse(list(faults(["step", "`verify/engine/laws.cc`: `all_laws`", ""])))

    def test_every_kind_has_its_header_its_template_and_plugins(self):
        self.assertGreater(len(kinds()), 12)
        for kind in kinds():
            self.assertTrue((ROOT / f"framework/sdk/plait/sdk/{kind}.hpp").exists(), kind)
            self.assertTrue((ROOT / f"framework/templates/{kind}/your_name.cc").exists(), kind)
            self.assertTrue(any((ROOT / f"plugins/{kind}{end}/README.md").exists() for end in ("s", "es")), kind)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
