#include "cli/sweep_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/csv_cell.h"
#include "report/format.h"

namespace plait::inline cli {
namespace {

using Json = nlohmann::ordered_json;

// {"test": {"accuracy": 0.9}} is "test accuracy": 0.9.
std::map<std::string, double> numbers_of(const Json& summary) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : summary.items()) {
    if (value.is_number()) numbers[name] = value.get<double>();
    if (!value.is_object()) continue;
    for (const auto& [inner, figure] : value.items())
      if (figure.is_number()) numbers[name + " " + inner] = figure.get<double>();
  }
  return numbers;
}

// The figures of the records that the best weights were chosen by; without them those of the test, then of
// training.
std::string measured_on(const Json& summary, const std::string& metric) {
  for (const char* name : {"best_validation", "validation", "test"})
    if (summary.contains(name) && summary[name].contains(metric) && summary[name][metric].is_number())
      return name;
  return "";
}

std::string aligned(const std::vector<std::vector<std::string>>& cells) {
  std::vector<size_t> widths(cells[0].size());
  for (const auto& line : cells)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto& line : cells) {
    std::string words;
    for (size_t i = 0; i < line.size(); ++i) words += fmt::format("{:<{}}  ", line[i], widths[i]);
    text += words.substr(0, words.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

std::string SweepPlan::settings_text(size_t combination) const {
  std::string text;
  for (size_t i = 0; i < axes.size(); ++i)
    if (varies(i)) text += (text.empty() ? "" : "  ") + setting(i, combinations[combination][i]);
  return text;
}

std::string SweepRow::name() const { return fmt::format("{:03}", number + 1); }

size_t SweepTable::complete() const {
  return std::count_if(rows_.begin(), rows_.end(), [](const SweepRow& row) { return row.is_complete(); });
}

std::optional<double> SweepTable::monitored(const SweepRow& row) const {
  const std::string on = measured_on(row.summary, monitor_.name);
  if (!on.empty()) return row.summary[on][monitor_.name].get<double>();
  const bool trained = monitor_.name == "loss" && row.summary.contains("loss");
  return trained && row.summary["loss"].is_number() ? std::optional(row.summary["loss"].get<double>())
                                                    : std::nullopt;
}

std::string SweepTable::outcome(const SweepRow& row) const {
  const auto value = monitored(row);
  if (row.is_failed()) return "failed: " + row.status + (row.reason.empty() ? "" : ": " + row.reason);
  const std::string figure = value ? fmt::format("{} {:.4f}", monitor_.name, *value) : "";
  if (row.is_complete() && value) return figure;
  return row.status + (value ? ", " + figure : "");
}

void SweepTable::sort() {
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const SweepRow& a, const SweepRow& b) { return a.number < b.number; });
  std::stable_sort(rows_.begin(), rows_.end(), [&](const SweepRow& a, const SweepRow& b) {
    const auto left = monitored(a), right = monitored(b);
    if (!left || !right) return left.has_value() && !right.has_value();
    return monitor_.higher_is_better ? *left > *right : *left < *right;
  });
}

std::string SweepTable::text() const {
  std::vector<std::vector<std::string>> cells = {heading()};
  for (const SweepRow& row : rows_) cells.push_back(cells_of(row));
  std::string text = aligned(cells);
  for (const SweepRow& row : rows_)
    if (row.is_failed())
      text += fmt::format("\n{} failed ({}): {}\n    its log: {}/log.txt\n", row.name(), row.status,
                          row.reason.empty() ? "it says nothing" : row.reason, row.folder);
  return text;
}

std::vector<std::string> SweepTable::heading() const {
  std::vector<std::string> cells = {"RUN"};
  for (size_t i = 0; i < plan_.axes.size(); ++i)
    if (plan_.varies(i)) cells.push_back(plan_.axes[i].path);
  std::string measured = monitor_.name;
  for (const SweepRow& row : rows_)
    if (const std::string on = measured_on(row.summary, monitor_.name); !on.empty()) {
      measured = (on == "best_validation" ? "best validation" : on) + " " + monitor_.name;
      break;
    }
  if (is_measured()) cells.insert(cells.end(), {measured, "LOSS"});
  cells.insert(cells.end(), {"TIME", "STATUS"});
  return cells;
}

std::vector<std::string> SweepTable::cells_of(const SweepRow& row) const {
  std::vector<std::string> cells = {row.name()};
  for (size_t i = 0; i < plan_.axes.size(); ++i)
    if (plan_.varies(i)) cells.push_back(plan_.combinations[row.number][i]);
  const auto numbers = numbers_of(row.summary);
  const auto figure = [&](const char* name) {
    const auto found = numbers.find(name);
    return found == numbers.end() ? std::optional<double>() : found->second;
  };
  const auto value = monitored(row), loss = figure("loss"), seconds = figure("seconds");
  if (is_measured()) {
    cells.push_back(value ? fmt::format("{:.4f}", *value) : "-");
    cells.push_back(loss ? fmt::format("{:.4f}", *loss) : "-");
  }
  cells.push_back(seconds ? duration_text(*seconds) : "-");
  cells.push_back(row.is_failed() ? "failed" : row.status);
  return cells;
}

std::string SweepTable::csv() const {
  std::vector<std::string> figures;  // "test accuracy", of any run
  for (const SweepRow& row : rows_)
    for (const auto& [name, value] : numbers_of(row.summary))
      if (std::find(figures.begin(), figures.end(), name) == figures.end()) figures.push_back(name);
  std::string text = "run";
  for (const SweepAxis& axis : plan_.axes) text += "," + csv_cell(axis.path);
  text += ",status";
  for (const std::string& name : figures) text += "," + csv_cell(name);
  text += ",folder\n";
  for (const SweepRow& row : rows_) {
    text += row.name();
    for (const std::string& value : plan_.combinations[row.number]) text += "," + csv_cell(value);
    text += "," + csv_cell(row.status + (row.reason.empty() ? "" : ": " + row.reason));
    const auto numbers = numbers_of(row.summary);
    for (const std::string& name : figures) {
      const auto found = numbers.find(name);
      text += found == numbers.end() ? "," : fmt::format(",{:.9g}", found->second);
    }
    text += "," + csv_cell(row.folder) + "\n";
  }
  return text;
}

}  // namespace plait::inline cli
