// `plait diff`: what differs between two runs: their jobs, what they were made with, their figures, their
// weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_bounds.h"
#include "base/json_text.h"
#include "cli/command.h"
#include "cli/diff_figures.h"
#include "pipeline/syntax.h"
#include "report/output.h"
#include "train/run_folder.h"
#include "train/weights_file.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

using Json = nlohmann::ordered_json;

struct Run {
  std::string folder;
  std::vector<Field> job;  // places are gone
  Json summary;
};

std::string scalar_words(const Field& field) {
  std::string words;
  for (const Token& token : field.scalar) words += token.text;
  return words;
}

std::string words_of(const Field& field) {
  if (!field.is_message) return scalar_words(field);
  std::string inside;
  for (const Field& inner : field.fields)
    inside += inner.name.text + (inner.is_message ? " " : ": ") + words_of(inner) + " ";
  return inside.empty() ? "{ }" : "{ " + inside + "}";
}

// The fields of a block that belong together: all values of one name; blocks with a name of their own are
// apart.
struct Group {
  std::string path;  // "layer[c1]", "stride"
  std::vector<const Field*> fields;
  bool single_message() const { return fields.size() == 1 && fields[0]->is_message; }
  std::string text() const {
    if (fields.size() == 1) return words_of(*fields[0]);
    std::string list;
    for (const Field* field : fields) list += (list.empty() ? "" : ", ") + words_of(*field);
    return "[" + list + "]";
  }
};

std::vector<Group> groups_of(const std::vector<Field>& fields) {
  std::vector<Group> groups;
  for (const Field& field : fields) {
    const std::string own = field.is_message ? field.text_of("name") : "";
    const std::string path = field.name.text + (own.empty() ? "" : "[" + own + "]");
    auto at =
        std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.path == path; });
    if (at == groups.end()) at = groups.insert(groups.end(), Group{path, {}});
    at->fields.push_back(&field);
  }
  return groups;
}

const Group* find(const std::vector<Group>& groups, const std::string& path) {
  for (const Group& group : groups)
    if (group.path == path) return &group;
  return nullptr;
}

// Appends "path: a vs b" for each difference.
void compare(const std::vector<Field>& a, const std::vector<Field>& b, const std::string& prefix,
             std::string& text) {
  const std::vector<Group> left = groups_of(a), right = groups_of(b);
  for (const Group& group : left) {
    const Group* other = find(right, group.path);
    if (other && group.single_message() && other->single_message()) {
      compare(group.fields[0]->fields, other->fields[0]->fields, prefix + group.path + ".", text);
    } else if (!other || group.text() != other->text()) {
      text += fmt::format("  {}{}: {} vs {}\n", prefix, group.path, group.text(),
                          other ? other->text() : "(not there)");
    }
  }
  for (const Group& group : right)
    if (!find(left, group.path))
      text += fmt::format("  {}{}: (not there) vs {}\n", prefix, group.path, group.text());
}

std::string order_of(const std::vector<Field>& fields) {
  std::string names;
  for (const Field& field : fields)
    if (field.name.text == "layer") names += (names.empty() ? "" : " ") + field.text_of("name");
  return names;
}

Result<std::vector<Field>> read_job(Files& files, const std::string& run) {
  const std::string path = resolved_path(run);
  auto text = files.read(path);
  if (!text)
    return {Code::kNotFound, "diff: \"" + run + "\" is not the folder of a run: " + text.status().message()};
  const SourceText source{path, *text};
  Errors errors;
  auto fields = parse_fields(lex(source, errors), errors);
  PLAIT_TRY(errors.status());
  // Places point into `source`, which ends here; nothing below asks for them.
  return fields;
}

std::string jobs_text(const std::vector<Field>& a, const std::vector<Field>& b) {
  std::string text;
  compare(a, b, "", text);
  if (text.empty() && order_of(a) != order_of(b))
    text = fmt::format("  order of layers: {} vs {}\n", order_of(a), order_of(b));
  return text.empty() ? "The jobs are the same.\n" : "The jobs differ:\n" + text;
}

