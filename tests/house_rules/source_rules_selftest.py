"""Every source rule is broken once in a small tree, and must say so, at the right file and for nothing else. What is not
of the project is not looked at, with git and without."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import source_rules  # noqa: E402

GOOD = {
    "CMakeLists.txt": "project(x)\n",
    "framework/base/status.h": "// base/: words.\n",
    "framework/base/library.cc": "// Libraries.\n#include <dlfcn.h>\nResult Library::open() {}\n",
    "framework/registry/registry.h": '// Plugins.\n#include "base/status.h"\nclass Registry {\n',
    "framework/README.md": "# The framework\n| a library | `base/library.cc` | `Library::open` |\n",
    "framework/base/README.md": "# Base\n`status.h`, `*.cc`.\n\nBegin with `status.h`. May include: none.\n",
    "framework/registry/README.md": "# Registry\n\nBegin with `registry.h`. May include: base.\n",
    "framework/plan/README.md": "# Plan\n\nBegin with `plan.h`. May include: base, registry.\n",
    "framework/plan/plan.h": "// Plans.\n",
    "framework/verify/README.md": "# Verify\n\nBegin with `laws.h`. May include: base.\n",
    "framework/verify/laws.h": "// Laws.\n",
    "plugins/layers/relu/CMakeLists.txt": "plait_add_plugin(relu KIND layers)\n",
    "plugins/layers/relu/README.md": "# relu\n",
    "plugins/layers/relu/relu.cc": "// y = max(x, 0)\n#include <plait/sdk.hpp>\n#include <dnnl.hpp>\n",
}

# rule -> (file, content) that breaks it
BAD = {
    "top_level_names": ("docs/a.md", "# a\n"),
    "include_direction": ("framework/base/up.h", '// Up.\n#include "registry/registry.h"\n'),
    "plugins_see_only_the_border": ("plugins/layers/relu/up.cc", '#include "base/status.h"\n'),
    "libraries_in_their_place": ("framework/plan/mpi.h", "// Plan.\n#include <mpi.h>\n"),
    "framework_names_no_plugin": ("framework/plan/fuse.cc", 'bool f = type == "plait.relu";\n'),
    "one_folder_one_plugin": ("plugins/layers/tanh/tanh.cc", "// y = tanh(x)\n"),
    "every_folder_says_its_job": ("plugins/layers/exp/CMakeLists.txt", "plait_add_plugin(exp KIND layers)\n"),
    "folders_have_pages": ("framework/verify/use.cc", '#include "registry/registry.h"\n'),
    "pages_name_what_exists": ("framework/README.md", "# It\n| a | `base/library.cc` | `Library::close` |\n"),
    "what_is_precompiled_is_included": ("framework/base/sorts.cc", "// Sorts.\nvoid f() { std::sort(a, b); }\n"),
    "headers_open_with_a_comment": ("framework/base/bare.h", "#pragma once\n"),
    "folders_have_namespaces": ("framework/verify/registry.h", "// Laws.\nnamespace plait {\n"),
    "file_names": ("framework/base/BigName.h", "// Big.\n"),
    "words": ("framework/base/later.h", "// TO" + "DO: later\n"),
    "line_length": ("framework/base/long.h", "// " + "x" * 120 + "\n"),
}
# Breaking one rule may leave a folder without its first line, or include what its page does not say; nothing else.
COMPANY = {"framework_names_no_plugin": {"every_folder_says_its_job"}, "include_direction": {"folders_have_pages"}}


def broken_with(files):
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        return source_rules.broken(root, list(files))


def write(root, files):
    for name, content in files.items():
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


# Beside the project: an editor's folder, an environment, notes; each breaks a rule if it is read.
FOREIGN = {".editor/BigName.h": "int x;\n", "venv/lib/site.py": "# TO" + "DO\n", "notes.md": "FIX" + "ME\n", "marker": "x\n"}


def wrong_beside_foreign_files():
    with tempfile.TemporaryDirectory() as root:
        write(root, {**GOOD, **FOREIGN})
        yield from (f"an archive with foreign files: {line}" for _, line in source_rules.broken(root))
    if shutil.which("git") is None:
        return
    with tempfile.TemporaryDirectory() as root:
        write(root, {**GOOD, BAD["words"][0]: BAD["words"][1]})
        for words in (["init", "-q"], ["add", "."]):
            subprocess.run(["git", "-C", root, *words], check=True)
        write(root, {**FOREIGN, "framework/base/new.cc": "// FIX" + "ME\n"})
        found = [name for name, _ in source_rules.broken(root)]
        if found != ["words"]:
            yield f"a checkout with foreign files: {found}, wanted the one rule that a tracked file breaks"


def main():
    failures = [f"the good tree breaks {line}" for line in broken_with(GOOD)]
    failures += wrong_beside_foreign_files()
    if set(BAD) != {rule.__name__ for rule in source_rules.RULES}:
        failures.append("a rule has no example that breaks it")
    for rule, (file, content) in BAD.items():
        found = broken_with({**GOOD, file: content})
        if not any(name == rule for name, _ in found):
            failures.append(f"{rule} is not found broken by {file}")
        for name, line in found:
            if name != rule and name not in COMPANY.get(rule, ()):
                failures.append(f"{rule}: {file} is also said to break {name}: {line}")
    print("\n".join(failures) or f"{len(BAD)} rules, each found broken")
    return bool(failures)


sys.exit(main())
