// `plait sweep`: a run for each combination of settings, each a program of its own, and a table at the end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/session.h"
#include "cli/share_folder.h"
#include "cli/stop_signals.h"
#include "cli/sweep_axes.h"
#include "report/format.h"
#include "train/run_folder.h"

namespace plait {
namespace po = boost::program_options;
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

Words words_of(const po::variables_map& given, const char* name) {
  return given.count(name) ? given[name].as<Words>() : Words{};
}

// What the sweep goes through; the axes of --set first, then those of --var.
struct SweepPlan {
  std::vector<SweepAxis> axes;
  size_t sets = 0;
  std::vector<std::vector<std::string>> combinations;
  std::string setting(size_t axis, const std::string& value) const { return axes[axis].path + "=" + value; }
  bool varies(size_t axis) const { return axes[axis].is_interval || axes[axis].values.size() > 1; }
};

struct Row {
  size_t number = 0;  // of the combination, from 0
  std::string folder;
  std::string status;  // "complete", "stopped", or how it failed
  std::optional<double> monitored;
  Json summary = Json::object();
};

struct Monitor {
  std::string name = "loss";
  bool higher_is_better = false;
};

Result<SweepPlan> read_plan(const po::variables_map& given) {
  SweepPlan plan;
  for (const char* option : {"set", "var"}) {
    for (const std::string& word : words_of(given, option)) {
      PLAIT_ASSIGN(SweepAxis axis, sweep_axis(word));
      plan.axes.push_back(std::move(axis));
      plan.sets += std::string(option) == "set";
    }
  }
  const int draws = given["random"].as<int>();
  if (draws < 0) return Status(Code::kUsage, fmt::format("sweep: --random: got {}, wanted 1 or more", draws));
  if (draws > 0) {
    plan.combinations = random_search(plan.axes, draws, given["seed"].as<uint64_t>());
  } else {
    PLAIT_ASSIGN(plan.combinations, grid(plan.axes));
  }
  return plan;
}

// Loads the job of the first combination: mistakes in the file are found before anything runs.
Result<Session> first_session(const po::variables_map& given, const SweepPlan& plan,
                              const std::string& file) {
  Words sets, vars;
  for (size_t i = 0; i < plan.axes.size(); ++i)
    (i < plan.sets ? sets : vars).push_back(plan.setting(i, plan.combinations[0][i]));
  po::variables_map first;
  for (const char* name : {"plugin", "del"})
    if (given.count(name)) first.insert({name, given[name]});
  first.insert({"set", po::variable_value(boost::any(sets), false)});
  first.insert({"var", po::variable_value(boost::any(vars), false)});
  return load_session(first, file);
}

Result<Monitor> find_monitor(const Session& session) {
  std::string wanted = session.job.evaluate.monitor;
  for (const MetricSpec& metric : session.job.metrics) {
    PLAIT_ASSIGN(const auto* ops, session.registry->ops<plait_metric_ops>(metric.plugin.id()));
    for (uint32_t i = 0; i < ops->n_values; ++i) {
      if (wanted.empty() || wanted == ops->values[i]->name)
        return Monitor{ops->values[i]->name, ops->values[i]->higher_is_better != 0};
    }
  }
  return Monitor{};
}

// The line of a log that says why a run failed: the first error, else the last line.
std::string reason_in(const std::string& log) {
  std::istringstream lines(log);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error: ") != std::string::npos) return line;
    if (line.find_first_not_of(' ') != std::string::npos) last = line;
  }
  return last;
}

// The figures of the records that the best weights were chosen by; without them those of the test, then of
// training.
std::string measured_on(const Json& summary, const std::string& metric) {
  for (const char* name : {"best_validation", "validation", "test"})
    if (summary.contains(name) && summary[name].contains(metric) && summary[name][metric].is_number())
      return name;
  return "";
}

// The sweep while it goes on.
class Sweep {
 public:
  Sweep(const po::variables_map& given, std::string file, std::string folder, SweepPlan plan, Monitor monitor)
      : given_(given),
        file_(std::move(file)),
        folder_(std::move(folder)),
        plan_(std::move(plan)),
        monitor_(std::move(monitor)) {}

  Status run(const std::atomic<bool>& stop) {
    const auto jobs = static_cast<size_t>(std::max(1, given_["jobs"].as<int>()));
    size_t next = 0;
    while (next < plan_.combinations.size() || !running_.empty()) {
      const bool more = next < plan_.combinations.size() && !stop.load();
      if (more && running_.size() < jobs) {
        PLAIT_TRY(start(next++));
      } else if (running_.empty()) {
        break;  // asked to stop
      } else {
        PLAIT_ASSIGN(const Ending ending, wait_for_any());
        finish(ending);
      }
    }
    stopped_ = next < plan_.combinations.size();
    return {};
  }