constexpr uint64_t kMostSummary_bytes = 256 << 20;

// {} of a run that did not end: it has none. Fails with: kCorrupt, kInvalid, kIo for one that is there and is
// not what a run writes.
Result<Json> read_summary(Files& files, const std::string& run) {
  const std::string path = summary_path(run);
  const auto text = files.read(path, kMostSummary_bytes);
  if (text.status().code() == Code::kNotFound) return Json(Json::value_t::object);
  PLAIT_TRY(text.status().at("diff"));
  PLAIT_TRY(check_json_bounds(*text).at("diff: " + path));
  const auto damaged = [&](const std::string& got, const char* wanted) {
    return Status(Code::kCorrupt, "diff: " + path + ": damaged: got " + got + ", wanted " + wanted);
  };
  Json json = parse_json<Json>(*text);
  if (json.is_discarded()) return damaged("no JSON", "an object of JSON, as a run writes it");
  if (!json.is_object()) return damaged(json.type_name(), "an object, as a run writes it");
  for (const auto& [name, type] :
       {std::pair{"identity", Json::value_t::object}, std::pair{"begun_with", Json::value_t::object},
        std::pair{"changes", Json::value_t::array}, std::pair{"stages", Json::value_t::array}})
    if (json.contains(name) && json[name].type() != type)
      return damaged(std::string(json[name].type_name()) + " as \"" + name + "\"",
                     type == Json::value_t::array ? "an array" : "an object");
  return json;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

// {"program": {"plait": "1.0.0"}} becomes "program: plait", "1.0.0".
std::vector<std::pair<std::string, std::string>> identity_of(const Json& summary) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto begun = summary.find("begun_with");
  if (begun != summary.end() && begun->is_object() && begun->contains("sha256"))
    facts.emplace_back("weights: begun with", text_of((*begun)["sha256"]));
  const auto identity = summary.find("identity");
  if (identity == summary.end() || !identity->is_object()) return facts;
  for (const auto& [part, named] : identity->items()) {
    if (!named.is_object()) continue;
    for (const auto& [name, value] : named.items()) facts.emplace_back(part + ": " + name, text_of(value));
  }
  return facts;
}

// Program, plugins, instruction set and data; and where a run took up other ones on its way.
std::string identities_text(const Json& a, const Json& b) {
  const auto left = identity_of(a), right = identity_of(b);
  std::string text;
  const auto value_of = [](const auto& facts, const std::string& name) -> std::string {
    for (const auto& [other, value] : facts)
      if (other == name) return value;
    return "(not there)";
  };
  for (const auto& [name, value] : left)
    if (const std::string other = value_of(right, name); other != value)
      text += fmt::format("  {}: {} vs {}\n", name, value, other);
  for (const auto& [name, value] : right)
    if (value_of(left, name) == "(not there)") text += fmt::format("  {}: (not there) vs {}\n", name, value);
  std::string told =
      text.empty() ? "\nProgram, plugins, instruction set and data are the same" : "\nMade with:\n" + text;
  if (!text.empty()) return told;
  for (const auto& [name, value] : left)
    if (name == "isa: instruction set") told += " (" + value + ")";
  return left.empty() ? "\nNeither says what it was made with.\n" : told + ".\n";
}

std::string changes_text(const std::string& run, const Json& summary) {
  std::string text;
  const auto changes = summary.find("changes");
  if (changes == summary.end() || !changes->is_array()) return text;
  for (const Json& change : *changes) {
    if (!change.is_object()) continue;
    const auto told = change.find("text");
    if (told != change.end() && told->is_string())
      text += fmt::format("{}: {}\n", run, told->get<std::string>());
  }
  return text;
}

