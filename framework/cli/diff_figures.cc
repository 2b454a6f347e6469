#include "cli/diff_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/json_text.h"

namespace plait::inline cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostShown = 20, kKept = 16;  // characters

struct Row {
  std::string name;
  std::optional<Json> a, b;
  bool only_if_other = false;  // shown where the two differ

  bool differs() const { return a.has_value() != b.has_value() || (a && *a != *b); }
};

class Rows {
 public:
  void add(const std::string& name, const Json& value, bool is_right, bool only_if_other = false) {
    auto at = std::ranges::find(list, name, &Row::name);
    if (at == list.end()) at = list.insert(at, Row{name, {}, {}, only_if_other});
    (is_right ? at->b : at->a).emplace(value);
  }

  std::vector<Row> list;
};

bool is_named(const Json& value) {
  return value.is_object() && value.contains("name") && value["name"].is_string();
}

void add_stages(const Json& stages, bool is_right, Rows& rows) {
  for (const Json& stage : stages) {
    if (!is_named(stage)) continue;
    const std::string name = "stage " + stage["name"].get<std::string>() + ": ";
    for (const auto& [inner, value] : stage.items())
      if (inner != "name") rows.add(name + inner, value, is_right, inner != "sha256");
  }
}

// {"test", {"accuracy": ...}} becomes "test accuracy".
void add_figures(const Json& summary, bool is_right, Rows& rows) {
  for (const auto& [name, value] : summary.items()) {
    if (name == "identity" || name == "changes") continue;  // told apart
    if (name == "stages" && value.is_array() && std::ranges::all_of(value, is_named)) {
      add_stages(value, is_right, rows);
    } else if (!value.is_object()) {
      rows.add(name, value, is_right);
    } else {
      for (const auto& [inner, figure] : value.items()) rows.add(name + " " + inner, figure, is_right);
    }
  }
}

std::string whole_text(const std::optional<Json>& value) {
  if (!value) return "-";
  return value->is_string() ? value->get<std::string>() : json_text(*value);
}

std::string short_text(const std::optional<Json>& value) {
  if (value && value->is_number_float()) return fmt::format("{:.6g}", value->get<double>());
  const std::string text = whole_text(value);
  return text.size() > kMostShown ? text.substr(0, kKept) + "..." : text;
}

// Of one that looks like `other` when it is cut: from where they part.
std::string parting_text(const std::optional<Json>& value, const std::optional<Json>& other) {
  const std::string text = whole_text(value), beside = whole_text(other);
  if (text.size() <= kMostShown && beside.size() <= kMostShown) return text;
  const auto parting = std::ranges::mismatch(text, beside).in1 - text.begin();
  const size_t from = parting > 4 ? static_cast<size_t>(parting) - 4 : 0;
  const std::string rest = text.substr(from, kKept);
  return (from > 0 ? "..." : "") + rest + (from + rest.size() < text.size() ? "..." : "");
}

}  // namespace

std::string figures_text(const Json& a, const Json& b) {
  Rows rows;
  add_figures(a, false, rows);
  add_figures(b, true, rows);
  std::erase_if(rows.list, [](const Row& row) { return row.only_if_other && !row.differs(); });
  struct Shown {
    std::string a, b;
  };
  std::vector<Shown> shown;
  size_t wide = 0, first = 0;
  for (const Row& row : rows.list) {
    Shown both{short_text(row.a), short_text(row.b)};
    if (row.differs() && both.a == both.b) both = {parting_text(row.a, row.b), parting_text(row.b, row.a)};
    wide = std::max(wide, row.name.size()), first = std::max(first, both.a.size());
    shown.push_back(std::move(both));
  }
  std::string text = "\nFigures:\n";
  for (size_t i = 0; i < shown.size(); ++i)
    text += fmt::format("  {:<{}}  {:<{}}  {}{}\n", rows.list[i].name, wide, shown[i].a, first, shown[i].b,
                        rows.list[i].differs() ? "  *" : "");
  return text;
}

}  // namespace plait::inline cli