  bool stopped() const { return stopped_; }
  bool any_complete() const {
    return std::any_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.status == "complete"; });
  }

  // Best first; those without a figure last, in their order.
  void sort() {
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const Row& a, const Row& b) { return a.number < b.number; });
    std::stable_sort(rows_.begin(), rows_.end(), [&](const Row& a, const Row& b) {
      if (!a.monitored || !b.monitored) return a.monitored.has_value() && !b.monitored.has_value();
      return monitor_.higher_is_better ? *a.monitored > *b.monitored : *a.monitored < *b.monitored;
    });
  }

  std::string table() const {
    std::vector<std::vector<std::string>> cells = {heading()};
    for (const Row& row : rows_) cells.push_back(cells_of(row));
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

  std::string csv() const {
    std::vector<std::string> figures;  // "test accuracy", of any run
    for (const Row& row : rows_)
      for (const auto& [name, value] : numbers_of(row.summary))
        if (std::find(figures.begin(), figures.end(), name) == figures.end()) figures.push_back(name);
    std::string text = "run";
    for (const SweepAxis& axis : plan_.axes) text += "," + csv_cell(axis.path);
    text += ",status";
    for (const std::string& name : figures) text += "," + csv_cell(name);
    text += ",folder\n";
    for (const Row& row : rows_) {
      text += run_name(row.number);
      for (const std::string& value : plan_.combinations[row.number]) text += "," + csv_cell(value);
      text += "," + csv_cell(row.status);
      const auto numbers = numbers_of(row.summary);
      for (const std::string& name : figures) {
        const auto found = numbers.find(name);
        text += found == numbers.end() ? "," : fmt::format(",{:.9g}", found->second);
      }
      text += "," + csv_cell(row.folder) + "\n";
    }
    return text;
  }

 private:
  static std::string run_name(size_t number) { return fmt::format("{:03}", number + 1); }
  static std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
  }

  static std::map<std::string, double> numbers_of(const Json& summary) {
    std::map<std::string, double> numbers;
    for (const auto& [name, value] : summary.items()) {
      if (value.is_number()) numbers[name] = value.get<double>();
      if (!value.is_object()) continue;
      for (const auto& [inner, figure] : value.items())
        if (figure.is_number()) numbers[name + " " + inner] = figure.get<double>();
    }
    return numbers;
  }

  // "optimizer.sgd.rate=0.1 ..." of the settings that vary.
  std::string settings_text(size_t number) const {
    std::string text;
    for (size_t i = 0; i < plan_.axes.size(); ++i)
      if (plan_.varies(i))
        text += (text.empty() ? "" : "  ") + plan_.setting(i, plan_.combinations[number][i]);
    return text;
  }

  std::vector<std::string> heading() const {
    std::vector<std::string> cells = {"RUN"};
    for (size_t i = 0; i < plan_.axes.size(); ++i)
      if (plan_.varies(i)) cells.push_back(plan_.axes[i].path);
    cells.insert(cells.end(), {measured_name(), "LOSS", "TIME", "STATUS"});
    return cells;
  }
  std::string measured_name() const {
    for (const Row& row : rows_)
      if (const std::string on = measured_on(row.summary, monitor_.name); !on.empty())
        return on + " " + monitor_.name;
    return monitor_.name;
  }
  std::vector<std::string> cells_of(const Row& row) const {
    std::vector<std::string> cells = {run_name(row.number)};
    for (size_t i = 0; i < plan_.axes.size(); ++i)
      if (plan_.varies(i)) cells.push_back(plan_.combinations[row.number][i]);
    const auto numbers = numbers_of(row.summary);
    const auto figure = [&](const char* name) {
      return numbers.count(name) ? numbers.at(name) : std::nan("");
    };
    cells.push_back(row.monitored ? fmt::format("{:.4f}", *row.monitored) : "-");
    cells.push_back(numbers.count("loss") ? fmt::format("{:.4f}", figure("loss")) : "-");
    cells.push_back(numbers.count("seconds") ? duration_text(figure("seconds")) : "-");
    cells.push_back(row.status);
    return cells;
  }

  Status start(size_t number) {
    Row row;
    row.number = number;
    row.folder = folder_ + "/" + run_name(number);
    PLAIT_TRY(files_.make_directories(row.folder));
    PLAIT_ASSIGN(const pid_t process, start_program(command_of(row), row.folder + "/log.txt"));
    running_[process] = std::move(row);
    return {};
  }

  Words command_of(const Row& row) const {
    Words words;
    std::istringstream launcher(given_["launcher"].as<std::string>());
    for (std::string word; launcher >> word;) words.push_back(word);
    words.insert(words.end(), {program_path(), "run", file_, "--run-dir", row.folder, "--progress", "none"});
    for (const char* name : {"plugin", "del"})
      for (const std::string& value : words_of(given_, name))
        words.insert(words.end(), {std::string("--") + name, value});
    for (size_t i = 0; i < plan_.axes.size(); ++i)
      words.insert(words.end(),
                   {i < plan_.sets ? "--set" : "--var", plan_.setting(i, plan_.combinations[row.number][i])});
    for (const char* name : {"threads", "max-steps"})
      if (given_.count(name))
        words.insert(words.end(), {std::string("--") + name, given_[name].as<std::string>()});
    return words;
  }

  void finish(const Ending& ending) {
    const auto found = running_.find(ending.process);
    if (found == running_.end()) return;
    Row row = std::move(found->second);
    running_.erase(found);
    if (const auto text = files_.read(row.folder + "/summary.json")) {
      Json json = Json::parse(*text, nullptr, false);
      if (json.is_object()) row.summary = std::move(json);
    }
    row.status = row.summary.value("status", std::string("no summary"));
    if (ending.signal != 0 || (ending.exit_status != 0 && ending.exit_status != kExitStopped)) {
      const auto log = files_.read(row.folder + "/log.txt");
      row.status = ending.text();
      if (const std::string line = log ? reason_in(*log) : ""; !line.empty()) row.status += ": " + line;
    }
    const std::string on = measured_on(row.summary, monitor_.name);
    if (!on.empty()) row.monitored = row.summary[on][monitor_.name].get<double>();
    if (on.empty() && monitor_.name == "loss" && row.summary.contains("loss") &&
        row.summary["loss"].is_number())
      row.monitored = row.summary["loss"].get<double>();
    rows_.push_back(std::move(row));
    print_progress(rows_.back());
  }

  void print_progress(const Row& row) const {
    const std::string value =
        row.monitored ? fmt::format("{} {:.4f}", monitor_.name, *row.monitored) : row.status;
    std::fputs(fmt::format("[{}/{}] {}  {}  {}\n", rows_.size(), plan_.combinations.size(),
                           run_name(row.number), settings_text(row.number), value)
                   .c_str(),
               stdout);
    std::fflush(stdout);
  }

  const po::variables_map& given_;
  std::string file_, folder_;
  SweepPlan plan_;
  Monitor monitor_;
  SystemFiles files_;
  std::map<pid_t, Row> running_;
  std::vector<Row> rows_;
  bool stopped_ = false;
};

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "sweep: wanted a pipeline file"};
  const std::string file = given["file"].as<std::string>();
  PLAIT_ASSIGN(SweepPlan plan, read_plan(given));
  PLAIT_ASSIGN(const Session session, first_session(given, plan, file));
  PLAIT_ASSIGN(const Monitor monitor, find_monitor(session));
  SystemFiles files;
  std::string folder = given["sweep-dir"].as<std::string>();
  if (folder.empty()) folder = default_run_dir(files, "sweep-" + session.job.name, SystemClock().wall());
  if (files.exists(folder + "/table.csv"))
    return {Code::kInvalid, "sweep: \"" + folder + "\" holds a sweep already; say another --sweep-dir"};
  PLAIT_TRY(files.make_directories(folder));
  std::printf("%zu runs into %s\n", plan.combinations.size(), folder.c_str());

  Sweep sweep(given, file, folder, std::move(plan), monitor);
  PLAIT_TRY(sweep.run(watch_stop_signals()));
  sweep.sort();
  std::fputs(("\n" + sweep.table()).c_str(), stdout);
  PLAIT_TRY(files.write_atomically(folder + "/table.csv", sweep.csv()));
  std::printf("\nThe table: %s/table.csv\n", folder.c_str());
  if (sweep.stopped()) return kExitStopped;
  return sweep.any_complete() ? kExitOk : kExitJob;
}

}  // namespace

