"""Makes one C++ source of several: what they include once, then each in a namespace of its own.

`join_sources.py OUTPUT ROOT [--plugins] SOURCES...`: names of files in the result are relative to ROOT.
--plugins: every source is a plugin, whose entry and note get the name of the file: plait_plugin_v1_NAME, .note.plait.NAME.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')
APART = re.compile(r"\s*#\s*(if|ifdef|ifndef|define)\b|namespace [a-z]")
ENTRY = """#undef PLAIT_NOTE_SECTION
#define PLAIT_NOTE_SECTION section(".note.plait.{name}"), used, aligned(4)
#define plait_plugin_v1 plait_plugin_v1_{name}
"""


def parted(path):
    """The includes of a source, and its text with empty lines in their place."""
    includes, lines = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if APART.match(line):
            sys.exit(f"{path}:{number}: a source with #if, #define or a namespace of a name is compiled alone: configure again, "
                     "or say \"// Alone: <why>\" where its CMakeLists.txt asks for that")
        if match := INCLUDE.match(line):
            beside = path.parent / match[2]
            includes.append(f'"{beside}"' if match[1] == '"' and beside.exists() else line.split("include", 1)[1].strip())
            line = ""
        lines.append(line)
    return includes, "\n".join(lines)


def joined(root, sources, plugins):
    includes, bodies = {}, []
    for source in sources:
        found, text = parted(source)
        includes |= dict.fromkeys(found)
        name = re.sub(r"\W", "_", source.stem if plugins else str(source.relative_to(root)))
        entry, after = (ENTRY.format(name=name), "\n#undef plait_plugin_v1") if plugins else ("", "")
        bodies.append(f'{entry}namespace joined_{name} {{\n#line 1 "{source.relative_to(root)}"\n{text}\n}}{after}\n')
    # Paths in the tree are said from its root, so that two trees have one compiler cache.
    said = [f"#include {include}".replace(f'"{root}/', '"') for include in includes]
    return "\n".join(said) + "\n\n" + "\n".join(bodies)


def main(output, root, *rest):
    plugins = "--plugins" in rest
    sources = [pathlib.Path(word) for word in rest if word != "--plugins"]
    pathlib.Path(output).write_text(joined(pathlib.Path(root), sources, plugins))


if __name__ == "__main__":
    main(*sys.argv[1:])
