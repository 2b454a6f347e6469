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
#include "pipeline/syntax.h"
#include "report/output.h"
#include "train/run_folder.h"
#include "train/weights_file.h"

namespace plait {
namespace po = boost::program_options;
namespace {

using Json = nlohmann::ordered_json;

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

Json read_summary(Files& files, const std::string& run) {
  const auto text = files.read(run + "/summary.json");
  const bool good = text && check_json_bounds(*text, kSmallJson);
  const Json json = good ? Json::parse(*text, nullptr, false) : Json();
  return json.is_object() ? json : Json::object();
}

std::string figure_text(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  const std::string text = value.is_string() ? value.get<std::string>() : json_text(value);
  return text.size() > 20 ? text.substr(0, 16) + "..." : text;
}

// {"program": {"plait": "1.0.0"}} becomes "program: plait", "1.0.0".
std::vector<std::pair<std::string, std::string>> identity_of(const Json& summary) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto begun = summary.find("begun_with");
  if (begun != summary.end() && begun->is_object() && begun->contains("sha256"))
    facts.emplace_back("weights: begun with", figure_text((*begun)["sha256"]));
  const auto identity = summary.find("identity");
  if (identity == summary.end() || !identity->is_object()) return facts;
  for (const auto& [part, named] : identity->items()) {
    if (!named.is_object()) continue;
    for (const auto& [name, value] : named.items())
      facts.emplace_back(part + ": " + name, value.is_string() ? value.get<std::string>() : json_text(value));
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

// {"test", {"accuracy": ...}} becomes "test accuracy".
std::vector<std::pair<std::string, std::string>> figures_of(const Json& summary) {
  std::vector<std::pair<std::string, std::string>> figures;
  for (const auto& [name, value] : summary.items()) {
    if (name == "identity" || name == "changes") continue;  // told apart
    if (!value.is_object()) {
      figures.emplace_back(name, figure_text(value));
      continue;
    }
    for (const auto& [inner, figure] : value.items())
      figures.emplace_back(name + " " + inner, figure_text(figure));
  }
  return figures;
}

std::string figures_text(const Json& a, const Json& b) {
  auto rows = figures_of(a);
  const auto right = figures_of(b);
  const auto value_of = [](const auto& list, const std::string& name) -> std::string {
    for (const auto& [other, value] : list)
      if (other == name) return value;
    return "-";
  };
  for (const auto& [name, value] : right)
    if (value_of(rows, name) == "-") rows.emplace_back(name, "-");
  size_t wide = 0, first = 0;
  for (const auto& [name, value] : rows)
    wide = std::max(wide, name.size()), first = std::max(first, value.size());
  std::string text = "\nFigures:\n";
  for (const auto& [name, value] : rows) {
    const std::string other = value_of(right, name);
    text +=
        fmt::format("  {:<{}}  {:<{}}  {}{}\n", name, wide, value, first, other, value == other ? "" : "  *");
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

std::string weights_text(Files& files, const std::string& a, const std::string& b) {
  const auto left = read_weights(files, a), right = read_weights(files, b);
  if (!left || !right)
    return "\nThe weights are not there: " + (left ? right : left).status().message() + "\n";
  const std::string sha = weights_sha256(*left);
  if (sha == weights_sha256(*right)) return "\nThe weights are equal: " + sha + "\n";
  const LargestChange largest = largest_change(*left, *right);
  std::string text = fmt::format("\nThe weights differ: {} of {} and {} tensors have the same name and shape",
                                 largest.compared, left->size(), right->size());
  if (largest.size >= 0)
    text += fmt::format("; the largest change is {:.3g}, in {}", largest.size, largest.tensor);
  return text + "\n";
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("a") || !given.count("b")) return {Code::kUsage, "diff: wanted the folders of two runs"};
  const std::string a = given["a"].as<std::string>(), b = given["b"].as<std::string>();
  SystemFiles files;
  PLAIT_ASSIGN(const std::vector<Field> left, read_job(files, a));
  PLAIT_ASSIGN(const std::vector<Field> right, read_job(files, b));
  const Json of_a = read_summary(files, a), of_b = read_summary(files, b);
  const std::string text = jobs_text(left, right) + identities_text(of_a, of_b) + changes_text(a, of_a) +
                           changes_text(b, of_b) + figures_text(of_a, of_b) + weights_text(files, a, b);
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

}  // namespace plait