Command sweep_command() {
  Command command{"sweep",
                  "FILE --set PATH=choice(A,B)",
                  "run a job with many settings; a table at the end",
                  {},
                  {"file"},
                  run};
  command.options.add_options()("file", po::value<std::string>()->value_name("FILE"), "the pipeline file")(
      "random", po::value<int>()->default_value(0)->value_name("N"),
      "N combinations at random; 0: all of them")(
      "seed", po::value<uint64_t>()->default_value(1)->value_name("S"), "of the random search")(
      "sweep-dir", po::value<std::string>()->default_value("")->value_name("DIR"),
      "folder of the runs (default: runs/sweep-<pipeline>-<time>)")(
      "jobs", po::value<int>()->default_value(1)->value_name("N"), "runs at a time")(
      "launcher", po::value<std::string>()->default_value("")->value_name("WORDS"),
      "before each run, as in \"mpirun -n 4\"")("threads", po::value<std::string>()->value_name("N"),
                                                "threads of a run")(
      "max-steps", po::value<std::string>()->value_name("N"), "stop a run after so many steps of a shard")(
      "plugin", po::value<Words>()->value_name("FILE"),
      "load a plugin (or a folder of them); may be repeated")(
      "set", po::value<Words>()->value_name("PATH=VALUES"),
      "values of a field: choice(A,B,...), also of whole plugins "
      "(optimizer=choice(NAME{FIELD:VALUE},NAME{})); "
      "range(LOW,HIGH,STEP); log(LOW,HIGH,COUNT); one value")(
      "var", po::value<Words>()->value_name("NAME=VALUES"), "the same for a variable of the file")(
      "del", po::value<Words>()->value_name("PATH"), "leave out a field in all runs");
  return command;
}

}  // namespace plait
