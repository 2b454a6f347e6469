#include "report/json_lines.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "report/output.h"

namespace plait::inline report {
namespace {

using Json = nlohmann::ordered_json;

void write(std::FILE* stream, const Json& object) { print_now(json_text(object) + "\n", stream); }

Json values_of(const NamedValues& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = value;
  return object;
}

}  // namespace

void JsonLines::run_begun(const std::string& run_dir) {
  write(stream_, {{"event", "run"}, {"run_dir", run_dir}});
}

void JsonLines::stage_begun(const StageInfo& s) {
  write(stream_, {{"event", "stage"},
                  {"title", s.title},
                  {"stage", s.number},
                  {"pretraining", s.pretraining},
                  {"rounds", s.rounds},
                  {"first_round", s.first_round},
                  {"steps", s.steps},
                  {"epochs", s.epochs},
                  {"shards", s.shards},
                  {"local_steps", s.local_steps},
                  {"batch", s.batch},
                  {"ranks", s.ranks},
                  {"threads", s.threads},
                  {"parameters", s.parameters},
                  {"training_records", s.training_records},
                  {"validation_records", s.validation_records},
                  {"test_records", s.test_records}});
}

void JsonLines::round_finished(const RoundInfo& r) {
  Json object = {{"event", "round"},     {"stage", r.stage},
                 {"round", r.round},     {"rounds", r.rounds},
                 {"step", r.step},       {"epoch", r.epoch},
                 {"samples", r.samples}, {"loss", r.loss},
                 {"seconds", r.seconds}, {"samples_per_second", r.samples_per_second}};
  if (!r.losses.empty()) object["losses"] = values_of(r.losses);
  write(stream_, object);
}

void JsonLines::evaluated(const EvaluationInfo& e) {
  write(stream_, {{"event", "evaluation"},
                  {"on", e.on},
                  {"weights", e.weights},
                  {"stage", e.stage},
                  {"step", e.step},
                  {"epoch", e.epoch},
                  {"values", values_of(e.values)},
                  {"records", e.records},
                  {"best", e.best},
                  {"seconds", e.seconds}});
}

void JsonLines::checkpoint_saved(const std::string& path) {
  write(stream_, {{"event", "checkpoint"}, {"path", path}});
}

void JsonLines::profile(const std::vector<LayerTime>& times) {
  for (const LayerTime& t : times)
    write(stream_, {{"event", "profile"},
                    {"layer", t.layer},
                    {"phase", t.phase},
                    {"calls", t.calls},
                    {"seconds", t.seconds}});
}

void JsonLines::message(const std::string& text) { write(stream_, {{"event", "message"}, {"text", text}}); }

void JsonLines::task_stage_begun(const std::string& name, int64_t tasks, int64_t records) {
  write(stream_, {{"event", "task_stage"}, {"name", name}, {"tasks", tasks}, {"records", records}});
}

void JsonLines::task_pass_finished(const TaskPassInfo& pass) {
  write(stream_, {{"event", "task_pass"},
                  {"name", pass.stage},
                  {"pass", pass.pass},
                  {"records", pass.records},
                  {"seconds", pass.seconds}});
}

void JsonLines::task_stage_finished(const TaskStageInfo& stage) {
  Json event = {{"event", "task_stage_finished"},
                {"name", stage.name},
                {"output", stage.output},
                {"kept", stage.is_kept},
                {"passes", stage.passes},
                {"pairs", stage.pairs},
                {"results", stage.results},
                {"skipped_records", stage.skipped_records},
                {"bytes_shuffled", stage.bytes_shuffled},
                {"bytes_spilled", stage.bytes_spilled},
                {"values", values_of(stage.values)},
                {"seconds", stage.seconds}};
  if (stage.is_keyed) event["bytes_held"] = stage.bytes_held;
  write(stream_, event);
}

void JsonLines::encoded(const EncoderInfo& encoder) {
  write(stream_, {{"event", "encoded"},
                  {"stage", encoder.stage},
                  {"layers", encoder.layers},
                  {"records", encoder.records},
                  {"bytes", encoder.bytes},
                  {"in_file", encoder.in_file},
                  {"seconds", encoder.seconds}});
}

void JsonLines::fitted(const FitInfo& fit) {
  write(stream_, {{"event", "fitted"},
                  {"operator", fit.place},
                  {"kept", fit.is_kept},
                  {"tasks", fit.tasks},
                  {"records", fit.records},
                  {"skipped_records", fit.skipped_records},
                  {"bytes_shuffled", fit.bytes_shuffled},
                  {"seconds", fit.seconds}});
}

void JsonLines::finished(const Summary& summary) {
  Json object = parse_json<Json>(summary.json());
  write(stream_, {{"event", "finished"}, {"summary", object}});
}

}  // namespace plait::inline report
