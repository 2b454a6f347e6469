// `plait sweep`: a run for each combination of settings, each a program of its own, and a table at the end.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/regular_file.h"
#include "base/shown.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/session.h"
#include "cli/share_folder.h"
#include "cli/sweep_folder.h"
#include "cli/sweep_table.h"
#include "cluster/host_name.h"
#include "io/child_process.h"
#include "io/stop_signals.h"
#include "report/format.h"
#include "report/output.h"
#include "train/metric_values.h"
#include "train/run_folder.h"
#include "train/run_identity.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

constexpr int kMostDraws = 100'000;  // of a random search
constexpr size_t kMostTried = 1000;  // values that are looked at before anything runs,
constexpr size_t kMostShaped = 50;   // and those whose shapes are, which opens the source
// For a run to end, before looking whether to stop.
constexpr std::chrono::milliseconds kPatience{200};

Words words_of(const po::variables_map& given, const char* name) {
  return given.count(name) ? given[name].as<Words>() : Words{};
}

Result<SweepPlan> read_plan(const po::variables_map& given) {
  SweepPlan plan;
  std::set<std::string> paths;
  for (const char* option : {"set", "var"}) {
    for (const std::string& word : words_of(given, option)) {
      PLAIT_ASSIGN(SweepAxis axis, sweep_axis(word));
      if (!paths.insert(std::string(option) + axis.path).second)
        return Status(Code::kUsage, fmt::format("sweep: --{} {} is given twice", option, axis.path));
      plan.axes.push_back(std::move(axis));
      plan.sets += std::string(option) == "set";
    }
  }
  const int draws = given["random"].as<int>();
  if (draws > 0) {
    plan.combinations = random_search(plan.axes, draws, given["seed"].as<uint64_t>());
  } else {
    PLAIT_ASSIGN(plan.combinations, grid(plan.axes));
  }
  return plan;
}

// What decides the bits of the runs, their data apart, which each run compares itself.
Result<Json> facts_of(const Session& session) {
  PLAIT_ASSIGN(const Identity identity, identity_of(*session.registry, session.job, program_identity(), 0));
  Json facts = Json::object();
  for (const Fact& fact : identity) facts[fact.part + ": " + fact.name] = fact.value;
  return facts;
}

// All that decides which runs there are, and what comes of them.
Result<Json> recipe_of(const po::variables_map& given, const std::string& file, const Session& session) {
  // A command line may hold any bytes, JSON only UTF-8.
  Json recipe = {{"file", shown(file)}};
  for (const char* name : {"set", "var", "del", "plugin"}) {
    recipe[name] = Json::array();
    for (const std::string& word : words_of(given, name)) recipe[name].push_back(shown(word));
  }
  recipe["random"] = given["random"].as<int>();
  recipe["seed"] = given["seed"].as<uint64_t>();
  recipe["max_steps"] = given["max-steps"].as<int64_t>();
  PLAIT_ASSIGN(recipe["first_run"], facts_of(session));
  return recipe;
}

// The changes of a combination, in the order written. Axes are the sets, then the variables.
std::vector<JobChange> changes_with(const po::variables_map& given, const SweepPlan& plan,
                                    const Words& values) {
  std::vector<JobChange> changes = changes_of(given);
  size_t set = 0, variable = plan.sets;
  for (JobChange& change : changes) {
    if (change.kind == JobChange::Kind::kDelete) continue;
    const size_t axis = change.kind == JobChange::Kind::kSet ? set++ : variable++;
    change.text = plan.setting(axis, values[axis]);
  }
  return changes;
}

// The settings of a combination as run would be given them.
JobOptions options_of(const po::variables_map& given, const SweepPlan& plan, const Words& values) {
  JobOptions options;
  options.changes = changes_with(given, plan, values);
  for (size_t i = plan.sets; i < plan.axes.size(); ++i) options.vars[plan.axes[i].path] = values[i];
  return options;
}

// Draws again where intervals are of fields, or variables, that only take whole numbers.
void draw_whole_numbers(const po::variables_map& given, SweepPlan& plan, const Registry& registry,
                        const std::string& file) {
  Words values = plan.combinations[0];
  for (size_t i = 0; i < values.size(); ++i)
    if (const auto test = whole_test(plan.axes[i])) values[i] = test->whole;
  const auto is_good = [&] { return load_job(registry, file, options_of(given, plan, values)).is_ok(); };
  for (size_t i = 0; i < values.size(); ++i) {
    const auto test = whole_test(plan.axes[i]);
    if (!test) continue;
    values[i] = test->between;
    const bool takes_fractions = is_good();
    values[i] = test->whole;
    plan.axes[i].is_whole = !takes_fractions && is_good();
  }
  if (std::ranges::any_of(plan.axes, &SweepAxis::is_whole))
    plan.combinations = random_search(plan.axes, given["random"].as<int>(), given["seed"].as<uint64_t>());
}

