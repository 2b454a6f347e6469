#include "train/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/csv_cell.h"
#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/one_nan.h"
#include "train/checkpoint.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPendingBytes = 1 << 16;
constexpr int64_t kMostSteps = int64_t{1} << 53;  // exact as double
constexpr const char* kCannot = "the run's folder cannot be written";

// JSON has no NaN and no infinity: they become null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double number_in(const Json& object, const char* name, double otherwise = 0) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

// -1 for what counts nothing: a file that was written into may say 1e300.
int64_t count_in(const Json& object, const char* name, int64_t most) {
  const double number = number_in(object, name);
  return number >= 0 && number <= static_cast<double>(most) ? static_cast<int64_t>(number) : -1;
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Json to_json(const NamedValues& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = number(value);
  return object;
}

std::string digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", one_nan(value));
  return text;
}

std::string utc_text(Clock::Nanoseconds wall, const char* format) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(wall).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, format, &utc);
  return text;
}

Json to_json(const RoundInfo& round) {
  Json object = {{"type", "round"},
                 {"stage", round.stage},
                 {"round", round.round},
                 {"step", round.step},
                 {"epoch", round.epoch},
                 {"samples", round.samples},
                 {"loss", number(round.loss)},
                 {"seconds", round.seconds},
                 {"samples_per_second", number(round.samples_per_second)}};
  if (!round.losses.empty()) object["losses"] = to_json(round.losses);
  return object;
}

Json to_json(const EvaluationInfo& evaluation) {
  return {
      {"type", "evaluation"},          {"stage", evaluation.stage}, {"step", evaluation.step},
      {"epoch", evaluation.epoch},     {"on", evaluation.on},       {"weights", evaluation.weights},
      {"records", evaluation.records}, {"best", evaluation.best},   {"values", to_json(evaluation.values)},
      {"seconds", evaluation.seconds}};
}

}  // namespace

std::string default_run_dir(Files& files, const std::string& job_name, Clock::Nanoseconds wall) {
  const std::string base =
      "runs/" + (job_name.empty() ? "job" : job_name) + "-" + utc_text(wall, "%Y%m%d-%H%M%S");
  std::string path = base;
  for (int n = 2; files.exists(path); ++n) path = base + "-" + std::to_string(n);
  return path;
}

Result<std::string> newest_run_dir(Files& files, const std::string& job_name) {
  const std::string prefix = (job_name.empty() ? "job" : job_name) + "-";
  std::string newest;
  if (files.exists("runs")) {
    PLAIT_ASSIGN(const std::vector<std::string> names, files.list("runs"));
    for (const std::string& name : names) {
      const bool mine = name.starts_with(prefix) &&
                        name.find_first_not_of("0123456789-", prefix.size()) == std::string::npos;
      if (mine && name > newest) newest = name;
    }
  }
  if (newest.empty())
    return Status(Code::kNotFound, "no run runs/" + prefix + "* to resume; say which by --run-dir");
  return "runs/" + newest;
}

std::string holder_text(const std::string& host, Clock::Nanoseconds wall) {
  return "pid " + std::to_string(::getpid()) + " on " + host + ", since " +
         utc_text(wall, "%Y-%m-%d %H:%M:%S UTC");
}

std::string checkpoints_path(const std::string& run_dir) { return run_dir + "/checkpoints"; }
std::string summary_path(const std::string& run_dir) { return run_dir + "/summary.json"; }
std::string resolved_path(const std::string& run_dir) { return run_dir + "/resolved.txtpb"; }

std::string weights_path(const std::string& run_dir, const std::string& which) {
  if (which == "last") return run_dir + "/weights.safetensors";
  if (which == "best") return checkpoints_path(run_dir) + "/best.safetensors";
  return which;
}

// A run that died before its first round has nothing to lose in beginning anew.
bool RunFolder::holds_a_run() {
  if (!files_.exists(resolved_path(run_dir_))) return false;
  if (files_.exists(summary_path(run_dir_))) return true;
  const auto names = files_.list(checkpoints_path(run_dir_));
  return names.is_ok() && std::ranges::any_of(*names, [](const std::string& name) {
           return name.ends_with(".ckpt") && name != kBeginningFile;
         });
}

