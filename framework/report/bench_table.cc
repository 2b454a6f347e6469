#include "report/bench_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/json_text.h"

namespace plait::inline report {
namespace {

// Rates of a step, and what part of the machine's they are; the machine's are of all threads of the run, a
// step has its lanes.
struct Rates {
  double flops = 0, peak_share = 0, bytes = 0, memory_share = 0;  // 0: not known

  Rates(const BenchedStep& step, const BenchResult& result) {
    if (step.seconds <= 0) return;
    const double threads = std::min(result.lanes, result.threads), part = threads / result.threads;
    flops = 2 * step.cost.multiply_adds / step.seconds;
    bytes = step.cost.bytes / step.seconds;
    if (result.machine.flops > 0) peak_share = flops / (result.machine.flops * part);
    if (result.machine.bytes > 0) memory_share = bytes / result.machine.bytes;
  }
};

// "", where nothing is known.
std::string number(double value, double unit, const char* suffix = "") {
  return value > 0 ? fmt::format("{:.1f}{}", value / unit, suffix) : "";
}

std::vector<std::string> row_of(const BenchedStep& step, const BenchResult& result, double calls) {
  const Rates rates(step, result);
  return {step.layer, step.phase, fmt::format("{:.1f}", step.seconds * 1e6),
          fmt::format("{:.1f} %", 100 * step.seconds / std::max(calls, 1e-12)), number(rates.flops, 1e9),
          number(rates.peak_share, 0.01, " %"), number(rates.bytes, 1e9),
          // Formats are for check --kernels.
          step.cost.kernels.empty()
              ? ""
              : step.cost.kernels[0].substr(0, step.cost.kernels[0].find_first_of(",\n"))};
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i)
      text += i < 2 ? fmt::format("{:<{}}  ", row[i], widths[i]) : fmt::format("{:>{}}  ", row[i], widths[i]);
    text += row.back();
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text;
}

double all_calls(const BenchResult& result) {
  double seconds = 0;
  for (const BenchedStep& step : result.steps) seconds += step.seconds;
  return seconds;
}

nlohmann::ordered_json step_json(const BenchedStep& step, const BenchResult& result) {
  const Rates rates(step, result);
  const auto known = [](double value, double unit) {
    return value > 0 ? nlohmann::ordered_json(value / unit) : nlohmann::ordered_json();
  };
  return {{"layer", step.layer},
          {"phase", step.phase},
          {"microseconds", step.seconds * 1e6},
          {"gflops", known(rates.flops, 1e9)},
          {"peak_share", known(rates.peak_share, 1)},
          {"gigabytes_per_second", known(rates.bytes, 1e9)},
          {"memory_share", known(rates.memory_share, 1)},
          {"kernels", step.cost.kernels}};
}

// "4 shards of 16 samples a step, rounds of 10 steps, 1 lane, 2 threads"
std::string work_text(const BenchResult& result) {
  const auto count = [](int number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  if (!result.trains)
    return fmt::format("forward alone, batches of {}, {}", count(result.batch, "sample"),
                       count(result.lanes, "lane"));
  return fmt::format("{} of {} a step, rounds of {}, {}, {}", count(result.shards, "shard"),
                     count(result.batch, "sample"), count(result.local_steps, "step"),
                     count(result.lanes, "lane"), count(result.threads, "thread"));
}

}  // namespace

std::string bench_table(const BenchResult& result) {
  const double calls = all_calls(result);
  std::vector<std::vector<std::string>> rows = {
      {"layer", "phase", "us", "time", "GFLOP/s", "of peak", "GB/s", "runs"}};
  for (const BenchedStep& step : result.steps) rows.push_back(row_of(step, result, calls));
  return aligned(rows) +
         fmt::format("\n{:.0f} samples/s: {}\n", result.samples_per_second, work_text(result)) +
         fmt::format("{}: {:.1f} us in {} calls; {:.1f} % of the time is outside them\n",
                     result.trains ? "a step of a shard" : "a batch", calls * 1e6, result.steps.size(),
                     100 * result.outside_share) +
         fmt::format("oneDNN: {:.1f} % of the time in calls is in those that run it\n",
                     100 * result.onednn_share) +
         fmt::format("peak memory: {:.1f} MiB\n", static_cast<double>(result.peak_bytes) / (1 << 20)) +
         fmt::format("this machine, {} thread{}: {:.0f} GFLOP/s ({}), {:.1f} GB/s\n", result.threads,
                     result.threads == 1 ? "" : "s", result.machine.flops * 1e-9,
                     result.machine.instruction_set, result.machine.bytes * 1e-9);
}

std::string bench_json(const BenchResult& result) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const BenchedStep& step : result.steps) steps.push_back(step_json(step, result));
  const nlohmann::ordered_json whole = {{"steps", steps},
                                        {"trains", result.trains},
                                        {"shards", result.shards},
                                        {"batch", result.batch},
                                        {"local_steps", result.local_steps},
                                        {"lanes", result.lanes},
                                        {"threads", result.threads},
                                        {"samples", result.samples},
                                        {"samples_per_second", result.samples_per_second},
                                        {"outside_share", result.outside_share},
                                        {"onednn_share", result.onednn_share},
                                        {"peak_bytes", result.peak_bytes},
                                        {"machine",
                                         {{"gflops", result.machine.flops * 1e-9},
                                          {"gigabytes_per_second", result.machine.bytes * 1e-9},
                                          {"instruction_set", result.machine.instruction_set}}}};
  return json_text(whole, 2) + "\n";
}

}  // namespace plait::inline report