// Loads and shapes the job of the first combination, and of each other value: mistakes are found before
// anything runs.
Result<Session> check_plan(const po::variables_map& given, SweepPlan& plan, const std::string& file) {
  PLAIT_ASSIGN(const PluginScan scan, scan_plugins(file, options_of(given, plan, plan.combinations[0]).vars));
  Session session;
  PLAIT_ASSIGN(session.registry, load_registry(given, scan));
  draw_whole_numbers(given, plan, *session.registry, file);
  const Words& first = plan.combinations[0];
  const JobOptions options = options_of(given, plan, first);
  PLAIT_ASSIGN(session.job, load_job(*session.registry, file, options));
  PLAIT_TRY(check_shapes(*session.registry, session.job));
  std::set<std::pair<size_t, std::string>> tried;
  for (const Words& values : plan.combinations)
    for (size_t i = 0; i < values.size() && tried.size() < kMostTried; ++i) {
      if (values[i] == first[i] || !tried.emplace(i, values[i]).second) continue;
      Words changed = first;
      changed[i] = values[i];
      const JobOptions settings = options_of(given, plan, changed);
      const auto fault = [&](const Status& status) {
        return status.at("with " + plan.setting(i, values[i]));
      };
      auto job = load_job(*session.registry, file, settings);
      if (!job) return job.status();
      if (tried.size() <= kMostShaped) PLAIT_TRY(fault(check_shapes(*session.registry, *job)));
    }
  return session;
}

Result<Monitor> find_monitor(const Session& session) {
  if (session.job.is_stages_only()) return Monitor{"", false};
  const std::string& wanted = session.job.evaluate.monitor;
  PLAIT_ASSIGN(const auto reported, values_of_job(*session.registry, session.job));
  for (const ReportedValue& value : reported)
    if (wanted.empty() || wanted == value.name) return Monitor{value.name, value.higher_is_better};
  return Monitor();
}

// The line of a log that says why a run failed: the first error, else the last line.
std::string reason_in(const std::string& log) {
  std::istringstream lines(log);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error: ") != std::string::npos) return line;
    if (line.find_first_not_of(' ') != std::string::npos) last = line;
  }
  return last.starts_with("plait: ") ? last.substr(7) : last;
}

