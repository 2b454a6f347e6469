#include "cli/reference.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "registry/check.h"
#include "registry/describe.h"

namespace plait::inline cli {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

// A cell of a table: a bar would end it.
std::string cell(const std::string& text) {
  std::string result;
  for (char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c == '\n' ? ' ' : c);
  return result;
}

std::string type_words(const Json& field) {
  std::string text = field["type"];
  if (text == "child") text = field["child_kind"].get<std::string>() + " { ... }";
  if (text == "enum")
    text = fmt::format("{}", fmt::join(field["values"].get<std::vector<std::string>>(), " or "));
  return (field["repeated"].get<bool>() ? "list of " : "") + text;
}

std::string default_words(const Json& field) {
  if (field["required"].get<bool>()) return "(required)";
  return field.contains("default") ? "`" + field["default"].get<std::string>() + "`" : "";
}

std::string rows(const Json& fields, const std::string& prefix) {
  std::string text;
  for (const Json& field : fields) {
    const std::string name = prefix + field["name"].get<std::string>();
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", name, cell(type_words(field)),
                        cell(default_words(field)), cell(field.value("range", "")),
                        cell(field.value("unit", "")), cell(field["doc"]));
    if (field.contains("fields")) text += rows(field["fields"], name + ".");
  }
  return text;
}

// What each port is, of types that tell it.
std::string ports_table(const Json& type) {
  std::string list;
  for (const char* const what : {"input", "output", "parameter", "buffer", "prediction", "target"}) {
    const std::string many = std::string(what) + "s";
    if (!type.contains(many)) continue;
    int place = 0;
    for (const Json& port : type[many])
      list += fmt::format("| {} {}{} | `{}` | {} | {} | {} |\n", what, place++,
                          port["repeated"].get<bool>() ? " ..." : "", port["name"].get<std::string>(),
                          cell(port.value("shape", "")), cell(port.value("unit", "")),
                          cell(port.value("doc", "")));
  }
  return list.empty() ? list : "\n| place | name | shape | unit | meaning |\n|---|---|---|---|---|\n" + list;
}

Status write(const fs::path& path, const std::string& text) {
  SystemFiles files;
  PLAIT_TRY(files.make_directories(path.parent_path()));
  return files.write_atomically(path, text);
}

}  // namespace

std::string reference_page(const TypeEntry& entry) {
  const Json type = describe_json(entry);
  const std::string name = entry.short_name(), id = entry.type->id;
  std::string text = fmt::format("# {}\n{}\n\nKind {}, id `{}`, written `{} {{ }}`. ", name, entry.type->doc,
                                 entry.type->kind, id, name == id ? "[" + id + "]" : name);
  text += fmt::format("Devices: {}. Library {} {}.\n",
                      fmt::join(type["devices"].get<std::vector<std::string>>(), ", "),
                      entry.file->plugin->id, entry.file->plugin->version);
  if (const std::string details = type["details"]; !details.empty()) text += "\n```\n" + details + "\n```\n";
  text += ports_table(type);
  if (type["fields"].empty()) return text + "\nIt has no fields.\n";
  return text + "\n| field | type | default | range | unit | meaning |\n|---|---|---|---|---|---|\n" +
         rows(type["fields"], "");
}

Status write_reference(const Registry& registry, const std::string& folder) {
  std::string index = "# Plugins\n";
  for (const char* kind : kinds()) {
    std::string list;
    for (const auto& [type, entry] : registry.types()) {
      if (type.kind != kind) continue;
      const std::string page = fmt::format("{}/{}.md", kind, entry.short_name());
      PLAIT_TRY(write(fs::path(folder) / page, reference_page(entry)));
      list += fmt::format("- [{}]({}): {}\n", entry.short_name(), page, entry.type->doc);
    }
    if (!list.empty()) index += fmt::format("\n## {}\n{}", kind, list);
  }
  return write(fs::path(folder) / "README.md", index);
}

}  // namespace plait::inline cli