Status RunFolder::lock(const std::string& holder) {
  PLAIT_TRY(files_.make_directories(run_dir_).at(kCannot));
  auto lock = files_.lock(run_dir_ + "/lock", holder);
  if (!lock && lock.status().code() == Code::kPeer)
    return {Code::kPeer, run_dir_ + ": another run writes into this folder: " + lock.status().message()};
  if (!lock) return lock.status().code() == Code::kUnsupported ? lock.status() : lock.status().at(kCannot);
  lock_ = std::move(lock).value();
  return {};
}

Status RunFolder::check_new(const std::string& instead) {
  if (!holds_a_run()) return {};
  return {Code::kInvalid, run_dir_ + " holds a run already; " + instead};
}

// What is as it was is left alone.
Status RunFolder::write_job(const std::string& resolved, const std::string& plugins) {
  const auto write = [&](const std::string& path, const std::string& text) -> Status {
    const auto there = files_.exists(path) ? files_.read(path) : Result<std::string>(std::string());
    if (there && *there == text) return {};
    return files_.write_atomically(path, text).at(kCannot);
  };
  if (!plugins.empty()) PLAIT_TRY(write(run_dir_ + "/plugins.lock", plugins));
  return write(resolved_path(run_dir_), resolved);
}

Status RunFolder::begin(const std::string& resolved, const std::string& plugins) {
  PLAIT_TRY(check_new());
  const std::string beginning = checkpoints_path(run_dir_) + "/" + kBeginningFile;
  for (const std::string& path : {run_dir_ + "/metrics.jsonl", run_dir_ + "/curve.csv", beginning})
    if (files_.exists(path)) PLAIT_TRY(files_.remove(path));
  PLAIT_TRY(files_.make_directories(checkpoints_path(run_dir_)).at(kCannot));
  return write_job(resolved, plugins);
}

Status RunFolder::resume(const Position& from, const std::string& resolved, const std::string& plugins) {
  PLAIT_TRY(write_job(resolved, plugins));
  const std::string path = run_dir_ + "/metrics.jsonl";
  if (!files_.exists(path)) return {};
  PLAIT_ASSIGN(const std::string text, files_.read(path));
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!check_json_bounds(line, kSmallJson)) continue;
    const Json json = parse_json<Json>(line);
    // A line that a crash cut, or that somebody wrote into.
    if (!json.is_object()) continue;
    const auto at_stage = static_cast<int>(count_in(json, "stage", std::numeric_limits<int>::max()));
    const int64_t at_step = count_in(json, "step", kMostSteps);
    if (at_stage < 0 || at_step < 0) continue;
    if (at_stage > from.stage || (at_stage == from.stage && at_step > from.step)) continue;
    const std::string on = text_in(json, "on");
    if (on == "test") continue;  // comes again at the end
    kept += line + "\n";
    train_loss_ = number_in(json, "loss", train_loss_);
    if (on != "validation") continue;
    EvaluationInfo evaluation;
    evaluation.stage = at_stage;
    evaluation.step = at_step;
    evaluation.epoch = number_in(json, "epoch");
    const auto values = json.find("values");
    if (values == json.end()) continue;
    for (const auto& [name, value] : values->items()) {
      evaluation.values.emplace_back(name, value.is_number() ? value.get<double>() : std::nan(""));
    }
    add_row(evaluation);
  }
  PLAIT_TRY(files_.write_atomically(path, kept));
  return write_curve();
}

Status RunFolder::add(const RoundInfo& round) {
  train_loss_ = round.loss;
  pending_ += json_text(to_json(round)) + "\n";
  return pending_.size() > kMostPendingBytes ? flush() : Status();
}

