"""Reads the tree and says where it breaks a rule of the house. `source_rules.py ROOT`: status 0 when it breaks none.

Each rule is a function from a Tree to lines "path:line: what is wrong"; RULES lists them in the order of reading.
What git tracks is read, or in an unpacked archive what lies in the places that the top level has: an editor's folder or
a virtual environment beside them is nobody's fault.
"""
import fnmatch
import pathlib
import posixpath
import re
import subprocess
import sys

# framework/ in order of dependency: a folder includes only folders to its left, or itself.
LADDER = ["base", "io", "abi", "sdk", "registry", "pipeline", "plan", "graph", "verify", "cluster", "mapreduce", "train", "report", "cli"]

TOP_LEVEL = {"framework", "plugins", "pipelines", "examples", "tests", "CMakeLists.txt", "README.md",
             "CMakePresets.json", "LICENSE", ".clang-format", ".gitignore", ".ci"}
NOT_SOURCES = {".git", ".deps", "build", "runs"}  # where there is no git

# header -> the folders that may include it
PLACES = [
    (re.compile(r"dlfcn\.h$"), ["framework/base/library.cc", "framework/verify/heap_watch/"]),
    (re.compile(r"google/protobuf/|\.pb\.h$"), ["framework/pipeline/", "framework/train/checkpoint_state.cc"]),
    (re.compile(r"flow_graph\.h$"), ["framework/graph/", "framework/mapreduce/"]),
    (re.compile(r"mpi(-ext)?\.h$"), ["framework/cluster/"]),
    (re.compile(r"dnnl"), ["plugins/", "framework/sdk/"]),
    (re.compile(r"boost/program_options"), ["framework/cli/"]),
    (re.compile(r"boost/asio"), ["framework/io/"]),
    (re.compile(r"zlib\.h$|jpeglib\.h$|png\.h$|cudnn"), ["plugins/"]),
    (re.compile(r"cuda"), ["plugins/", "framework/sdk/", "framework/templates/cuda/", "tests/scaffold/fake_cuda/"]),
]

# Headers that are compiled once for all (framework/cmake/precompiled/), and so may be used where they were forgotten -> the
# names by which that is seen.
PRECOMPILED = {
    "algorithm": r"std::(stable_)?sort\(|std::find(_if)?\(|std::(max|min)_element\(|std::(copy|fill)(_n)?\(|std::transform\(|"
                 r"std::(any|all|none)_of\(|std::count(_if)?\(|std::(reverse|equal|clamp|rotate)\(|std::(lower|upper)_bound\(",
    "array": r"std::array<",
    "atomic": r"std::atomic(<|_\w)",
    "chrono": r"std::chrono::",
    "cmath": r"std::(sqrt|exp|expm1|log|log1p|log2|pow|sin|cos|tanh|abs|floor|ceil|l?lround|round|fma|ldexp|isnan|isfinite)\(",
    "cstring": r"std::(mem(cpy|set|cmp|move)|str(len|n?cmp|r?chr|error))\(",
    "filesystem": r"std::filesystem::",
    "functional": r"std::function<",
    "limits": r"std::numeric_limits<",
    "map": r"std::(multi)?map<",
    "memory": r"std::(unique|shared|weak)_ptr<|std::make_(unique|shared)\b",
    "mutex": r"std::(mutex|lock_guard|unique_lock|scoped_lock|once_flag)\b",
    "optional": r"std::(optional<|nullopt)",
    "set": r"std::(multi)?set<",
    "span": r"std::span<",
    "string": r"std::(string|to_string)\b",
    "string_view": r"std::string_view\b",
    "vector": r"std::vector<",
    "fmt/.*": r"\bfmt::",
    "plait/sdk.*": r"^PLAIT_PLUGIN\(",
    "doctest/.*": r"\bTEST_CASE\(",
}
PRECOMPILED = {header: re.compile(names, re.MULTILINE) for header, names in PRECOMPILED.items()}

