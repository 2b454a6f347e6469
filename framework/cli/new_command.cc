// `plait new`: a folder with a plugin that builds, passes its tests and runs. What it holds are the files of
// share/plait/templates/any and share/plait/templates/<kind>, with other names in them; with --cuda also
// those of share/plait/templates/cuda.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "base/temporary_name.h"
#include "cli/command.h"
#include "cli/share_folder.h"
#include "registry/kind_of.h"
#include "registry/kinds.h"
#include "registry/registry.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// Words that the language or the SDK has taken already: a vendor is a namespace, a name a struct and a file.
constexpr const char* kTaken[] = {
    "alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
    "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char16_t",
    "char32_t",    "char8_t",  "class",      "co_await",  "co_return", "co_yield",     "compl",
    "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
    "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
    "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
    "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
    "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
    "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
    "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
    "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
    "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
    "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
    "xor_eq",      "main",     "std",        "unix",      "linux",     "context",      "describe",
    "in",          "out",      "test",       "tensor",    "spec",      "error",        "parts",
    "random",      "entry",    "value",      "values",    "records",   "emitter",      "folded",
    "pairs"};
// And those that clash as a namespace alone, beside the names of kinds.
constexpr const char* kTakenVendors[] = {"detail", "testing", "gpu", "text", "implementation"};

// What the templates' marks become.
struct Names {
  std::string kind, vendor, name, type, device;
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

template <size_t kCount>
Status check_word(const std::string& word, const char* const (&taken)[kCount]) {
  if (std::find(std::begin(taken), std::end(taken), word) == std::end(taken)) return {};
  return invalid(fmt::format("\"{}\" has a meaning in C++ or in the SDK; take another word", word));
}

Status check_id(const std::string& id, const char* example) {
  if (is_id(id)) return {};
  const std::string near = repaired_id(id);
  return invalid(fmt::format(
      "got the id \"{}\", wanted vendor.name of small letters, digits and \"_\"{}", id,
      is_id(near) ? fmt::format("; did you mean \"{}\"?", near) : fmt::format(", as in {}", example)));
}

Result<Names> read_names(const std::string& kind, const std::string& id) {
  PLAIT_TRY(check_kind(kind));
  PLAIT_TRY(check_id(id, "acme.swish"));
  Names names{kind, id.substr(0, id.find('.')), id.substr(id.find('.') + 1), "", ""};
  if (names.vendor == "plait")
    return invalid(fmt::format(
        "\"plait.\" begins the names of Plait's own types; take another vendor, as in acme.{}", names.name));
  PLAIT_TRY(check_word(names.vendor, kTaken));
  PLAIT_TRY(check_word(names.vendor, kTakenVendors));
  const char* const kind_names[] = {is_kind(names.vendor) ? names.vendor.c_str() : ""};
  PLAIT_TRY(check_word(names.vendor, kind_names));
  PLAIT_TRY(check_word(names.name, kTaken));
  for (size_t i = 0; i < names.name.size(); ++i) {
    if (names.name[i] == '_') continue;
    const bool first = i == 0 || names.name[i - 1] == '_';
    names.type +=
        first && names.name[i] >= 'a' ? static_cast<char>(names.name[i] - 'a' + 'A') : names.name[i];
  }
  return names;
}

// Kinds that run on a job's device. Metrics and augmenters may, but have no template with kernels.
Status check_cuda(const Names& names) {
  if (find_kind(names.kind)->works_on_device || names.kind == kKindOf<plait_device_ops>) return {};
  std::string with_kernels;
  for (const Kind& kind : kind_table())
    if (kind.works_on_device) with_kernels += (with_kernels.empty() ? "" : ", ") + std::string(kind.name);
  return invalid(
      fmt::format("--cuda: the template of a {} runs on the host; those with kernels are of kind {}, or "
                  "belong to a device",
                  names.kind, with_kernels));
}

// The device that the kernels are for.
Status read_device(const po::variables_map& given, Names& names) {
  const bool is_said = given.count("device") > 0;
  if (!given["cuda"].as<bool>())
    return is_said ? invalid("--device: only with --cuda, which writes kernels for that device") : Status();
  PLAIT_TRY(check_cuda(names));
  if (names.kind == "device") {
    if (is_said) return invalid("--device: this is the device; its id is the second word");
    return {};
  }
  names.device = is_said ? given["device"].as<std::string>() : names.vendor + ".gpu";
  return check_id(names.device, "acme.gpu").at("--device");
}

std::string replaced(std::string text, const Names& names) {
  const std::pair<std::string, std::string> words[] = {{"your_vendor", names.vendor},
                                                       {"your_kind", names.kind},
                                                       {"your_device", names.device},
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

// Files of the host alone give way to those of the same name.
Status add_cuda(const Names& names, std::map<std::string, std::string>& files) {
  if (names.kind == "device") files.erase(names.name + ".cc");
  PLAIT_TRY(read_templates(share_path("templates/cuda/any"), names, files));
  return read_templates(share_path("templates/cuda/" + names.kind), names, files);
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
  const fs::path parent = fs::path(folder).parent_path();
  if (!parent.empty()) PLAIT_TRY(SystemFiles().make_directories(parent).at("new"));
  const std::string parts = temporary_name(folder);
  if (::mkdir(parts.c_str(), 0777) != 0) return system_refusal(folder, "mkdir").at("new");
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
  print(fmt::format(
      "{}/\n{}\nNext:\n  cd {}\n  cmake -B build{} && cmake --build build -j && ctest --test-dir build\n"
      "  plait run train.txtpb --plugin build/{}.plait.so\n",
      folder, list, folder, prefix, names.name));
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("kind") || !given.count("id"))
    return invalid("wanted a kind and an id: plait new layer acme.swish");
  PLAIT_ASSIGN(Names names, read_names(given["kind"].as<std::string>(), given["id"].as<std::string>()));
  PLAIT_TRY(read_device(given, names));
  std::string folder = given["dir"].as<std::string>();
  if (folder.empty()) folder = names.name;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  std::map<std::string, std::string> files;
  PLAIT_TRY(read_templates(share_path("templates/any"), names, files));
  PLAIT_TRY(read_templates(share_path("templates/" + names.kind), names, files));
  if (given["cuda"].as<bool>()) PLAIT_TRY(add_cuda(names, files));
  PLAIT_TRY(make_folder(folder, files));
  print_next(folder, names, files);
  return kExitOk;
}

}  // namespace

Command new_command() {
  Command command{
      "new", "KIND VENDOR.NAME [--cuda] [--dir D]", "begin a plugin of your own", {}, {"kind", "id"}, run};
  command.options.add_options()("kind", po::value<std::string>()->value_name("KIND"),
                                fmt::format("{}", fmt::join(kinds(), ", ")).c_str())(
      "id", po::value<std::string>()->value_name("VENDOR.NAME"), "of its type, as in acme.swish")(
      "dir", po::value<std::string>()->default_value("")->value_name("D"),
      "the folder to make; default: the name")(
      "cuda", po::bool_switch(),
      "with CUDA kernels: a layer, loss or optimizer for the host and a CUDA device, or such a device")(
      "device", po::value<std::string>()->value_name("VENDOR.NAME"),
      "with --cuda: the device that the kernels are for; default: VENDOR.gpu");
  return command;
}

}  // namespace plait::inline cli
