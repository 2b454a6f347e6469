#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/reference.h"
#include "cli/session.h"
#include "pipeline/schema.h"
#include "registry/describe.h"
#include "registry/kinds.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

// Of every kind, or of the one that is said.
using Entries = std::vector<const TypeEntry*>;

Result<Entries> find_types(const Registry& registry, const std::string& kind, const std::string& name) {
  Entries found = registry.named(name);
  if (!kind.empty()) std::erase_if(found, [&](const TypeEntry* one) { return kind != one->type->kind; });
  if (!found.empty()) return found;
  if (const std::string provider = registry.who_would_provide(kind, name); !provider.empty())
    return Status(Code::kNotFound, provider);
  std::vector<std::string> names;
  for (const auto& [type, entry] : registry.types())
    if (kind.empty() || kind == type.kind) names.insert(names.end(), {type.id, entry.short_name()});
  const std::string near = did_you_mean(name, names);
  std::string hint = near.empty() ? "" : "; did you mean \"" + near + "\"?";
  if (kind.empty() && is_kind(name)) hint = "; it is a kind, as in: plait inspect " + name + " TYPE";
  return Status(Code::kNotFound, "no " + (kind.empty() ? "plugin type" : kind) + " \"" + name +
                                     "\" is loaded" + hint + " (plait inspect lists them)");
}

// Of the words [KIND] TYPE.
Result<Entries> types_named(const Registry& registry, const po::variables_map& given) {
  const std::string first = given["type"].as<std::string>();
  if (given.count("type-of-kind") == 0) return find_types(registry, "", first);
  if (!is_kind(first)) {
    const std::vector<std::string> known(kinds().begin(), kinds().end());
    const std::string near = did_you_mean(first, known);
    return Status(Code::kUsage, "inspect: there is no kind \"" + first + "\"" +
                                    (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
  return find_types(registry, first, given["type-of-kind"].as<std::string>());
}

// In JSON an object, or an array of them where types of several kinds have the name.
std::string types_text(const Entries& entries, bool json) {
  if (json && entries.size() == 1) return json_text(describe_json(*entries.front()), 2) + "\n";
  std::string text;
  auto list = nlohmann::ordered_json::array();
  for (const TypeEntry* entry : entries) {
    text += (text.empty() ? "" : "\n") + describe_type(*entry);
    list.push_back(describe_json(*entry));
  }
  return json ? json_text(list, 2) + "\n" : text;
}

Result<std::string> schema_text(const Registry& registry, const std::string& form) {
  if (form == "proto") return schema_proto(registry);
  if (form == "json") return schema_json(registry);
  return {Code::kUsage, "--schema: got " + form + ", wanted proto or json"};
}

Result<int> run(const po::variables_map& given) {
  PLAIT_ASSIGN(const auto registry, load_registry(given));
  const bool json = given.count("json") > 0;
  std::string text;
  if (given.count("schema")) {
    PLAIT_ASSIGN(text, schema_text(*registry, given["schema"].as<std::string>()));
  } else if (given.count("markdown")) {
    PLAIT_TRY(write_reference(*registry, given["markdown"].as<std::string>()));
  } else if (given.count("type")) {
    PLAIT_ASSIGN(const Entries entries, types_named(*registry, given));
    text = types_text(entries, json);
  } else {
    text = json ? json_text(list_json(*registry), 2) + "\n" : list_types(*registry);
  }
  print(text);
  return kExitOk;
}

}  // namespace

Command inspect_command() {
  Command command{"inspect", "[[KIND] TYPE] [options]", "list plugin types, or show one with its fields",
                  {},        {"type", "type-of-kind"},  run};
  command.options.add_options()(
      "type", po::value<std::string>()->value_name("TYPE"),
      "short name or id of a type, with its kind before it where several kinds have one")(
      "type-of-kind", po::value<std::string>()->value_name("TYPE"), "the type, when a kind was said first")(
      "json", "as JSON")(
      "schema", po::value<std::string>()->implicit_value("proto")->value_name("FORM"),
      "the language of pipeline files with these plugins: --schema=proto or --schema=json, a JSON Schema")(
      "markdown", po::value<std::string>()->value_name("DIR"), "write a page about every type into DIR");
  command.options.add(plugin_options()).add(lock_options());
  return command;
}

}  // namespace plait::inline cli
