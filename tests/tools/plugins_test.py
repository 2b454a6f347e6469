"""How plugins are found and loaded, as a person meets it: what crashes, prints, hides, or is for another machine."""
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
HEADERS = ROOT / "framework/abi"
PLUGINS = pathlib.Path(os.environ["PLAIT_BUILD_DIR"]) / "lib/plait/plugins"
PROGRAM = pathlib.Path(shutil.which("plait"))
DRAFT = re.compile(r"#define PLAIT_ABI_DRAFT (\d+)")

# A layer that cannot be used: infer says who it is. BEGIN runs when the library is loaded.
SOURCE = """
#include <plait/note.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void begin(void) { %(begin)s }
static int infer(plait_context* context, const plait_layer_request* request, const plait_layer_builder* builder) {
  const plait_str text = {"this is version %(version)s", strlen("this is version %(version)s")};
  (void)request, (void)builder;
  context->fail(context, PLAIT_ERROR_INVALID, text);
  return PLAIT_FAILED;
}
static int create(plait_context* context, const plait_layer_request* request, const plait_layer_needs* needs, void** self) {
  (void)context, (void)request, (void)needs, (void)self;
  return PLAIT_FAILED;
}
static void destroy(void* self) { (void)self; }
static int forward(const void* self, plait_context* context, const plait_layer_call* call) {
  (void)self, (void)context, (void)call;
  return PLAIT_FAILED;
}
static const plait_layer_rules rules = {.struct_size = sizeof rules, .min_inputs = 1, .max_inputs = 1, .infer = infer};
static const plait_layer_ops ops = {.struct_size = sizeof ops, .create = create, .destroy = destroy, .forward = forward};
static const plait_type type = {.struct_size = sizeof type, .kind = "layer", .id = "acme.%(name)s", .doc = "says who it is",
                                .rules = &rules};
static const plait_type* const types[] = {&type};
static const plait_implementation made = {.struct_size = sizeof made, .type_id = "acme.%(name)s",
                                          .device_id = PLAIT_HOST_DEVICE, .ops = &ops};
static const plait_implementation* const implementations[] = {&made};
static const plait_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = PLAIT_ABI_MINOR,
                                    .abi_draft = PLAIT_ABI_DRAFT, .id = "acme.%(name)s", .version = "%(version)s",
                                    .license = "MIT", .n_types = 1, .n_implementations = 1, .types = types,
                                    .implementations = implementations};
%(note)s
__attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host* host) {
  (void)host;
  return &plugin;
}
"""
SDK_SOURCE = """
#include <plait/sdk.hpp>
using namespace plait::sdk;
struct Twice {
  static void describe(Describe<Twice>& d) { d.doc("2 x"); }
  void forward(Context&, In x, Out y) const { for (size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i]; }
  void backward(Context&, In, In dy, Out dx) const { for (size_t i = 0; i < dy.size(); ++i) dx[i] = 2 * dy[i]; }
};
PLAIT_PLUGIN("acme.twice", "1.0.0", "MIT", layer<Twice>("acme.twice"));
"""
NOTE = 'PLAIT_NOTE("acme.%(name)s", "%(version)s", 0, PLAIT_NOTE_SERVES("layer", "acme.%(name)s"));'
# Whether MPI is in the process that loads the library, before it ends it.
ASK_FOR_MPI = """
  FILE* maps = fopen("/proc/self/maps", "r");
  FILE* log = fopen(getenv("LOG"), "a");
  char line[4096];
  const char* found = "without MPI\\n";
  while (fgets(line, sizeof line, maps)) if (strstr(line, "libmpi")) found = "with MPI\\n";
  fputs(found, log), fclose(log), abort();
"""
LOG = 'FILE* log = fopen(getenv("LOG"), "a"); fputs("loaded\\n", log); fclose(log);'
JOB = """source { idx { images: "images" labels: "labels" classes: 3 } }
%(more)s
layer { name: "a" input: "image" %(layer)s }
loss { softmax_cross_entropy {} }
optimizer { sgd {} }
train { shards: 2 batch: 4 epochs: 1 }
"""


