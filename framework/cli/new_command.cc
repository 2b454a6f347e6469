// `plait new`: a folder with a plugin that builds, passes its tests and runs. What it holds are the files of
// share/plait/templates/any and share/plait/templates/<kind>, with other names in them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "cli/command.h"
#include "cli/share_folder.h"
#include "registry/check.h"
#include "registry/registry.h"

namespace plait {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// Words that the SDK or the language has taken already; as a vendor or a name they would not compile.
constexpr const char* kTaken[] = {
    "auto",     "bool",    "break",    "case",   "catch",    "char",   "class",   "const",
    "continue", "default", "delete",   "do",     "else",     "enum",   "export",  "extern",
    "false",    "float",   "for",      "friend", "goto",     "if",     "int",     "long",
    "main",     "new",     "private",  "public", "register", "return", "short",   "signed",
    "static",   "std",     "struct",   "switch", "template", "this",   "throw",   "true",
    "try",      "union",   "unsigned", "using",  "void",     "while",  "context", "describe",
    "in",       "out",     "test",     "tensor", "spec",     "error",  "parts",   "random"};

// What stands for what in the templates.
struct Names {
  std::string kind, vendor, name, type;
};

Status invalid(const std::string& message) { return {Code::kUsage, "new: " + message}; }

Status check_kind(const std::string& kind) {
  if (is_kind(kind)) return {};
  const std::vector<std::string> known(kinds().begin(), kinds().end());
  const std::string near = did_you_mean(kind, known);
  return invalid(fmt::format("there is no kind \"{}\"; {}", kind,
                             near.empty() ? fmt::format("wanted one of {}", fmt::join(known, ", "))
                                          : fmt::format("did you mean \"{}\"?", near)));
}

bool is_word(const std::string& text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

// What `id` may have meant: small letters, "_" for what is neither letter nor digit, a vendor where there is
// none.
std::string repaired_id(const std::string& id) {
  std::string text;
  for (char c : id) {
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    text += fits ? c : '_';
  }
  if (text.find('.') == std::string::npos) text = "my." + text;
  return text;
}

bool is_id(const std::string& id) {
  const size_t dot = id.find('.');
  return dot != std::string::npos && is_word(id.substr(0, dot)) && is_word(id.substr(dot + 1));
}

Status check_word(const std::string& word) {
  if (std::find(std::begin(kTaken), std::end(kTaken), word) == std::end(kTaken)) return {};
  return invalid(fmt::format("\"{}\" has a meaning in C++ or in the SDK; take another word", word));
}

Result<Names> read_names(const std::string& kind, const std::string& id) {
  PLAIT_TRY(check_kind(kind));
  if (!is_id(id)) {
    const std::string near = repaired_id(id);
    return invalid(
        fmt::format("got the id \"{}\", wanted vendor.name of small letters, digits and \"_\"{}", id,
                    is_id(near) ? fmt::format("; did you mean \"{}\"?", near) : ", as in acme.swish"));
  }
  Names names{kind, id.substr(0, id.find('.')), id.substr(id.find('.') + 1), ""};
  if (names.vendor == "plait")
    return invalid(fmt::format(
        "\"plait.\" stands before Plait's own types; take another vendor, as in acme.{}", names.name));
  PLAIT_TRY(check_word(names.vendor));
  PLAIT_TRY(check_word(names.name));
  for (size_t i = 0; i < names.name.size(); ++i) {
    if (names.name[i] == '_') continue;
    const bool first = i == 0 || names.name[i - 1] == '_';
    names.type +=
        first && names.name[i] >= 'a' ? static_cast<char>(names.name[i] - 'a' + 'A') : names.name[i];
  }
  return names;
}

std::string replaced(std::string text, const Names& names) {
  const std::pair<std::string, std::string> words[] = {{"your_vendor", names.vendor},
                                                       {"your_kind", names.kind},
                                                       {"your_name", names.name},
                                                       {"YourName", names.type}};
  for (const auto& [from, to] : words)
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

// Adds the files of a template's folder, by their path in the new folder.
Status read_templates(const std::string& folder, const Names& names,
                      std::map<std::string, std::string>& files) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file()) continue;
    PLAIT_ASSIGN(const std::string text, SystemFiles().read(at->path()));
    files[replaced(at->path().lexically_relative(folder).string(), names)] = replaced(text, names);
  }
  if (error) return {Code::kNotFound, "new: templates \"" + folder + "\": " + error.message()};
  return {};
}

Status write_files(const std::string& folder, const std::map<std::string, std::string>& files) {
  SystemFiles disk;
  for (const auto& [name, text] : files) {
    const fs::path path = fs::path(folder) / name;
    PLAIT_TRY(disk.make_directories(path.parent_path()));
    PLAIT_TRY(disk.write_atomically(path, text));
  }
  return {};
}

// The folder is there with all its files, or not at all.
Status make_folder(const std::string& folder, const std::map<std::string, std::string>& files) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error)))
    return {Code::kInvalid, "new: \"" + folder + "\" is there already; say another by --dir"};
  const std::string parts = folder + ".part" + std::to_string(::getpid());
  Status status = write_files(parts, files);
  if (status) {
    fs::rename(parts, folder, error);
    if (error) status = {Code::kIo, "\"" + folder + "\": " + error.message()};
  }
  if (!status) fs::remove_all(parts, error);
  return status.at("new");
}

// CMake looks beside the folders of PATH by itself.
bool on_path(const std::string& folder) {
  const char* path = std::getenv("PATH");
  return path && (":" + std::string(path) + ":").find(":" + folder + ":") != std::string::npos;
}

void print_next(const std::string& folder, const Names& names,
                const std::map<std::string, std::string>& files) {
  std::string list, prefix;
  for (const auto& [name, text] : files) list += "  " + name + "\n";
  const fs::path bin = fs::path(program_path()).parent_path();
  if (!on_path(bin)) prefix = " -DCMAKE_PREFIX_PATH=" + bin.parent_path().string();
  std::fputs(
      fmt::format(
          "{}/\n{}\nNext:\n  cd {}\n  cmake -B build{} && cmake --build build && ctest --test-dir build\n"
          "  plait run train.txtpb --plugin build/{}.plait.so\n",
          folder, list, folder, prefix, names.name)
          .c_str(),
      stdout);
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("kind") || !given.count("id"))
    return invalid("wanted a kind and an id: plait new layer acme.swish");
  PLAIT_ASSIGN(const Names names, read_names(given["kind"].as<std::string>(), given["id"].as<std::string>()));
  std::string folder = given["dir"].as<std::string>();
  if (folder.empty()) folder = names.name;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  std::map<std::string, std::string> files;
  PLAIT_TRY(read_templates(share_path("templates/any"), names, files));
  PLAIT_TRY(read_templates(share_path("templates/" + names.kind), names, files));
  PLAIT_TRY(make_folder(folder, files));
  print_next(folder, names, files);
  return kExitOk;
}

}  // namespace

Command new_command() {
  Command command{"new", "KIND VENDOR.NAME [--dir D]", "begin a plugin of your own", {}, {"kind", "id"}, run};
  command.options.add_options()("kind", po::value<std::string>()->value_name("KIND"),
                                fmt::format("{}", fmt::join(kinds(), ", ")).c_str())(
      "id", po::value<std::string>()->value_name("VENDOR.NAME"), "of its type, as in acme.swish")(
      "dir", po::value<std::string>()->default_value("")->value_name("D"),
      "the folder to make; default: the name");
  return command;
}

}  // namespace plait