CODE = {".h", ".hpp", ".cc", ".c"}
WORDED = CODE | {".cu", ".md", ".txt", ".cmake", ".sh", ".py", ".proto", ".txtpb", ".json", ""}

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|stub|placeholder)\b", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])/(work|root|home)/\w|\b(pypi\.org|pythonhosted\.org|debian\.org|ubuntu\.com)\b")
MAKING = re.compile(r"\bAI\b|\blanguage model\b|\bissue #?\d+|\bsubagent\b|\bthis session\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
BEGIN = re.compile(r"^Begin with `([^`]+)`\. May include: ([a-z, ]+)\.$")
PAGE = re.compile(r"^framework/([\w]+/)?README\.md$")
WRITTEN_FOR_AUTHORS = ("framework/sdk/", "framework/abi/", "framework/templates/")  # whose files they name
NAMED_FILE = re.compile(r"`([\w./*-]+\.(?:h|hpp|cc|proto|md|cmake))`")
HOP = re.compile(r"^\| .* \| `([\w./]+)` \| `([\w:]+)` \|$")
SNAKE = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_.]+)?$")


def tracked(root):
    """Paths that git tracks in the tree at `root`, or None where it is no checkout or there is no git."""
    if not (root / ".git").exists():
        return None
    # Whoever runs the tests need not own the checkout.
    command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z"]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout.decode(errors="surrogateescape").split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        return None


def unpacked(root):
    """The files of an unpacked archive."""
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if name.parts[0] in TOP_LEVEL - NOT_SOURCES and "__pycache__" not in name.parts:
            yield str(name)


class Tree:
    """The files of a tree by their path relative to its root, read once. `names`: which; None: see above."""

    def __init__(self, root, names=None):
        self.root = pathlib.Path(root)
        if names is None:
            names = tracked(self.root)
        if names is None:
            names = unpacked(self.root)
        names = sorted(name for name in names if (self.root / name).is_file())
        self.reached = {}  # a file -> the headers that it sees; see headers_reached
        self.top = sorted({name.split("/")[0] for name in names})
        self.lines = {name: (self.root / name).read_text(encoding="utf-8", errors="replace").splitlines()
                      for name in names if pathlib.PurePath(name).suffix in WORDED}

    def files(self, under="", suffixes=CODE):
        return [f for f in self.lines if f.startswith(under) and pathlib.PurePath(f).suffix in suffixes]

    def includes(self, file):
        """(line number, quote or angle, header) of every include of `file`."""
        for number, line in enumerate(self.lines[file], 1):
            if match := INCLUDE.match(line):
                yield number, match[1], match[2]

    def plugin_folders(self):
        return sorted({"/".join(f.split("/")[:3]) for f in self.lines
                       if f.startswith("plugins/") and f.count("/") >= 3})


def top_level_names(tree):
    for name in tree.top:
        if name not in TOP_LEVEL:
            yield f"{name}: not one of the names of the top level"


def include_direction(tree):
    for file in tree.files("framework/"):
        folder = file.split("/")[1]
        if folder not in LADDER:
            continue
        for number, _, header in tree.includes(file):
            target = target_of(header)
            if target and LADDER.index(target) > LADDER.index(folder):
                yield f"{file}:{number}: {folder}/ includes {header}, which comes after it"


def plugins_see_only_the_border(tree):
    for file in tree.files("plugins/") + tree.files("examples/"):
        for number, _, header in tree.includes(file):
            if header.split("/")[0] in LADDER:
                yield f"{file}:{number}: a plugin includes {header}; it may see <plait/...> alone"
            if header.startswith("../"):
                yield f"{file}:{number}: {header} leaves the plugin's folder"


def libraries_in_their_place(tree):
    for file in tree.files("framework/") + tree.files("plugins/"):
        for number, _, header in tree.includes(file):
            for pattern, folders in PLACES:
                if pattern.search(header) and not any(file.startswith(f) for f in folders):
                    yield f"{file}:{number}: {header} may be included only in {', '.join(folders)}"


