#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "cli/command.h"
#include "cli/reference.h"
#include "cli/session.h"
#include "pipeline/schema.h"
#include "registry/describe.h"
#include "report/output.h"

namespace plait {
namespace po = boost::program_options;
namespace {

Result<const TypeEntry*> find_type(const Registry& registry, const std::string& name) {
  if (const TypeEntry* entry = registry.find(name)) return entry;
  if (const std::string provider = registry.who_would_provide(name); !provider.empty())
    return Status(Code::kNotFound, provider);
  std::vector<std::string> names;
  for (const auto& [id, entry] : registry.types()) names.insert(names.end(), {id, entry.short_name()});
  const std::string near = did_you_mean(name, names);
  return {Code::kNotFound, "no plugin type \"" + name + "\" is loaded" +
                               (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                               " (plait inspect lists them)"};
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
    PLAIT_ASSIGN(const TypeEntry* entry, find_type(*registry, given["type"].as<std::string>()));
    text = json ? json_text(describe_json(*entry), 2) + "\n" : describe_type(*entry);
  } else {
    text = json ? json_text(list_json(*registry), 2) + "\n" : list_types(*registry);
  }
  print(text);
  return kExitOk;
}

}  // namespace

Command inspect_command() {
  Command command{"inspect", "[TYPE] [options]", "list plugin types, or show one with its fields",
                  {},        {"type"},           run};
  command.options.add_options()("type", po::value<std::string>()->value_name("TYPE"),
                                "short name or id of a type")("json", "as JSON")(
      "schema", po::value<std::string>()->implicit_value("proto")->value_name("FORM"),
      "the language of pipeline files with these plugins: --schema=proto or --schema=json, a JSON Schema")(
      "markdown", po::value<std::string>()->value_name("DIR"), "write a page about every type into DIR");
  command.options.add(plugin_options()).add(lock_options());
  return command;
}

}  // namespace plait
