"""The border's headers are what the record says, and the rule that guards them catches what it should."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import layout

ROOT = pathlib.Path(sys.argv.pop(1))
NEEDS_END = "  void (*takes_int8)(const struct plait_layer_needs* needs, uint32_t input);\n"


class LayoutTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for folder in [layout.HEADERS, "tests/abi/headers"]:
            shutil.copytree(ROOT / folder, self.root / folder)
            subprocess.run(["chmod", "-R", "u+w", self.root], check=True)  # the tree may be read-only
        shutil.copyfile(ROOT / layout.RECORD, self.root / layout.RECORD)

    def change(self, old, new, file="abi.h"):
        header = self.root / layout.HEADERS / file
        self.assertIn(old, header.read_text())
        header.write_text(header.read_text().replace(old, new, 1))

    def refused(self, words):
        self.assertIn(words, "\n".join(layout.check(self.root)))
        before = (self.root / layout.RECORD).read_text()
        self.assertIn("nothing is recorded", "\n".join(layout.write(self.root)))
        self.assertEqual((self.root / layout.RECORD).read_text(), before)

    def test_the_tree(self):
        self.assertEqual(layout.check(ROOT), [])

    def test_every_struct_is_recorded(self):
        for header in (ROOT / layout.HEADERS).glob("*.h"):
            for line in header.read_text().splitlines():
                if line.startswith("typedef struct") and "{" in line:
                    self.assertIn(f"\nstruct {line.split()[2]} ", "\n" + (ROOT / layout.RECORD).read_text())

    def test_appends_are_recorded_once_asked(self):
        self.change(NEEDS_END, NEEDS_END + "  void (*more)(void);\n")
        self.change("PLAIT_I64 = 7\n", "PLAIT_I64 = 7,\n  PLAIT_I16 = 8\n")
        self.change("#ifdef __cplusplus\n}", "typedef struct plait_new {\n  uint32_t struct_size;\n} plait_new;\n#ifdef __cplusplus\n}")
        self.assertIn("has grown", "\n".join(layout.check(self.root)))
        self.assertEqual(layout.write(self.root), [])
        self.assertEqual(layout.check(self.root), [])

    def test_a_member_in_the_middle(self):
        self.change(NEEDS_END, "  void (*more)(void);\n" + NEEDS_END)
        self.refused("plait_layer_needs.takes_int8: was (")

    def test_a_member_in_the_padding(self):
        self.change("  uint32_t parameters_frozen;", "  uint8_t parameters_frozen;")
        self.refused("plait_layer_request.parameters_frozen")

    def test_a_member_that_older_structs_would_seem_to_have(self):
        record = self.root / layout.RECORD
        text = record.read_text()
        size = int(text.split("struct plait_fit ")[1].split()[0])
        record.write_text(text.replace(f"struct plait_fit {size}", f"struct plait_fit {size + 8}"))
        self.change("  const double* state;\n} plait_fit", "  const double* state;\n  double more;\n} plait_fit")
        self.refused("an older struct ends there")

    def test_a_struct_that_cannot_grow(self):
        self.change("  uint64_t counter_high;\n", "  uint64_t counter_high;\n  uint64_t more;\n")
        self.refused("plait_rng: has no struct_size")

    def test_another_signature_of_the_same_size(self):
        self.change("int (*begin)(const struct plait_stage_builder", "void (*begin)(const struct plait_stage_builder")
        self.refused("plait_stage_builder.begin")

    def test_a_constant_with_another_value_and_one_gone(self):
        self.change("PLAIT_I64 = 7", "PLAIT_I64 = 8")
        self.change("PLAIT_VERIFY_LABELS = 4", "PLAIT_VERIFY_LABEL = 4", "verify.h")
        self.refused('constant PLAIT_I64: was "constant PLAIT_I64 7"')
        self.refused("constant PLAIT_VERIFY_LABELS")

    def test_another_draft_may_change_all(self):
        draft = layout.draft_of((ROOT / layout.RECORD).read_text())
        self.change(f"PLAIT_ABI_DRAFT {draft}", "PLAIT_ABI_DRAFT 9")
        self.change(NEEDS_END, "")
        self.assertIn("is draft 9", "\n".join(layout.check(self.root)))
        self.assertEqual(layout.write(self.root), [])
        self.assertEqual(layout.check(self.root), [])
        self.assertTrue((self.root / layout.KEPT.format(9) / "abi.h").exists())

    def test_the_kept_headers_stay(self):
        kept = self.root / layout.KEPT.format(layout.draft_of((ROOT / layout.RECORD).read_text())) / "abi.h"
        kept.write_text(kept.read_text().replace("PLAIT_U8 = 5", "PLAIT_U8 = 6"))
        self.assertIn("the kept headers: ", "\n".join(layout.check(self.root)))


if __name__ == "__main__":
    unittest.main()
