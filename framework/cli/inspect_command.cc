#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/session.h"
#include "pipeline/schema.h"
#include "registry/describe.h"

namespace plait {
namespace po = boost::program_options;
namespace {

Result<const TypeEntry*> find_type(const Registry& registry, const std::string& name) {
  if (const TypeEntry* entry = registry.find(name)) return entry;
  std::vector<std::string> names;
  for (const auto& [id, entry] : registry.types()) names.insert(names.end(), {id, entry.short_name()});
  const std::string near = did_you_mean(name, names);
  return {Code::kNotFound, "no plugin type \"" + name + "\" is loaded" +
                               (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                               " (plait inspect lists them)"};
}

Result<int> run(const po::variables_map& given) {
  PLAIT_ASSIGN(const auto registry, load_registry(given));
  const bool json = given.count("json") > 0;
  std::string text;
  if (given.count("schema")) {
    text = schema_proto(*registry);
  } else if (given.count("type")) {
    PLAIT_ASSIGN(const TypeEntry* entry, find_type(*registry, given["type"].as<std::string>()));
    text = json ? describe_json(*entry).dump(2) + "\n" : describe_type(*entry);
  } else {
    text = json ? list_json(*registry).dump(2) + "\n" : list_types(*registry);
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

Command inspect_command() {
  Command command{"inspect", "[TYPE] [options]", "list plugin types, or show one with its fields",
                  {},        {"type"},           run};
  command.options.add_options()("type", po::value<std::string>()->value_name("TYPE"),
                                "short name or id of a type")("json", "as JSON")(
      "schema", "the language of pipeline files with these plugins, as .proto");
  command.options.add(plugin_options());
  return command;
}

}  // namespace plait
