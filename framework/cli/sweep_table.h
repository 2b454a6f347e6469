// What came of the runs of a sweep: rows, best first, for people and as .csv.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/sweep_axes.h"

namespace plait::inline cli {

// What a sweep goes through; the axes of --set first, then those of --var.
struct SweepPlan {
  std::vector<SweepAxis> axes;
  size_t sets = 0;
  std::vector<std::vector<std::string>> combinations;

  std::string setting(size_t axis, const std::string& value) const { return axes[axis].path + "=" + value; }
  bool varies(size_t axis) const { return axes[axis].is_interval || axes[axis].values.size() > 1; }
  // "optimizer.sgd.rate=0.1  ..." of what varies.
  std::string settings_text(size_t combination) const;
};

// The figure that the rows are ordered by.
struct Monitor {
  std::string name = "loss";  // "": nothing is trained that could be measured
  bool higher_is_better = false;
};

struct SweepRow {
  size_t number = 0;  // of the combination, from 0
  std::string folder;
  std::string
      status;  // of the summary, "stopped" or "complete"; how the run ended where that was no good end
  std::string reason;  // "" or the line that says why
  nlohmann::ordered_json summary = nlohmann::ordered_json::object();

  std::string name() const;  // "001"
  bool is_complete() const { return status == "complete"; }
  bool is_failed() const { return !is_complete() && status != "stopped"; }
};

class SweepTable {
 public:
  SweepTable(const SweepPlan& plan, Monitor monitor) : plan_(plan), monitor_(std::move(monitor)) {}

  void add(SweepRow row) { rows_.push_back(std::move(row)); }
  const std::vector<SweepRow>& rows() const { return rows_; }
  size_t complete() const;
  // "accuracy 0.9012", or what became of the run.
  std::string outcome(const SweepRow& row) const;
  // Best first; those without a figure last, in their order.
  void sort();

  // Headings and a line a run; below it why runs failed.
  std::string text() const;
  // Settings, status, all figures of the summaries and the folder of each run.
  std::string csv() const;

 private:
  bool is_measured() const { return !monitor_.name.empty(); }
  std::optional<double> monitored(const SweepRow& row) const;
  std::vector<std::string> heading() const;
  std::vector<std::string> cells_of(const SweepRow& row) const;

  const SweepPlan& plan_;
  Monitor monitor_;
  std::vector<SweepRow> rows_;
};

}  // namespace plait::inline cli
