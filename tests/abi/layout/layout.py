"""Lays out every struct of the border's headers and says whether a change of them is an append.

    layout.py check ROOT   the record and the kept headers tell the truth; status 0 when they do
    layout.py write ROOT   records appends; after PLAIT_ABI_DRAFT was raised, records the new draft and keeps its headers

The record is tests/abi/layout_1_0_draft.txt: a line for each struct with its size, for each member with its offset, size and
declaration, and for each constant with its value. While the draft's number stays, nothing in it may change. What may
come: structs, constants, and members past the end of a struct that begins with struct_size.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HEADERS, RECORD, KEPT = "framework/abi/plait", "tests/abi/layout_1_0_draft.txt", "tests/abi/headers/1.0-draft.{}/plait"

STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\n\} \1;", re.DOTALL)
CONSTANTS = re.compile(r"\benum \{(.*?)\};", re.DOTALL)
TYPEDEF = re.compile(r"typedef (?!struct)([^;]*;)")


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def members(body):
    """[(name, declaration)]: "double low, high" is two members of one declaration."""
    found = []
    for declaration in (" ".join(part.split()) for part in body.split(";")):
        if not declaration:
            continue
        if function := re.search(r"\(\*(\w+)\)", declaration):
            found.append((function[1], declaration))
        else:
            found += [(re.search(r"(\w+)(\[\w+\])?$", part.strip())[1], declaration) for part in declaration.split(",")]
    return found


def constants(text):
    named = [name for body in CONSTANTS.findall(text) for name in re.findall(r"(?:^|,)\s*(PLAIT_\w+)", body)]
    return named + re.findall(r"^#define (PLAIT_(?!ABI_MINOR)\w+) \d+$", text, re.MULTILINE)


def program(names, text):
    """A C program that prints the record of the headers `names`, whose text is `text`."""
    lines = [f"#include <plait/{name}>" for name in names] + ["#include <stdio.h>", "int main(void) {"]
    for name, body in STRUCT.findall(text):
        lines.append(f'  printf("struct {name} %zu\\n", sizeof({name}));')
        for member, declaration in members(body):
            place = f"offsetof({name}, {member}), sizeof((({name}*)0)->{member})"
            lines.append(f'  printf("  {member} %zu %zu  {declaration}\\n", {place});')
    for name in constants(text):
        lines.append(f'  printf("constant {name} %lld\\n", (long long){name});')
    for quoted in re.findall(r'^#define (PLAIT_\w+ "[^"]*")$', text, re.MULTILINE):
        lines.append('  puts("text {}");'.format(quoted.replace('"', '\\"')))
    for declaration in TYPEDEF.findall(text):
        lines.append(f'  puts("type {" ".join(declaration.split())}");')
    return "\n".join(lines + ["  return 0;", "}"]) + "\n"


def layout(folder):
    """The record of the headers in `folder`, which is named plait."""
    headers = sorted(folder.glob("*.h"))
    text = without_comments("\n".join(header.read_text() for header in headers))
    with tempfile.TemporaryDirectory() as work:
        source, binary = pathlib.Path(work, "layout.c"), pathlib.Path(work, "layout")
        source.write_text(program([header.name for header in headers], text))
        subprocess.run(["cc", "-std=gnu11", "-I", folder.parent, "-o", binary, source], check=True)
        return subprocess.run([binary], check=True, stdout=subprocess.PIPE, text=True).stdout


def parsed(record):
    """{struct: (size, {member: (offset, size, declaration)})}, {any other name: its line}"""
    structs, others, struct = {}, {}, None
    for line in record.splitlines():
        words = line.split(maxsplit=3)
        if line.startswith("struct "):
            struct = {}
            structs[words[1]] = (int(words[2]), struct)
        elif line.startswith("  "):
            struct[words[0]] = (int(words[1]), int(words[2]), words[3])
        else:
            others[f"{words[0]} {words[1]}" if words[0] != "type" else line] = line
    return structs, others


def draft_of(record):
    return int(re.search(r"^constant PLAIT_ABI_DRAFT (\d+)$", record, re.MULTILINE)[1])


def changes(old, new):
    """What in `new` is no append to `old`, in words."""
    (old_structs, old_others), (new_structs, new_others) = parsed(old), parsed(new)
    for name, line in old_others.items():
        if new_others.get(name) != line:
            yield f"{name}: was \"{line}\", is \"{new_others.get(name, 'gone')}\""
    for name, (size, known) in old_structs.items():
        if name not in new_structs:
            yield f"struct {name} is gone"
            continue
        new_size, present = new_structs[name]
        for member, place in known.items():
            if present.get(member) != place:
                yield f"{name}.{member}: was {place}, is {present.get(member, 'gone')}"
        added = {member: place for member, place in present.items() if member not in known}
        for member, place in added.items():
            if place[0] < size:
                yield f"{name}.{member}: is at byte {place[0]}, wanted {size} or later: an older struct ends there"
        if added and "struct_size" not in known:
            yield f"{name}: has no struct_size and can never grow"
        if not added and new_size != size:
            yield f"{name}: was {size} bytes, is {new_size}"


def check(root):
    record, now = (root / RECORD).read_text(), layout(root / HEADERS)
    if draft_of(record) != draft_of(now):
        return [f"{HEADERS} is draft {draft_of(now)}, {RECORD} records draft {draft_of(record)}: record it (layout.py write)"]
    kept = layout(root / KEPT.format(draft_of(record)))
    wrong = list(changes(record, now)) + [f"the kept headers: {line}" for line in changes(kept, record)]
    if not wrong and record != now:
        wrong = [f"{HEADERS} has grown: record it (layout.py write)"]
    return wrong


def write(root):
    now = layout(root / HEADERS)
    if (root / RECORD).exists() and draft_of((root / RECORD).read_text()) == draft_of(now):
        if wrong := list(changes((root / RECORD).read_text(), now)):
            return wrong + ["nothing is recorded: only a higher PLAIT_ABI_DRAFT may change what is there"]
    kept = root / KEPT.format(draft_of(now))
    if not kept.exists():
        shutil.copytree(root / HEADERS, kept)
    (root / RECORD).write_text(now)
    return []


if __name__ == "__main__":
    found = {"check": check, "write": write}[sys.argv[1]](pathlib.Path(sys.argv[2]))
    for line in found:
        print(line)
    sys.exit(bool(found))