def framework_names_no_plugin(tree):
    for folder in tree.plugin_folders():
        name = folder.split("/")[2]
        quoted = re.compile(rf'"plait\.{re.escape(name)}"')
        for file in tree.files("framework/"):
            if file.endswith("_test.cc"):
                continue
            for number, line in enumerate(tree.lines[file], 1):
                if quoted.search(line):
                    yield f"{file}:{number}: the framework names the plugin {name}"


def one_folder_one_plugin(tree):
    for folder in tree.plugin_folders():
        calls = sum("plait_add_plugin(" in line for line in tree.lines.get(f"{folder}/CMakeLists.txt", []))
        if calls != 1:
            yield f"{folder}/CMakeLists.txt: {calls} calls of plait_add_plugin, wanted 1"


def every_folder_says_its_job(tree):
    framework = [f"framework/{f}" for f in LADDER if tree.files(f"framework/{f}/")]
    for folder in framework + tree.plugin_folders():
        if not any(says_something(tree, f) for f in tree.lines if f.startswith(folder + "/")):
            yield f"{folder}: neither a README.md nor a header says in its first line what the folder is for"


def says_something(tree, file):
    """A README.md with a first line, or a source whose first line is a comment."""
    first = tree.lines[file][0] if tree.lines[file] else ""
    if file.endswith("/README.md"):
        return bool(first.strip())
    return pathlib.PurePath(file).suffix in CODE and re.match(r"(//|/\*)\s*\w", first) is not None


def target_of(header):
    """The folder of framework/ that an include reaches, or None."""
    folder = header.split("/")[0]
    if folder == "plait":
        folder = "sdk" if header.endswith(".hpp") else "abi"
    return folder if folder in LADDER else None


def folders_have_pages(tree):
    """A page says where to begin and what may be included, and the sources include no more."""
    for folder in [f for f in LADDER if tree.files(f"framework/{f}/")]:
        page = f"framework/{folder}/README.md"
        said = next((match for line in tree.lines.get(page, []) if (match := BEGIN.match(line))), None)
        if said is None:
            yield f'{page}: wanted a line "Begin with `FILE`. May include: FOLDERS." (or none)'
            continue
        if f"framework/{folder}/{said[1]}" not in tree.lines:
            yield f"{page}: there is no {said[1]} to begin with"
        may = set() if said[2] == "none" else set(said[2].split(", "))
        for other in sorted(may - set(LADDER[:LADDER.index(folder)])):
            yield f"{page}: {other} is not above {folder} in the order of dependency"
        for file in tree.files(f"framework/{folder}/"):
            for number, _, header in tree.includes(file):
                if (target := target_of(header)) and target != folder and target not in may:
                    yield f"{file}:{number}: includes {header}, and {page} does not say so"


def pages_name_what_exists(tree):
    """Files that pages of framework/ name between backticks are there, and so are functions in rows "| hop | file | function |"."""
    pages = [f for f in tree.lines if PAGE.match(f) and not f.startswith(WRITTEN_FOR_AUTHORS)]
    for page in pages:
        folder = page.rsplit("/", 1)[0]
        for number, line in enumerate(tree.lines[page], 1):
            for name in NAMED_FILE.findall(line):
                places = [posixpath.normpath(f"{root}/{name}") for root in (folder, "framework", ".")]
                if not any(fnmatch.filter(tree.lines, place) for place in places):
                    yield f"{page}:{number}: there is no {name}"
            if (row := HOP.match(line)) and not defines(tree.lines.get(f"framework/{row[1]}", []), row[2]):
                yield f"{page}:{number}: {row[1]} defines no {row[2]}"


def defines(lines, name):
    """Whether these lines of C++ define the function `name`, "f" or "Class::f", perhaps within its class."""
    owner, _, function = name.rpartition("::")
    text = "\n".join(lines)
    if not owner:
        return re.search(rf"^\w[^\n;]*\b{function}\(", text, re.MULTILINE) is not None
    if re.search(rf"\b{owner}::{function}\(", text):
        return True
    return re.search(rf"\b(class|struct) {owner}\b[^;]*{{", text) is not None and re.search(rf"\b{function}\(", text) is not None