Status RunFolder::add(const EvaluationInfo& evaluation) {
  pending_ += json_text(to_json(evaluation)) + "\n";
  PLAIT_TRY(flush());
  if (evaluation.on != "validation") return {};
  add_row(evaluation);
  return write_curve();
}

Status RunFolder::flush() {
  if (pending_.empty()) return {};
  PLAIT_TRY(files_.append(run_dir_ + "/metrics.jsonl", pending_));
  pending_.clear();
  return {};
}

void RunFolder::add_row(const EvaluationInfo& evaluation) {
  curve_.push_back({evaluation.stage, evaluation.step, evaluation.epoch, train_loss_, evaluation.values});
}

// Columns are those of the first row of each stage; a stage with other values begins with a heading of its
// own.
Status RunFolder::write_curve() {
  std::string text, heading;
  for (const CurveRow& row : curve_) {
    std::string names = "stage,step,epoch,train_loss",
                values = std::to_string(row.stage) + "," + std::to_string(row.step) + "," +
                         digits(row.epoch) + "," + digits(row.train_loss);
    for (const auto& [name, value] : row.values) {
      names += "," + csv_cell("validation_" + name);
      values += "," + digits(value);
    }
    if (names != heading) text += names + "\n";
    heading = names;
    text += values + "\n";
  }
  return files_.write_atomically(run_dir_ + "/curve.csv", text);
}

Status RunFolder::save_beginning(const std::string& json) {
  const std::string path = run_dir_ + "/begun_with.json";
  if (!json.empty()) return files_.write_atomically(path, json);
  return files_.exists(path) ? files_.remove(path) : Status();
}

Result<std::string> RunFolder::beginning() {
  const std::string path = run_dir_ + "/begun_with.json";
  if (!files_.exists(path)) return std::string();
  PLAIT_ASSIGN(std::string json, files_.read(path));
  return check_json_bounds(json) ? json : std::string();
}

Status RunFolder::save_best(const TensorSources& weights) {
  return files_.write_pieces_atomically(weights_path(run_dir_, "best"), [&](const Files::Writer& writer) {
    return write_safetensors(weights, writer);
  });
}

Result<NamedTensors> RunFolder::read_best() {
  const std::string path = weights_path(run_dir_, "best");
  PLAIT_ASSIGN(const std::string bytes, files_.read(path));
  return from_safetensors(bytes, path);
}

Status RunFolder::save_weights(const NamedTensors& weights) {
  return files_.write_pieces_atomically(weights_path(run_dir_, "last"), [&](const Files::Writer& writer) {
    return write_safetensors(sources_of(weights), writer);
  });
}

Status RunFolder::save_summary(const Summary& summary) {
  PLAIT_TRY(flush());
  return files_.write_atomically(summary_path(run_dir_), summary.json());
}

std::string Change::text() const {
  if (round == kStages) return "other bits from its stages on (" + part + ": " + what + ")";
  return "other bits from round " + std::to_string(round) +
         (stage > 0 ? " of stage " + std::to_string(stage) : "") + " on (" + part + ": " + what + ")";
}

