"""Every source rule is broken once in a small tree, and must say so, at the right file and for nothing else."""
import pathlib
import sys
import tempfile

import source_rules

GOOD = {
    "CMakeLists.txt": "project(x)\n",
    "framework/base/status.h": "// base/: words.\n",
    "framework/registry/library.h": '// Libraries.\n#include "base/status.h"\n#include <dlfcn.h>\nclass Library {\n',
    "plugins/layers/relu/CMakeLists.txt": "plait_add_plugin(relu KIND layers)\n",
    "plugins/layers/relu/README.md": "# relu\n",
    "plugins/layers/relu/relu.cc": "// y = max(x, 0)\n#include <plait/sdk.hpp>\n#include <dnnl.hpp>\n",
}

# rule -> (file, content) that breaks it
BAD = {
    "top_level_names": ("docs/a.md", "# a\n"),
    "include_direction": ("framework/base/up.h", '// Up.\n#include "registry/library.h"\n'),
    "plugins_see_only_the_border": ("plugins/layers/relu/up.cc", '#include "base/status.h"\n'),
    "libraries_in_their_place": ("framework/plan/mpi.h", "// Plan.\n#include <mpi.h>\n"),
    "framework_names_no_plugin": ("framework/plan/fuse.cc", 'bool f = type == "plait.relu";\n'),
    "one_folder_one_plugin": ("plugins/layers/tanh/tanh.cc", "// y = tanh(x)\n"),
    "every_folder_says_its_job": ("framework/plan/plan.cc", "int x;\n"),
    "headers_open_with_a_comment": ("framework/base/bare.h", "#pragma once\n"),
    "one_type_one_name": ("framework/verify/library.h", "// Laws.\nstruct Library : Law {\n"),
    "file_names": ("framework/base/BigName.h", "// Big.\n"),
    "words": ("framework/base/later.h", "// TO" + "DO: later\n"),
    "line_length": ("framework/base/long.h", "// " + "x" * 120 + "\n"),
}
# Breaking one rule may leave a folder without its first line; nothing else may be said.
COMPANY = {"framework_names_no_plugin": {"every_folder_says_its_job"}}


def broken_with(files):
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return source_rules.broken(root)


def main():
    failures = [f"the good tree breaks {line}" for line in broken_with(GOOD)]
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