def what_is_precompiled_is_included(tree):
    """By the file itself or a header of the tree that it includes. Not asked: what is included within a namespace."""
    for file in tree.files("framework/") + tree.files("plugins/") + tree.files("tests/broken_plugins/"):
        if file.startswith("framework/templates/") or "/simd/" in file or file.endswith((".inc.hpp", ".c")):
            continue
        reached = headers_reached(tree, file)
        text = "\n".join(line.split("//")[0] for line in tree.lines[file])
        for header, names in PRECOMPILED.items():
            if (used := names.search(text)) and not any(re.match(header + "$", other) for other in reached):
                yield f"{file}: {used[0]} without <{header}>"


def headers_reached(tree, file):
    """What `file` includes, and what headers of the tree do that it includes."""
    if file not in tree.reached:
        headers = tree.reached[file] = set()
        for _, _, header in tree.includes(file):
            headers.add(header)
            places = [posixpath.dirname(file), "framework", "framework/sdk", "framework/abi"]
            path = next((p for place in places if (p := posixpath.normpath(f"{place}/{header}")) in tree.lines), None)
            headers |= headers_reached(tree, path) if path else set()
    return tree.reached[file]


def headers_open_with_a_comment(tree):
    for file in tree.files("framework/", {".h", ".hpp"}):
        if not says_something(tree, file):
            yield f"{file}:1: a header opens with a comment that says what it is for"


def folders_have_namespaces(tree):
    """Equal names of two folders must not meet in the linker, which keeps the functions of either."""
    for file in tree.files("framework/", {".h", ".cc"}):
        folder = file.split("/")[1]
        if folder in ("abi", "templates", "sdk"):
            continue
        for number, line in enumerate(tree.lines[file], 1):
            names_others = re.match(r"(class|struct) \w+;", (tree.lines[file][number:] or [""])[0])
            if re.match(r"namespace plait\b", line) and not names_others and f"plait::inline {folder}" not in line:
                yield f"{file}:{number}: {line!r}, not in plait::inline {folder}"


def file_names(tree):
    for file in tree.files():
        name = file.split("/")[-1]
        is_stand_in = file.startswith("tests/scaffold/fake_cuda/")  # has the name of what it stands for
        if not SNAKE.match(name) and not is_stand_in:
            yield f"{file}: file names are snake_case"
        if "utils" in file.split("/") or name.startswith(("utils.", "util.")):
            yield f"{file}: no utils; say what it is"


def words(tree):
    for file in tree.lines:
        if file.startswith("tests/house_rules/") or file == "LICENSE":
            continue
        for number, line in enumerate(tree.lines[file], 1):
            for pattern, why in [(UNFINISHED, "unfinished"), (MACHINE, "names a machine's path or host"),
                                 (MAKING, "speaks of the making, not of the project")]:
                if match := pattern.search(line):
                    yield f'{file}:{number}: "{match[0]}": {why}'


def line_length(tree):
    for file in tree.files():
        for number, line in enumerate(tree.lines[file], 1):
            if len(line) > 120:
                yield f"{file}:{number}: {len(line)} columns, at most 120"


RULES = [top_level_names, include_direction, plugins_see_only_the_border, libraries_in_their_place,
         framework_names_no_plugin, one_folder_one_plugin, every_folder_says_its_job, folders_have_pages,
         pages_name_what_exists, what_is_precompiled_is_included, headers_open_with_a_comment,
         folders_have_namespaces, file_names, words, line_length]


def broken(root, names=None):
    """[(rule's name, line)] for everything in the tree at `root` that breaks a rule."""
    tree = Tree(root, names)
    return [(rule.__name__, line) for rule in RULES for line in rule(tree)]


if __name__ == "__main__":
    found = broken(sys.argv[1])
    for rule, line in found:
        print(f"{line} [{rule}]")
    print(f"house rules: {len(RULES)} rules, {len(found)} broken")
    sys.exit(bool(found))
