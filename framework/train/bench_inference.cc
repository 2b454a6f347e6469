#include <algorithm>
#include <chrono>

#include "graph/batch_memory.h"
#include "graph/replica.h"
#include "train/bench_job.h"
#include "train/compile_plan.h"
#include "train/job_data.h"

namespace plait::inline train {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kWarm = 3;  // runs before the measured ones

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

Status begin_weights(const Plan& plan, uint64_t seed, Replica& replica) {
  for (size_t i = 0; i < plan.network().parameters.size(); ++i) {
    const ParameterInfo& info = plan.network().parameters[i];
    std::vector<float> plain(info.elements);
    PLAIT_TRY(initial_values(info, seed, plain.data()));
    PLAIT_TRY(plan.pack(i, plain.data(), replica.weights()));
  }
  return replica.weights_changed();
}

// Numbers from 0 to 1; whole numbers, classes and rows among them, are 0.
void make_up(const std::vector<PartSpec>& parts, int batch, BatchMemory& memory) {
  uint64_t state = 1;
  for (size_t p = 0; p < parts.size(); ++p) {
    if (parts[p].dtype != PLAIT_F32) continue;
    auto* to = static_cast<float*>(memory.parts()[p]);
    const uint64_t count = byte_count(parts[p]) / sizeof(float) * static_cast<uint64_t>(batch);
    for (uint64_t i = 0; i < count; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      to[i] = static_cast<float>(state >> 40) * 0x1p-24f;
    }
  }
}

// Of a run each. Units: s
Result<std::vector<double>> times_of(Replica& replica, const Batch& batch, uint64_t seed, double seconds) {
  std::vector<double> times;
  const auto begin = SteadyClock::now();
  for (int run = -kWarm; run < 1 || seconds_since(begin) < seconds; ++run) {
    const auto start = SteadyClock::now();
    PLAIT_TRY(replica.run(batch, seed, 0, 0, {}, {}).status());
    if (run >= 0) times.push_back(seconds_since(start));
  }
  return times;
}

// Of calls that are added up over all runs, in the time of the median run.
BenchResult result_of(const Plan& plan, const Replica& replica, std::vector<double> times, int batch,
                      int lanes) {
  std::vector<StepCost> costs = step_costs(plan);
  for (StepCost& cost : costs)
    if (cost.phase == "evaluation") cost.phase = "forward";
  BenchResult result;
  result.trains = false;
  double calls = 0, onednn = 0;
  for (const NodeTime& node : replica.profile()) {
    result.steps.push_back(
        benched_step(node.layer, node.phase, node.calls, static_cast<double>(node.total_ns) * 1e-9, costs));
    calls += result.steps.back().seconds;
    if (result.steps.back().is_onednn) onednn += result.steps.back().seconds;
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  result.shards = 1, result.local_steps = 1, result.workers = 1;
  result.batch = batch, result.lanes = lanes, result.threads = lanes;
  result.samples = static_cast<int64_t>(times.size()) * batch;
  result.samples_per_second = batch / *middle;
  result.outside_share = std::max(0.0, 1 - calls / *middle);
  result.onednn_share = calls > 0 ? onednn / calls : 0;
  result.peak_bytes = peak_bytes();
  result.machine = measure_machine(lanes);
  return result;
}

}  // namespace

Result<BenchResult> bench_inference(const Registry& registry, const Job& job, int batch,
                                    const BenchOptions& options, const std::atomic<bool>& stop) {
  if (job.is_stages_only())
    return {Code::kInvalid, job.name + ": the job has no network, and there are no steps to measure"};
  PLAIT_ASSIGN(const auto device, Device::open(registry, *job.device.entry, *job.device.config));
  if (!device->host_memory())
    return {Code::kUnsupported, "--inference measures on the host's memory: got device " + device->id()};
  PLAIT_ASSIGN(const auto data, JobData::open(registry, job, 0, &stop));
  PLAIT_ASSIGN(const auto plans,
               compile_plans(registry, job, data->measured_parts(), {batch, false, false}, *device));
  const Plan& plan = plans->whole();
  Replica::Options replica_options;
  replica_options.profile = true;
  replica_options.cancelled = &stop;
  PLAIT_ASSIGN(const auto replica, Replica::create(plan, *device, replica_options));
  PLAIT_TRY(begin_weights(plan, job.seed, *replica));
  PLAIT_ASSIGN(const auto memory,
               BatchMemory::create(data->measured_parts(), batch, replica->stream(), false));
  memory->begin();
  make_up(data->measured_parts(), batch, *memory);
  PLAIT_TRY(memory->deliver(replica->stream()));

  PLAIT_ASSIGN(std::vector<double> times, times_of(*replica, memory->batch(), job.seed, options.seconds));
  return result_of(plan, *replica, std::move(times), batch, job.train.lanes);
}

}  // namespace plait::inline train
