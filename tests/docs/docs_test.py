"""The documents tell the truth: their ```sh blocks run and their ```c and ```cpp blocks are plugins that keep the laws,
against an installed Plait. So are what the program writes about itself: manual, completion, schema and reference.

Training commands are cut to a few steps on generated records. Words on the command line choose tests.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
sys.path.insert(0, str(ROOT / "tests/scaffold"))
from scaffold_test import Place  # noqa: E402

COMMANDS = ["run", "check", "inspect", "graph", "evaluate", "predict", "new", "doctor", "fmt", "diff", "sweep", "try", "verify", "bench", "tune", "quantize",
            "augment"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TRAINS = re.compile(r"\bplait run \S+")
FILES = re.compile(r"\bplait run (?!\S*resolved)\S+")


def blocks(document):
    return [(language, text) for language, text in BLOCK.findall((ROOT / document).read_text())]


class DocsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp()).resolve()
        cls.place = Place(cls.work)
        cls.prefix = cls.place.prefix
        mpi = pathlib.Path(shutil.which("mpirun") or "/").parent
        cls.place.env["PATH"] = f"{cls.prefix}/bin:{mpi}:/usr/local/bin:/usr/bin:/bin"
        cls.place.env["PLAIT_SOURCE_DIR"] = str(ROOT)
        cls.place.env |= {name: value for name, value in os.environ.items() if name.startswith(("OMPI_", "PRTE_"))}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def succeeds(self, *words, cwd=None):
        done = self.place.run(*words, cwd=cwd)
        self.assertEqual(done.returncode, 0, f"{' '.join(map(str, words))}\n{done.stdout}")
        return done.stdout

    def run_shell(self, text, folder):
        if not shutil.which("mpirun"):
            text = "\n".join(line for line in text.splitlines() if not line.startswith("mpirun"))
        long_form = 'name: "train"' in text

        def shorter(run):
            train = "stage[train].train" if long_form and "resolved" not in run[0] else "train"
            return f"{run[0]} --max-steps 4 --set {train}.local_steps=1 --progress none"

        text = TRAINS.sub(shorter, text)
        text = FILES.sub(rf"\g<0> --var data={self.place.data}", text)
        self.succeeds("bash", "-euo", "pipefail", "-c", text, cwd=folder)

    def build_plugin(self, language, text, folder, name):
        source, library = folder / f"{name}.{language}", folder / f"{name}.plait.so"
        source.write_text(text)
        compiler = ["gcc", "-std=gnu11"] if language == "c" else ["g++", "-std=c++20"]
        self.succeeds(*compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden",
                      f"-Wl,--version-script={self.prefix}/lib/cmake/plait/plugin.map", "-I", self.prefix / "include", source,
                      "-o", library)
        self.succeeds("plait", "verify", library)

    def document(self, path):
        """Runs and compiles the blocks of a document, in a copy of its folder where that is an example's."""
        folder = self.work / path.replace("/", "_")
        if path.startswith("examples/"):
            shutil.copytree((ROOT / path).parent, folder)
            subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # the tree may be read-only
        else:
            folder.mkdir()
        found = blocks(path)
        self.assertTrue(found, f"{path}: no blocks")
        for number, (language, text) in enumerate(found):
            with self.subTest(document=path, block=number):
                if language == "sh":
                    self.run_shell(text, folder)
                elif language in ("c", "cpp"):
                    self.build_plugin(language, text, folder, f"block_{number}")
                else:
                    self.fail(f"{path}: a block of {language}: wanted sh, c or cpp")

    def test_the_example(self):
        self.document("examples/custom_layer/README.md")

    @unittest.skipUnless(shutil.which("clang++"), "there is no clang++")
    def test_the_example_by_clang(self):
        folder = self.work / "by_clang"
        shutil.copytree(ROOT / "examples/custom_layer", folder)
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # the tree may be read-only
        self.succeeds("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++", cwd=folder)
        self.succeeds("cmake", "--build", "build", cwd=folder)
        self.succeeds("plait", "verify", folder / "build/acme_swish.plait.so")

    def test_the_sdk(self):
        self.document("framework/sdk/README.md")

    def test_the_abi(self):
        self.document("framework/abi/README.md")

    def test_the_pipeline_files(self):
        self.document("framework/pipeline/README.md")

    def test_the_kinds(self):
        folders = sorted(folder.name for folder in (ROOT / "plugins").iterdir() if folder.is_dir())
        for folder in folders:
            self.document(f"plugins/{folder}/README.md")

    # ------------------------------------------------------------------------------------------------ written by plait

    def inspected(self):
        return json.loads(self.succeeds("plait", "inspect", "--json"))["types"]

    def test_the_manual_knows_every_command_and_option(self):
        page = (self.prefix / "share/man/man1/plait.1").read_text().replace("\\-", "-")
        for command in COMMANDS:
            self.assertIn(f".SS plait {command} ", page)
            said = self.succeeds("plait", command, "--help")
            section = page.split(f".SS plait {command} ")[1].split("\n.S")[0]
            for option in re.findall(r"--[a-z][a-z-]*", said.split("\n\n", 1)[1]):
                if option != "--help":
                    self.assertIn(option, section, f"plait {command}")
        if shutil.which("man"):
            said = self.succeeds("man", "--warnings", "-l", self.prefix / "share/man/man1/plait.1")
            self.assertNotIn("warning:", said)  # as troff says one

    def complete(self, *words):
        script = self.prefix / "share/bash-completion/completions/plait"
        said = self.succeeds("bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plait; '
                             'printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, "plait", *words)
        return said.split()

    def test_the_completion(self):
        self.assertEqual(set(COMMANDS) - set(self.complete("")), set())
        self.assertEqual(self.complete("ins"), ["inspect"])
        self.assertEqual(self.complete("run", "--max-"), ["--max-steps", "--max-time"])
        self.assertEqual(self.complete("run", "--progress", "j"), ["json"])
        self.assertEqual(self.complete("new", "lay"), ["layer"])
        self.assertEqual(self.complete("inspect", "--plugin", "pre"), ["prefix"])
        some, kind = self.inspected()[0]["name"], self.inspected()[0]["kind"]
        self.assertIn(some, self.complete("inspect", some[:-1]))
        self.assertIn(some, self.complete("inspect", kind, some[:-1]))
        self.assertNotIn(some, self.complete("inspect", "device" if kind != "device" else "layer", some[:-1]))
        self.assertIn("reducer", self.complete("inspect", "redu"))

    def test_the_schemas(self):
        schema = json.loads(self.succeeds("plait", "inspect", "--schema=json"))
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        proto = self.succeeds("plait", "inspect", "--schema")
        for kind in self.inspected():
            name = f"{kind['kind']}.{kind['id']}"
            self.assertEqual(set(schema["$defs"][name]["properties"]) - {"repeat"},
                             {field["name"] for field in kind["fields"]})
            self.assertIn({"$ref": f"#/$defs/{name}"}, schema["$defs"][f"any_{kind['kind']}"]["properties"].values())
            self.assertIn("Type_" + name.replace(".", "_").replace("-", "_"), proto)
        for name in self.references(schema):
            self.assertIn(name, schema["$defs"])
        for properties in [schema["properties"], schema["$defs"]["repeat_in_the_job"]["properties"]]:
            self.assertLessEqual({"layer", "augment", "include", "repeat"}, set(properties))
        self.assertLessEqual({"count", "as", "from", "step", "input"},
                             set(schema["$defs"]["repeat_in_block_layer"]["properties"]))
        self.assertIn("repeated Var var", proto)
        self.assertRegex(proto, r"message Repeat \{[^}]*repeated Any_layer layer[^}]*optional int64 count")
        self.assertIn("wanted proto or json", self.place.run("plait", "inspect", "--schema=xml").stdout)

    def test_protobuf_reads_resolved_files_by_the_schema(self):
        example = ROOT / "examples/custom_layer"
        self.build_plugin("cpp", (example / "acme_swish.cpp").read_text(), self.work, "acme_swish")
        plugin = ["--plugin", self.work / "acme_swish.plait.so"]
        (self.work / "pipeline.proto").write_text(self.succeeds("plait", "inspect", "--schema", *plugin))
        for number, job in enumerate([*sorted((ROOT / "pipelines").glob("*.txtpb")), *example.glob("*.txtpb")]):
            run = self.work / f"for_schema_{number}"
            data = ["--var", f"data={self.place.data}"] if '"data"' in job.read_text() else []
            done = self.place.run("plait", "run", job, *plugin, *data, "--max-steps", "1",
                                  "--set", "train.local_steps=1", "--progress", "none", "--run-dir", run)
            self.assertIn(done.returncode, (0, 75), done.stdout)  # 75: it ends in pretraining
            with (run / "resolved.txtpb").open() as resolved:
                done = subprocess.run(["protoc", f"--proto_path={self.work}", "--encode=Pipeline", "pipeline.proto"],
                                      stdin=resolved, capture_output=True)
            self.assertEqual(done.returncode, 0, f"{job}: {done.stderr.decode()}")
            self.assertGreater(len(done.stdout), 100)
            self.reads_without_plugins(done.stdout, run / "resolved.txtpb")

    def reads_without_plugins(self, binary, resolved):
        """The framework's own fields have the same numbers in the schema with plugins and in pipeline.proto."""
        done = subprocess.run(["protoc", f"--proto_path={ROOT / 'framework/pipeline'}", "--decode=plait.job.Pipeline", "pipeline.proto"],
                              input=binary, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        told, text = done.stdout.decode(), resolved.read_text()
        for field in ["name", "seed"]:
            self.assertEqual(re.findall(rf"^{field}: .*", told, re.M), re.findall(rf"^{field}: .*", text, re.M))
        self.assertEqual(re.findall(r"^layer \{\n  name: (.*)", told, re.M), re.findall(r"^layer \{ name: (\S+)", text, re.M))
        written = re.search(r"^train \{ (.*) \}$", text, re.M)
        inside = re.search(r"^train \{\n(.*?)^\}", told, re.M | re.S)
        if written:
            self.assertEqual(inside.group(1).split(), written.group(1).split())

    def test_a_run_knows_its_plugins(self):
        example, run = ROOT / "examples/custom_layer", self.work / "with_swish"
        self.build_plugin("cpp", (example / "acme_swish.cpp").read_text(), self.work, "its_swish")
        plugin = ["--plugin", self.work / "its_swish.plait.so"]
        self.succeeds("plait", "run", example / "train.txtpb", *plugin, "--var", f"data={self.place.data}", "--max-steps", "1",
                      "--set", "train.local_steps=1", "--progress", "none", "--run-dir", run)
        done = self.place.run("plait", "evaluate", run)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"the run had plugins that are not here: acme\.\S+ \S+ \(its_swish\.plait\.so\)")
        self.succeeds("plait", "evaluate", run, *plugin, "--locked", run / "plugins.lock")

    def references(self, schema):
        if isinstance(schema, dict):
            if isinstance(schema.get("$ref"), str):
                yield schema["$ref"].removeprefix("#/$defs/")
            schema = list(schema.values())
        if isinstance(schema, list):
            for inner in schema:
                yield from self.references(inner)

    def test_the_reference(self):
        folder = self.prefix / "share/doc/plait/reference"
        index = (folder / "README.md").read_text()
        for kind in self.inspected():
            page = f"{kind['kind']}/{kind['name']}.md"
            self.assertIn(f"({page})", index)
            text = (folder / page).read_text()
            self.assertIn(kind["doc"], text)
            self.assertNotIn(str(self.work), text)
            for field in kind["fields"]:
                self.assertIn(f"| `{field['name']}` |", text)

    # ------------------------------------------------------------------------------------------------ the lock

    def test_the_lock(self):
        lock, job = self.work / "plugins.lock", ROOT / "pipelines/mlp_fashion_mnist.txtpb"
        run = ["plait", "run", job, "--locked", lock, "--var", f"data={self.place.data}", "--max-steps", "1", "--set",
               "train.local_steps=1", "--progress", "none"]
        done = self.place.run(*run, "--run-dir", "unlocked")
        self.assertRegex(done.stdout, f'cannot read the lock.*{lock}')
        self.succeeds("plait", "doctor", "--lock", lock)
        lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), len(list((self.prefix / "lib/plait/plugins").glob("*.plait.so"))))
        for line in lines:
            self.assertRegex(line, r"^\S+ \S+ [0-9a-f]{64} \S+\.plait\.so$")
        self.succeeds(*run, "--run-dir", "locked")

        name, sha256 = lines[0].split()[3], lines[0].split()[2]
        lock.write_text("\n".join([lines[0].replace(sha256, "0" * 64), *lines[1:]]))
        done = self.place.run(*run, "--run-dir", "changed")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, rf'{name}" has sha256 {sha256}, but \S+ names {"0" * 64} for ')
        lock.write_text("\n".join(lines[1:]))
        done = self.place.run(*run, "--run-dir", "missing")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f'{name}" (sha256 {sha256}) is not in {lock}', done.stdout)
        lock.write_text("a line of something else\n")
        self.assertIn(f"{lock}:1: got", self.place.run(*run, "--run-dir", "broken").stdout)

    def test_a_library_that_is_not_locked_is_not_run(self):
        lock, spy = self.work / "spy.lock", self.work / "spy.c"
        self.succeeds("plait", "doctor", "--lock", lock)
        spy.write_text('#include <stdio.h>\n__attribute__((constructor)) static void begin(void) { fopen("spied", "w"); }\n')
        self.succeeds("gcc", "-shared", "-fPIC", spy, "-o", self.work / "spy.plait.so")
        words = ["plait", "run", ROOT / "pipelines/mlp_fashion_mnist.txtpb", "--plugin", self.work / "spy.plait.so"]
        self.assertIn("is not in", self.place.run(*words, "--locked", lock).stdout)
        self.assertFalse((self.work / "spied").exists())
        self.place.run(*words)
        self.assertTrue((self.work / "spied").exists())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