// Begins a run, whose text goes to `log`. Ctrl-C at a terminal is for the sweep, which passes it on. When the
// sweep dies, its runs are asked to end.
Result<ChildProcess> start_run(WaitLoop& loop, const Words& words, const std::string& log) {
  const Descriptor file(
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (!file.is_open()) return {Code::kIo, "\"" + log + "\": " + std::strerror(errno)};
  return ChildProcess::start(
      loop, words,
      {.out = file.get(), .err = file.get(), .group = ChildSetup::Group::kOwn, .at_parents_end = SIGTERM});
}

// The sweep while it goes on.
class Sweep {
 public:
  Sweep(const po::variables_map& given, std::string file, std::string folder, const SweepPlan& plan,
        const Monitor& monitor, WaitLoop loop)
      : loop_(std::move(loop)),
        given_(given),
        file_(std::move(file)),
        folder_(std::move(folder)),
        plan_(plan),
        table_(plan, monitor) {}
  // A sweep that cannot go on leaves its runs to save what they have.
  ~Sweep() {
    for (Running& one : running_) one.process.leave();
  }

  Status run(const std::atomic<bool>& stop) {
    const auto jobs = static_cast<size_t>(given_["jobs"].as<int>());
    size_t next = 0;
    while (next < plan_.combinations.size() || !running_.empty()) {
      if (stop.load()) PLAIT_TRY(ask_to_stop());
      const bool more = next < plan_.combinations.size() && !is_stopping_;
      if (more && running_.size() < jobs) {
        PLAIT_TRY(take_up(next++));
      } else if (running_.empty()) {
        break;
      } else {
        loop_.wait(kPatience);
        finish_ended();
      }
    }
    table_.sort();
    return {};
  }

  const SweepTable& table() const { return table_; }
  bool is_whole() const { return !is_stopping_ || table_.complete() == plan_.combinations.size(); }

 private:
  // Each run once: a second signal would end it before it has saved.
  Status ask_to_stop() {
    if (is_stopping_) return {};
    is_stopping_ = true;
    print_now(
        fmt::format("stopping: {} running, which save first (Ctrl-C again: at once)\n", running_.size()));
    for (Running& one : running_) one.process.send(SIGUSR1);  // mpirun hands this one on
    return {};
  }

  // Begins a run, goes on with it, or takes it as it is.
  Status take_up(size_t number) {
    SweepRow row;
    row.number = number;
    row.folder = folder_ + "/" + row.name();
    PLAIT_TRY(files_.make_directories(row.folder));
    read_summary(row);
    if (row.is_complete()) return tell(std::move(row), ", from before"), Status();
    const auto checkpoints = files_.list(checkpoints_path(row.folder));
    const bool has_checkpoint = checkpoints && !checkpoints->empty();
    PLAIT_ASSIGN(ChildProcess process,
                 start_run(loop_, command_of(row, has_checkpoint), row.folder + "/log.txt"));
    running_.push_back({std::move(process), std::move(row)});
    return {};
  }

  Words command_of(const SweepRow& row, bool resume) const {
    Words words;
    std::istringstream launcher(given_["launcher"].as<std::string>());
    for (std::string word; launcher >> word;) words.push_back(word);
    words.insert(words.end(), {program_path(), "run", file_, "--run-dir", row.folder, "--progress", "none"});
    if (resume) words.push_back("--resume");
    if (given_.count("trust")) words.push_back("--trust");
    for (const std::string& value : words_of(given_, "plugin"))
      words.insert(words.end(), {"--plugin", value});
    for (const char* name : {"locked", "lock"})
      if (given_.count(name)) words.insert(words.end(), {"--locked", given_[name].as<std::string>()});
    for (const auto& [kind, text, from] : changes_with(given_, plan_, plan_.combinations[row.number]))
      words.insert(words.end(), {kind == JobChange::Kind::kSet      ? "--set"
                                 : kind == JobChange::Kind::kDelete ? "--del"
                                                                    : "--var",
                                 text});
    if (const int threads = given_["threads"].as<int>(); threads > 0)
      words.insert(words.end(), {"--threads", std::to_string(threads)});
    if (const int64_t steps = given_["max-steps"].as<int64_t>(); steps > 0)
      words.insert(words.end(), {"--max-steps", std::to_string(steps)});
    return words;
  }

  void read_summary(SweepRow& row) {
    row.summary = Json::object();
    if (const auto text = files_.read(row.folder + "/summary.json")) {
      Json json = check_json_bounds(*text, kSmallJson) ? parse_json<Json>(*text) : Json();
      if (json.is_object()) row.summary = std::move(json);
    }
    const auto status = row.summary.find("status");
    row.status =
        status != row.summary.end() && status->is_string() ? status->get<std::string>() : "no summary";
  }

  void finish_ended() {
    for (auto one = running_.begin(); one != running_.end();) {
      if (one->process.has_ended()) {
        finish(std::move(one->row), one->process.ending());
        one = running_.erase(one);
      } else {
        ++one;
      }
    }
  }

  void finish(SweepRow row, const Ending& ending) {
    read_summary(row);
    const bool is_well =
        ending.signal == 0 && (ending.exit_status == 0 || ending.exit_status == kExitStopped);
    if (!is_well && is_stopping_ && ending.signal == SIGUSR1) {
      row.status = "stopped";  // before it had begun
    } else if (!is_well) {
      const auto log = files_.read(row.folder + "/log.txt");
      row.status = ending.text();
      row.reason = log ? reason_in(*log) : "";
    }
    tell(std::move(row), "");
  }

  void tell(SweepRow row, const std::string& remark) {
    const Json seconds = row.summary.contains("seconds") ? row.summary["seconds"] : Json();
    const std::string time =
        seconds.is_number() && !row.is_failed() ? " in " + duration_text(seconds.get<double>()) : "";
    const std::string settings = plan_.settings_text(row.number);
    print_now(fmt::format("[{}/{}] {}  {}{}{}{}{}\n", table_.rows().size() + 1, plan_.combinations.size(),
                          row.name(), settings, settings.empty() ? "" : "  ", table_.outcome(row), time,
                          remark));
    table_.add(std::move(row));
  }

  struct Running {
    ChildProcess process;
    SweepRow row;
  };

  WaitLoop loop_;
  const po::variables_map& given_;
  std::string file_, folder_;
  const SweepPlan& plan_;
  SweepTable table_;
  SystemFiles files_;
  std::list<Running> running_;
  bool is_stopping_ = false;
};

Result<std::string> folder_of(const po::variables_map& given, Files& files, const std::string& job) {
  const std::string folder = given["sweep-dir"].as<std::string>();
  if (!folder.empty()) return folder;
  if (given.count("resume")) {
    const auto newest = newest_run_dir(files, "sweep-" + job);
    if (newest) return newest;
    return {Code::kNotFound, "sweep: no runs/sweep-" + job + "-* to go on with; say which by --sweep-dir"};
  }
  return default_run_dir(files, "sweep-" + job, SystemClock().wall());
}

std::string runs_text(size_t count) { return fmt::format("{} {}", count, count == 1 ? "run" : "runs"); }

// What follows the table.
std::string end_text(const Sweep& sweep, const SweepPlan& plan, const std::string& folder) {
  std::string text = fmt::format("\nThe table: {}/table.csv\n", folder);
  if (!sweep.is_whole())
    text += fmt::format("{} of {} complete; to go on, the same command with --resume --sweep-dir {}\n",
                        sweep.table().complete(), runs_text(plan.combinations.size()), folder);
  return text;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "sweep: wanted a pipeline file"};
  const std::string file = given["file"].as<std::string>();
  PLAIT_ASSIGN(SweepPlan plan, read_plan(given));
  PLAIT_ASSIGN(const Session session, check_plan(given, plan, file));
  PLAIT_ASSIGN(const Monitor monitor, find_monitor(session));
  SystemFiles files;
  PLAIT_ASSIGN(const std::string path, folder_of(given, files, session.job.name));
  PLAIT_ASSIGN(const Json recipe, recipe_of(given, file, session));
  PLAIT_ASSIGN(const SweepFolder folder,
               SweepFolder::open(files, path, recipe, given.count("resume") > 0,
                                 holder_text(this_host_name(), SystemClock().wall())));
  reader_may_leave();
  if (!folder.warning().empty()) print_now(folder.warning() + "\n");
  print_now(fmt::format("{} into {}; each writes to log.txt in its folder\n",
                        runs_text(plan.combinations.size()), path));

  PLAIT_ASSIGN(WaitLoop loop, WaitLoop::create());
  Sweep sweep(given, file, path, plan, monitor, std::move(loop));
  PLAIT_ASSIGN(const std::atomic<bool>* stop, watch_stop_signals());
  PLAIT_TRY(sweep.run(*stop));
  print("\n" + sweep.table().text());
  PLAIT_TRY(files.write_atomically(path + "/table.csv", sweep.table().csv()));
  print(end_text(sweep, plan, path));
  if (!sweep.is_whole()) return kExitStopped;
  return sweep.table().complete() > 0 ? kExitOk : kExitJob;
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
      "random", whole_number(0, kMostDraws)->default_value(0)->value_name("N"),
      "N combinations at random; 0: all of them")("seed", any_seed()->default_value(1)->value_name("S"),
                                                  "of the random search")(
      "sweep-dir", po::value<std::string>()->default_value("")->value_name("DIR"),
      "folder of the runs (default: runs/sweep-<pipeline>-<time>)")(
      "jobs", whole_number(1, kMostThreads)->default_value(1)->value_name("N"), "runs at a time")(
      "launcher", po::value<std::string>()->default_value("")->value_name("WORDS"),
      "before each run, as in \"mpirun -n 4\"")(
      "resume", "go on with the sweep of the folder: runs that are complete stay")(
      "threads", whole_number(0, kMostThreads)->default_value(0)->value_name("N"), "threads of a run")(
      "max-steps", whole_number(int64_t{0}, kMostSteps)->default_value(0)->value_name("N"),
      "stop a run after so many steps of a shard")("plugin", po::value<Words>()->value_name("FILE"),
                                                   "load a plugin (or a folder of them); may be repeated")(
      "set", po::value<Words>()->value_name("PATH=VALUES"),
      "values of a field: choice(A,B,...), also of whole plugins "
      "(optimizer=choice(NAME{FIELD:VALUE},NAME{})); "
      "range(LOW,HIGH,STEP); log(LOW,HIGH,COUNT); with --random also range(LOW,HIGH) and log(LOW,HIGH), any "
      "number between that the field takes; one value")("var", po::value<Words>()->value_name("NAME=VALUES"),
                                                        "the same for a variable of the file")(
      "del", po::value<Words>()->value_name("PATH"), "leave out a field in all runs");
  command.options.add(trust_options()).add(lock_options());
  return command;
}

}  // namespace plait::inline cli