namespace {

// {"program": {"plait": "1.0.0, ..."}, "isa": {...}, ...}; the job is in resolved.txtpb.
Json to_json(const Identity& identity) {
  Json parts = Json::object();
  for (const Fact& fact : identity)
    if (fact.part != part::kJob && fact.part != part::kLength) parts[fact.part][fact.name] = fact.value;
  return parts;
}

Json to_json(const std::vector<TaskStageInfo>& stages) {
  Json list = Json::array();
  for (const TaskStageInfo& stage : stages) {
    list.push_back({{"name", stage.name},
                    {"task", stage.task},
                    {"output", stage.output},
                    {"sha256", stage.sha256},
                    {"kept", stage.is_kept},
                    {"tasks", stage.tasks},
                    {"tasks_by_rank", stage.tasks_by_rank},
                    {"records", stage.records},
                    {"skipped_records", stage.skipped_records},
                    {"passes", stage.passes},
                    {"pairs", stage.pairs},
                    {"results", stage.results},
                    {"bytes_shuffled", stage.bytes_shuffled},
                    {"bytes_spilled", stage.bytes_spilled},
                    {"seconds", number(stage.seconds)}});
    if (stage.is_keyed) list.back()["bytes_held"] = stage.bytes_held;
    if (!stage.values.empty()) list.back()["values"] = to_json(stage.values);
  }
  return list;
}

Json to_json(const std::vector<FitInfo>& fits) {
  Json list = Json::array();
  for (const FitInfo& fit : fits) {
    list.push_back({{"operator", fit.place},
                    {"kept", fit.is_kept},
                    {"tasks", fit.tasks},
                    {"tasks_by_rank", fit.tasks_by_rank},
                    {"records", fit.records},
                    {"skipped_records", fit.skipped_records},
                    {"bytes_shuffled", fit.bytes_shuffled},
                    {"seconds", number(fit.seconds)}});
  }
  return list;
}

Json to_json(const std::vector<EncoderInfo>& encoders) {
  Json list = Json::array();
  for (const EncoderInfo& encoder : encoders)
    list.push_back({{"stage", encoder.stage},
                    {"layers", encoder.layers},
                    {"records", encoder.records},
                    {"bytes", encoder.bytes},
                    {"in_file", encoder.in_file},
                    {"seconds", number(encoder.seconds)}});
  return list;
}

Json to_json(const std::vector<Change>& changes) {
  Json list = Json::array();
  for (const Change& change : changes) {
    const Json round = change.round == Change::kStages ? Json(nullptr) : Json(change.round);
    list.push_back({{"stage", change.stage},
                    {"round", round},
                    {"part", change.part},
                    {"what", change.what},
                    {"text", change.text()}});
  }
  return list;
}

}  // namespace

std::string Summary::json() const {
  if (is_stages_only) {
    const Json object = {{"status", status == RunStatus::kComplete ? "complete" : "stopped"},
                         {"ranks", ranks},
                         {"threads", threads},
                         {"seconds", number(seconds)},
                         {"stages", to_json(stages)},
                         {"changes", to_json(changes)},
                         {"fits", to_json(fits)},
                         {"identity", to_json(identity)}};
    return json_text(object, 2) + "\n";
  }
  Json list = Json::array();
  for (const Fault& fault : faults)
    list.push_back({{"round", fault.round}, {"rank", fault.rank}, {"what", fault.what}});
  Json object = {{"status", status == RunStatus::kComplete ? "complete" : "stopped"},
                 {"weights_sha256", weights_sha256},
                 {"best_weights_sha256", best_weights_sha256},
                 {"rounds", rounds},
                 {"steps", steps},
                 {"samples", samples},
                 {"ranks", ranks},
                 {"threads", threads},
                 {"shards", shards},
                 {"accumulate", accumulate},
                 {"clip", clip.empty() ? Json(nullptr) : Json(clip)},
                 {"average_decay", average_decay ? number(*average_decay) : Json(nullptr)},
                 {"restored_best", restored_best},
                 {"seconds", number(seconds)},
                 {"train_samples_per_second", number(train_samples_per_second)},
                 {"loss", number(loss)},
                 {"losses", to_json(losses)},
                 {"test", to_json(test)},
                 {"validation", to_json(validation)},
                 {"ended_early", ended_early},
                 {"best_epoch", number(best_epoch)},
                 {"best_validation", to_json(best_validation)},
                 {"best_test", to_json(best_test)},
                 {"tasks_by_rank", tasks_by_rank},
                 {"stages", to_json(stages)},
                 {"fits", to_json(fits)},
                 {"encoders", to_json(encoders)},
                 {"skipped_records", skipped_records},
                 {"faults", list},
                 {"changes", to_json(changes)},
                 {"identity", to_json(identity)}};
  // A file that somebody damaged since is no reason to lose the rest.
  const Json begun = parse_json<Json>(begun_with);
  if (begun.is_object()) object["begun_with"] = begun;
  return json_text(object, 2) + "\n";
}

}  // namespace plait::inline train