struct LargestChange {
  std::string tensor;
  double size = -1;
  size_t compared = 0;
};

LargestChange largest_change(const NamedTensors& a, const NamedTensors& b) {
  LargestChange largest;
  for (const NamedTensor& left : a)
    for (const NamedTensor& right : b) {
      if (left.name != right.name || left.shape != right.shape) continue;
      largest.compared += 1;
      for (size_t i = 0; i < left.values.size(); ++i) {
        const double change = std::abs(static_cast<double>(left.values[i]) - right.values[i]);
        if (change > largest.size || std::isnan(change)) largest.tensor = left.name, largest.size = change;
      }
    }
  return largest;
}

Result<NamedTensors> read_weights(Files& files, const std::string& run) {
  const std::string path = weights_path(run, "last");
  PLAIT_ASSIGN(const std::string bytes, files.read(path));
  return from_safetensors(bytes, path);
}

bool trains(const std::vector<Field>& job) {
  return std::ranges::any_of(job, [](const Field& field) { return field.name.text == "layer"; });
}

// "" of weights that are there, else why they are not. Fails with: what is wrong with those that are.
Result<std::string> absence_of(const Result<NamedTensors>& weights, const Run& run) {
  if (weights) return std::string();
  if (weights.status().code() != Code::kNotFound) return weights.status().at("diff");
  if (!trains(run.job)) return run.folder + " trains nothing, and has no weights";
  return "the weights are not there: " + weights.status().message();
}

Result<std::string> weights_text(Files& files, const Run& a, const Run& b) {
  if (!trains(a.job) && !trains(b.job))
    return std::string("\nNeither trains anything: there are no weights.\n");
  const auto left = read_weights(files, a.folder), right = read_weights(files, b.folder);
  PLAIT_ASSIGN(const std::string left_absence, absence_of(left, a));
  PLAIT_ASSIGN(const std::string right_absence, absence_of(right, b));
  if (!left || !right) return "\nWeights cannot be compared: " + (left ? right_absence : left_absence) + "\n";
  const std::string sha = weights_sha256(*left);
  if (sha == weights_sha256(*right)) return "\nThe weights are equal: " + sha + "\n";
  const LargestChange largest = largest_change(*left, *right);
  std::string text = fmt::format("\nThe weights differ: {} of {} and {} tensors have the same name and shape",
                                 largest.compared, left->size(), right->size());
  if (largest.size >= 0)
    text += fmt::format("; the largest change is {:.3g}, in {}", largest.size, largest.tensor);
  return text + "\n";
}

Result<Run> read_run(Files& files, const std::string& folder) {
  Run run{folder, {}, {}};
  PLAIT_ASSIGN(run.job, read_job(files, folder));
  PLAIT_ASSIGN(run.summary, read_summary(files, folder));
  return run;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("a") || !given.count("b")) return {Code::kUsage, "diff: wanted the folders of two runs"};
  SystemFiles files;
  PLAIT_ASSIGN(const Run a, read_run(files, given["a"].as<std::string>()));
  PLAIT_ASSIGN(const Run b, read_run(files, given["b"].as<std::string>()));
  PLAIT_ASSIGN(const std::string weights, weights_text(files, a, b));
  const std::string text = jobs_text(a.job, b.job) + identities_text(a.summary, b.summary) +
                           changes_text(a.folder, a.summary) + changes_text(b.folder, b.summary) +
                           figures_text(a.summary, b.summary) + weights;
  print(text);
  return kExitOk;
}

}  // namespace

Command diff_command() {
  Command command{
      "diff", "RUN RUN",  "what differs between two runs: job, versions and data, figures, weights",
      {},     {"a", "b"}, run};
  command.options.add_options()("a", po::value<std::string>()->value_name("RUN"), "folder of a run")(
      "b", po::value<std::string>()->value_name("RUN"), "folder of another");
  return command;
}

}  // namespace plait::inline cli
