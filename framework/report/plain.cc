#include "report/plain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/format.h"
#include "report/output.h"

namespace plait::inline report {

void Plain::line(const std::string& text) { print_now(text + "\n", stream_); }

void Plain::run_begun(const std::string& run_dir) { line("run folder " + run_dir); }

void Plain::stage_begun(const StageInfo& stage) {
  stage_ = stage;
  seconds_ = 0;
  counted_ = 0;
  line(fmt::format(
      "{}{}: {} parameters, {} training records; {} shards x {} steps x {} samples a round, {} rounds; "
      "{} rank{} x {} thread{}",
      stage.pretraining ? "pretraining " : "", stage.title, stage.parameters, stage.training_records,
      stage.shards, stage.local_steps, stage.batch, stage.rounds, stage.ranks, stage.ranks == 1 ? "" : "s",
      stage.threads, stage.threads == 1 ? "" : "s"));
}

double Plain::eta_seconds(const RoundInfo& round) {
  seconds_ += round.seconds;
  ++counted_;
  return seconds_ / static_cast<double>(counted_) * static_cast<double>(round.rounds - round.round - 1);
}

void Plain::round_finished(const RoundInfo& round) {
  const double eta = eta_seconds(round);
  const int64_t every = std::max<int64_t>(1, round.rounds / 20);
  if ((round.round + 1) % every != 0 && round.round + 1 != round.rounds) return;
  line(fmt::format("round {}/{}  epoch {:.2f}  {}  {} samples/s  eta {}", round.round + 1, round.rounds,
                   round.epoch, loss_text(round), rate_text(round.samples_per_second), duration_text(eta)));
}

void Plain::evaluated(const EvaluationInfo& evaluation) {
  line(fmt::format("{} ({} weights) at epoch {:.2f}: {}{}", evaluation.on, evaluation.weights,
                   evaluation.epoch, values_text(evaluation.values),
                   evaluation.best ? "  (best so far)" : ""));
}

void Plain::profile(const std::vector<LayerTime>& times) {
  double total = 0;
  for (const LayerTime& time : times) total += time.seconds;
  line("time per layer:");
  for (const LayerTime& time : times)
    line(fmt::format("  {:<16} {:<9} {:>9.1f} us a call  {:>5.1f} %", time.layer, time.phase,
                     time.seconds * 1e6 / static_cast<double>(std::max<int64_t>(1, time.calls)),
                     100 * time.seconds / std::max(total, 1e-12)));
}

void Plain::message(const std::string& text) { line("note: " + text); }
void Plain::warning(const std::string& text) { line("warning: " + text); }

void Plain::task_stage_begun(const std::string& name, int64_t tasks, int64_t records) {
  line(fmt::format("stage {}: {} records in {} task{}", name, records, tasks, tasks == 1 ? "" : "s"));
}

std::string Plain::pass_text(const TaskPassInfo& pass) {
  const double rate = pass.seconds > 0 ? static_cast<double>(pass.records) / pass.seconds : 0;
  return fmt::format("stage {}: pass {}, {} records in {}, {} records/s", pass.stage, pass.pass, pass.records,
                     duration_text(pass.seconds), rate_text(rate));
}

// How many there will be nobody knows: each of the first ten, each tenth of the first hundred, and so on.
void Plain::task_pass_finished(const TaskPassInfo& pass) {
  int64_t every = 1;
  while (pass.pass > 10 * every) every *= 10;
  if (pass.pass % every == 0) line(pass_text(pass));
}

void Plain::task_stage_finished(const TaskStageInfo& stage) {
  if (stage.is_kept) {
    const std::string lines = stage.is_keyed ? fmt::format(", {} lines", stage.results) : "";
    return line(fmt::format("stage {}: {} is kept{}: nothing it is made from has changed", stage.name,
                            stage.output, lines));
  }
  const auto also = [](int64_t count, const char* what) {
    return count > 0 ? fmt::format(", {} {}", count, what) : std::string();
  };
  if (!stage.is_task)
    return line(fmt::format("stage {}: {} of {} records into {} in {}", stage.name, stage.task, stage.records,
                            stage.output, duration_text(stage.seconds)));
  const std::string done = stage.is_keyed
                               ? fmt::format("{} pairs, {} lines", stage.pairs, stage.results)
                               : fmt::format("{} pass{}", stage.passes, stage.passes == 1 ? "" : "es");
  line(fmt::format("stage {}: {} into {} in {}{}{}{}", stage.name, done, stage.output,
                   duration_text(stage.seconds), also(stage.skipped_records, "bad records left out"),
                   also(stage.bytes_shuffled, "bytes shuffled"), also(stage.bytes_spilled, "bytes spilled")));
}

void Plain::encoded(const EncoderInfo& encoder) {
  line(fmt::format("pretraining {}: what {} makes of {} records is computed once, in {}: {} bytes in {}",
                   encoder.stage, fmt::join(encoder.layers, ", "), encoder.records,
                   duration_text(encoder.seconds), encoder.bytes, encoder.in_file ? "a file" : "memory"));
}

void Plain::fitted(const FitInfo& fit) {
  if (fit.is_kept)
    return line(fmt::format("fit of {} is kept: nothing it is made from has changed", fit.place));
  const std::string skipped =
      fit.skipped_records > 0 ? fmt::format(", {} bad records left out", fit.skipped_records) : "";
  line(fmt::format("fit of {}: {} records in {} task{} in {}{}", fit.place, fit.records, fit.tasks,
                   fit.tasks == 1 ? "" : "s", duration_text(fit.seconds), skipped));
}

void Plain::finished(const Summary& summary) {
  if (summary.is_stages_only) {
    line(fmt::format("{} after {}",
                     summary.status == RunStatus::kComplete ? "complete" : "stopped, resumable",
                     duration_text(summary.seconds)));
    return line("run folder " + summary.run_dir);
  }
  if (!summary.test.empty()) line("test: " + values_text(summary.test));
  line(fmt::format("{} after {} rounds, {} samples in {}; {} samples/s in training; weights {}",
                   summary.status == RunStatus::kComplete ? "complete" : "stopped, resumable", summary.rounds,
                   summary.samples, duration_text(summary.seconds),
                   rate_text(summary.train_samples_per_second), summary.weights_sha256.substr(0, 16)));
  if (!summary.ended_early.empty()) line("ended by " + summary.ended_early);
  if (summary.skipped_records > 0)
    line(fmt::format("bad records replaced by others: {}", summary.skipped_records));
  line("run folder " + summary.run_dir);
}

}  // namespace plait::inline report