class PluginsTest(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.work)
        (self.work / "images").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 2]) + bytes(range(96)))
        (self.work / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 24]) + bytes(i % 3 for i in range(24)))
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.work / "cache"),
                            "XDG_DATA_HOME": str(self.work / "data"), "LOG": str(self.work / "log")}
        self.environment.pop("PLAIT_PLUGIN_PATH", None)

    def build(self, folder, name="who", version="1.0", begin="", note="", headers=HEADERS):
        (self.work / folder).mkdir(parents=True, exist_ok=True)
        library = self.work / folder / f"{name}.plait.so"
        words = {"name": name, "version": version, "begin": begin}
        source = self.work / "source.c"
        source.write_text(SOURCE % {**words, "note": note % words})
        subprocess.run(["cc", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", "-s", "-ffunction-sections",
                        "-fdata-sections", "-Wl,--gc-sections", "-I", headers, source, "-o", library], check=True)
        return library

    def job(self, layer="[acme.who] {}", more=""):
        (self.work / "job.txtpb").write_text(JOB % {"layer": layer, "more": more})
        return "job.txtpb"

    def plait(self, *words, status=0, program="plait", **environment):
        """What is printed, and what is said on standard error."""
        done = subprocess.run([program, *map(str, words)], cwd=self.work, text=True, capture_output=True, timeout=120,
                              env={**self.environment, **{k: str(v) for k, v in environment.items()}})
        self.assertEqual(done.returncode, status, f"plait {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    # ------------------------------------------------------------------------------------- crashes

    def test_a_crashing_file_in_a_folder_costs_a_line(self):
        self.build("stray", "stray", begin='fputs("out of luck\\n", stderr); abort();')
        job = self.job("dense { units: 3 }")
        alone, said = self.plait("check", job)
        self.assertEqual(said, "")
        with_stray, said = self.plait("check", job, PLAIT_PLUGIN_PATH=self.work / "stray")
        # What the process holds is measured, and differs by pages from one process to the next.
        self.assertEqual(re.sub(r"[0-9.]+ MiB", "MiB", with_stray), re.sub(r"[0-9.]+ MiB", "MiB", alone))
        self.assertRegex(said, r'^plait: warning: not loaded: ".*stray\.plait\.so" crashes when it is loaded: SIGABRT '
                               r'\(Aborted\); it says "out of luck"\n$')

    def test_a_named_file_that_crashes_is_an_error(self):
        for begin, words in [("*(volatile int*)0 = 1;", "crashes when it is loaded: SIGSEGV"),
                             ("exit(0);", "ends the program with status 0 when it is loaded")]:
            library = self.build("named", begin=begin)
            _, said = self.plait("inspect", "--plugin", library, status=1)
            self.assertIn(f'plait: "{library}" {words}', said)

    # ------------------------------------------------------------------------------------- the cache

    def loads(self, *words, **environment):
        """How often a library that writes a line when it is loaded is loaded by one command."""
        (self.work / "log").write_text("")
        self.plait(*words, **environment)
        return (self.work / "log").read_text().count("loaded")

    def test_what_has_loaded_is_not_tried_again(self):
        library = self.build("logs", begin=LOG)
        words = ["inspect", "acme.who", "--plugin", library]
        self.assertEqual(self.loads(*words), 2)  # in the child and here
        self.assertEqual(self.loads(*words), 1)
        self.build("logs", begin=LOG)
        self.assertEqual(self.loads(*words), 2)
        self.assertEqual(self.loads(*words), 1)
        cache = self.work / "cache/plait/loads.txt"
        cache.write_bytes(cache.read_bytes()[:-1])
        cache.write_bytes(b"\0" + cache.read_bytes())
        self.assertEqual(self.loads(*words), 2)
        self.assertEqual(self.loads(*words), 1)
        self.assertEqual(self.loads("doctor", "--plugin", library), 2)  # believes nobody

    def test_without_a_cache_everything_is_tried(self):
        library = self.build("logs", begin=LOG)
        words = ["inspect", "acme.who", "--plugin", library]
        for _ in range(2):
            self.assertEqual(self.loads(*words, XDG_CACHE_HOME=self.work / "images/below_a_file"), 2)
            self.assertEqual(self.loads(*words, XDG_CACHE_HOME="", HOME=""), 2)

    def test_a_failure_is_not_remembered(self):
        library = self.build("moody", begin='if (getenv("MOODY")) abort();')
        for _ in range(2):
            _, said = self.plait("inspect", "--plugin", library, status=1, MOODY=1)
            self.assertIn("SIGABRT", said)
        self.plait("inspect", "acme.who", "--plugin", library)

    def test_what_crashes_although_it_once_loaded_is_named_by_doctor_and_forgotten(self):
        library = self.build("moody", begin='if (getenv("MOODY")) abort();')
        self.plait("inspect", "acme.who", "--plugin", library)
        said, _ = self.plait("doctor", "--plugin", library, status=1, MOODY=1)
        self.assertRegex(said, r'WRONG: ".*who\.plait\.so" crashes when it is loaded: SIGABRT')
        _, said = self.plait("inspect", "--plugin", library, status=1, MOODY=1)
        self.assertIn("SIGABRT", said)

    def test_ranks_that_begin_at_once(self):
        library = self.build("logs", begin=LOG)
        commands = [subprocess.Popen([PROGRAM, "inspect", "acme.who", "--plugin", library], env=self.environment,
                                     stdout=subprocess.DEVNULL) for _ in range(8)]
        self.assertEqual([command.wait() for command in commands], [0] * 8)
        self.assertEqual(self.loads("inspect", "acme.who", "--plugin", library), 1)
        self.assertEqual(os.listdir(self.work / "cache/plait"), ["loads.txt"])

    # ------------------------------------------------------------------------------------- what is printed

    def test_a_greeting_is_kept_out_of_the_output(self):
        library = self.build("greets", begin='puts("hello");')
        for _ in range(2):
            printed, said = self.plait("inspect", "--json", "--plugin", library)
            self.assertIn("acme.who", [one["id"] for one in json.loads(printed)["types"]])
            self.assertEqual(said, "hello\n")

    # ------------------------------------------------------------------------------------- the note

    def other_draft(self):
        other = self.work / "other_draft"
        shutil.copytree(HEADERS / "plait", other / "plait")
        subprocess.run(["chmod", "-R", "u+w", other], check=True)  # the tree may be read-only
        header = other / "plait/abi.h"
        header.write_text(DRAFT.sub("#define PLAIT_ABI_DRAFT 999", header.read_text()))
        return other

    def test_a_library_of_another_draft_is_refused_before_it_runs_and_says_what_it_would_serve(self):
        folder = self.build("old", "swish", begin=LOG, note=NOTE, headers=self.other_draft()).parent
        _, said = self.plait("check", self.job("[acme.swish] {}"), status=1, PLAIT_PLUGIN_PATH=folder)
        self.assertIn(f'"acme.swish" is provided by "{folder}/swish.plait.so", which did not load: ', said)
        self.assertIn("was built for draft 999 of the ABI", said)
        said, _ = self.plait("doctor", status=1, PLAIT_PLUGIN_PATH=folder)
        self.assertIn("was built for draft 999 of the ABI", said)
        self.assertIn("it would serve layer acme.swish", said)
        self.assertFalse((self.work / "log").exists(), "its code ran")

    def test_a_library_that_crashes_says_what_it_would_serve(self):
        folder = self.build("new", "swish", begin="abort();", note=NOTE).parent
        _, said = self.plait("inspect", "acme.swish", status=1, PLAIT_PLUGIN_PATH=folder)
        self.assertIn(f'"acme.swish" is provided by "{folder}/swish.plait.so", which did not load: ', said)

    def has_note(self, library):
        printed = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
        self.assertIn("Plait", printed, library)

    def test_the_notes_of_the_shipped_plugins(self):
        for library in sorted(PLUGINS.glob("*.plait.so")):
            self.has_note(library)

    def test_the_note_of_the_sdk_is_kept_by_every_compiler_and_linker(self):
        (self.work / "swish.cc").write_text(SDK_SOURCE)
        for compiler, more in [("g++", "-s"), ("clang++", "-s"), ("g++", "-fsanitize=undefined"),
                               ("clang++", "-fsanitize=address")]:
            if not shutil.which(compiler):
                continue
            library = self.work / f"{compiler}.plait.so"
            subprocess.run([compiler, more, "-std=c++20", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
                            "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-I", HEADERS, "-I",
                            ROOT / "framework/sdk", self.work / "swish.cc", "-o", library], check=True)
            self.has_note(library)
            if more == "-s":
                printed, _ = self.plait("verify", library, "--only", ": note$")
                self.assertIn("1 passed", printed)

    # ------------------------------------------------------------------------------------- files that are none

    def test_each_has_a_reason_in_words(self):
        folder = self.work / "odd"
        folder.mkdir()
        (folder / "text.plait.so").write_text("hello\n")
        (folder / "void.plait.so").write_text("")
        (folder / "gone.plait.so").symlink_to("elsewhere.plait.so")
        (folder / "folder.plait.so").mkdir()
        good = (PLUGINS / "relu.plait.so").read_bytes()
        machine = 183 if good[18] == 62 else 62
        (folder / "arm.plait.so").write_bytes(good[:18] + bytes([machine]) + good[19:])
        (folder / "half.plait.so").write_bytes(good[:len(good) // 3])
        (folder / "open.plait.so").write_bytes(good)
        (folder / "open.plait.so").chmod(0o666)
        said, _ = self.plait("doctor", "--plugin", folder, status=1)
        for file, words in [("text", "it is no ELF library"), ("void", "it is empty"),
                            ("gone", 'is a link to "elsewhere.plait.so", which is not there'),
                            ("folder", "is a folder, not a library"), ("arm", r"is a library for \S+, this machine is \S+"),
                            ("half", r"is cut short: it has \d+ bytes, wanted \d+"), ("open", "anyone may write to it")]:
            self.assertRegex(said, rf'WRONG: ".*{file}\.plait\.so" .*{words}')
        self.assertIn("7 things are wrong.", said)

    def test_a_file_that_may_not_be_read(self):
        library = self.build("secret")
        library.chmod(0)
        if os.access(library, os.R_OK):
            self.skipTest("this user may read everything")
        said, _ = self.plait("doctor", "--plugin", library, status=1)
        self.assertIn("cannot be read: Permission denied", said)

    def test_a_folder_without_plugins(self):
        (self.work / "empty").mkdir()
        _, said = self.plait("inspect", "--plugin", "empty", status=1)
        self.assertIn("--plugin empty: there is no *.plait.so in this folder", said)
        said, _ = self.plait("doctor", "--plugin", "empty", status=1)
        self.assertIn("WRONG: --plugin empty: there is no *.plait.so in this folder", said)

    # ------------------------------------------------------------------------------------- the order of the search

    def test_the_earlier_place_wins(self):
        prefix = self.work / "prefix"
        (prefix / "bin").mkdir(parents=True)
        shutil.copy(PROGRAM, prefix / "bin/plait")
        places = ["named", "of_file", "environment", "data/plait/plugins/1", "prefix/lib/plait/plugins"]
        for number, place in enumerate(places, 1):
            self.build(place, version=f"{number}.0")
        for library in PLUGINS.glob("*.plait.so"):
            (prefix / "lib/plait/plugins" / library.name).symlink_to(library)
        shutil.move(self.work / "data", self.work / "away")
        words, more, environment = [], "", {}
        # From the last place to the first: each takes over from those after it.
        for number in [5, 4, 3, 2, 1]:
            if number == 4:
                shutil.move(self.work / "away", self.work / "data")
            elif number == 3:
                environment["PLAIT_PLUGIN_PATH"] = self.work / "environment"
            elif number == 2:
                more, words = 'plugin_path: "of_file"', ["--trust"]
            elif number == 1:
                words = ["--trust", "--plugin", self.work / "named"]
            _, said = self.plait("check", self.job(more=more), *words, status=1, program=prefix / "bin/plait", **environment)
            self.assertIn(f"this is version {number}.0", said)
        said, _ = self.plait("doctor", "--plugin", "named", program=prefix / "bin/plait", **environment)
        self.assertIn(f"{self.work}/environment/who.plait.so (acme.who 3.0) by named/who.plait.so (acme.who 1.0)", said)
        self.assertIn("who.plait.so (acme.who 5.0) by named/who.plait.so (acme.who 1.0)", said)

    # ------------------------------------------------------------------------------------- ranks

    def two_ranks(self, *second):
        """Trains on two ranks, of which the second begins with the words `second`."""
        words = ["plait", "run", self.job("dense { units: 3 }"), "--run-dir", "run", "--progress", "none"]
        command = ["mpirun", "-n", "1", *words, ":", "-n", "1", *second, *words]
        done = subprocess.run(command, cwd=self.work, text=True, capture_output=True, timeout=120, env=self.environment)
        return done.returncode, done.stdout + done.stderr

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_ranks_try_plugins_before_mpi_starts_and_warn_once(self):
        self.build("stray", "stray", begin=ASK_FOR_MPI)
        self.environment["PLAIT_PLUGIN_PATH"] = str(self.work / "stray")
        status, said = self.two_ranks()
        self.assertEqual(status, 0, said)
        self.assertEqual(said.count("warning: not loaded"), 1, said)
        self.assertEqual((self.work / "log").read_text(), "without MPI\n" * 2)

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_a_rank_with_another_plugin_is_refused(self):
        self.build("other")
        status, said = self.two_ranks("env", f"PLAIT_PLUGIN_PATH={self.work}/other")
        self.assertEqual(status, 1, said)
        self.assertRegex(said, r"the plugins: rank 1 on \S+ has .*acme\.who.*, which rank 0 on \S+ has not")
        self.assertFalse((self.work / "run/summary.json").exists())

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_a_rank_with_another_program_is_refused(self):
        other = self.work / "other/bin/plait"
        other.parent.mkdir(parents=True)
        other.write_bytes(PROGRAM.read_bytes() + b"\0")
        other.chmod(0o755)
        (self.work / "other/lib").symlink_to(PROGRAM.parent.parent / "lib")
        status, said = self.two_ranks("env", f"PATH={other.parent}:{os.environ['PATH']}")
        self.assertEqual(status, 1, said)
        self.assertRegex(said, r"the program: rank 1 on \S+ has plait .*sha256 \w{64}, rank 0 on \S+ has plait .*sha256")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
