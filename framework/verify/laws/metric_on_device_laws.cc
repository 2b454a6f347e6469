// Laws of metrics on a device, beside what the type's implementation for the host counts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "registry/shape_text.h"
#include "verify/benches/metric_bench.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// An instance on the device for what a bench of the host is made for, and memory that it is given.
class MetricThere {
 public:
  // Fails with: what the plugin reports.
  static Result<std::unique_ptr<MetricThere>> create(Trial& trial, const MetricBench& bench) {
    std::unique_ptr<MetricThere> made(new MetricThere(trial.ops<plait_metric_ops>(), bench.state_size));
    PLAIT_ASSIGN(made->side_, DeviceSide::create(trial.device()));
    const plait_tensor_spec prediction = bench.prediction.raw(), target = bench.target.raw();
    CallContext context;
    context.set_device(&trial.device()->ops(), trial.device()->self(), nullptr);
    uint32_t size = 0;
    PLAIT_TRY(context.call([&] {
      return made->ops_.create(context.raw(), bench.config.get(), &prediction, &target, &size, &made->self_);
    }));
    if (size != bench.state_size)
      return broken(
          fmt::format("its state has {} numbers on the device, {} on the host", size, bench.state_size));
    PLAIT_TRY(made->side_->lend(made->state_));
    return made;
  }
  ~MetricThere() {
    if (self_ != nullptr) ops_.destroy(self_);
  }
  MetricThere(const MetricThere&) = delete;
  MetricThere& operator=(const MetricThere&) = delete;

  Status lend(MetricData& data) {
    PLAIT_TRY(data.prediction.lend_to(*side_));
    return data.target.lend_to(*side_);
  }
  // Adds batches that were lent, one after the other and without a wait between. The state is here then.
  Status update(const std::vector<const MetricData*>& batches) {
    CallContext context;
    side_->serve(context);
    return side_->around(context, [&] {
      for (const MetricData* data : batches)
        if (ops_.update(self_, context.raw(), data->prediction.raw(), data->target.raw(),
                        state_.given_as<double>()) != PLAIT_OK)
          return int{PLAIT_FAILED};
      return int{PLAIT_OK};
    });
  }
  void clear() { std::memset(state_.data(), 0, state_.bytes()); }
  const Guarded& state() const { return state_; }

 private:
  MetricThere(const plait_metric_ops& ops, uint32_t state_size)
      : ops_(ops), state_(state_size * sizeof(double), Poison::kNan) {
    clear();
  }
  const plait_metric_ops& ops_;
  Guarded state_;
  std::unique_ptr<DeviceSide> side_;
  void* self_ = nullptr;  // its end comes before that of its memory
};

// A device may work in f32: each number of the prediction, of the order of 1, is then off by some 2^-22.
bool near(double a, double b, double numbers) {
  return a == b || std::abs(a - b) <= 0x1p-22 * (numbers + std::abs(a) + std::abs(b));
}

Status compare(const MetricThere& there, const std::vector<double>& wanted, double numbers,
               const std::string& what) {
  if (const std::string text = there.state().overrun(); !text.empty())
    return broken("writes outside its state on the device: " + text);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double got = there.state().as<double>()[i];
    if (!near(got, wanted[i], numbers))
      return broken(fmt::format("number {} of the state is {} on the device, {} on the host, {}", i, got,
                                wanted[i], what));
  }
  return {};
}

// Tensors that are lent are out of the host's reach: it counts first.
Status check_bench(Trial& trial, const MetricBench& bench, MetricThere& there) {
  MetricData first(bench, trial.dice()), second(bench, trial.dice());
  std::vector<double> of_first(bench.state_size), of_second(bench.state_size), of_three(bench.state_size);
  PLAIT_TRY(bench.update(first.prediction, first.target, of_first.data()));
  PLAIT_TRY(bench.update(second.prediction, second.target, of_second.data()));
  for (size_t i = 0; i < of_three.size(); ++i) of_three[i] = 2 * of_first[i] + of_second[i];
  Guarded kept(first.prediction.memory().bytes(), Poison::kNan);
  kept.write(first.prediction.memory().data(), kept.bytes());
  PLAIT_TRY(there.lend(first));
  PLAIT_TRY(there.lend(second));
  const auto numbers = static_cast<double>(element_count(bench.prediction.shape));
  PLAIT_TRY(there.update({&first}));
  PLAIT_TRY(compare(there, of_first, numbers, "once the stream was waited for"));
  if (!kept.same_bits(first.prediction.memory())) return broken("writes its prediction on the device");
  PLAIT_TRY(there.update({&second, &first}));
  PLAIT_TRY(compare(there, of_three, 3 * numbers, "after three batches"));
  there.clear();
  PLAIT_TRY(there.update({&second}));
  return compare(there, of_second, numbers, "after a state of zeros once more");
}

// A batch of more than 2^16 numbers.
Status check_large(Trial& trial, const MetricBench& small) {
  const auto each = static_cast<int64_t>(element_count(small.prediction.shape)) / small.prediction.shape[0];
  MetricBench bench;
  bench.config = small.config, bench.bound = small.bound;
  bench.prediction = small.prediction, bench.target = small.target;
  bench.prediction.shape[0] = bench.target.shape[0] = 66'000 / std::max<int64_t>(each, 1) + 31;
  PLAIT_TRY(create_metric(trial, bench));
  PLAIT_ASSIGN(const auto there, MetricThere::create(trial, bench));
  MetricData data(bench, trial.dice());
  std::vector<double> wanted(bench.state_size);
  PLAIT_TRY(bench.update(data.prediction, data.target, wanted.data()));
  PLAIT_TRY(there->lend(data));
  PLAIT_TRY(there->update({&data}));
  return compare(*there, wanted, static_cast<double>(element_count(bench.prediction.shape)),
                 "of a batch of " + std::to_string(bench.prediction.shape[0]) + " samples");
}

Status same_states(Trial& trial) {
  PLAIT_ASSIGN(const auto benches, metric_benches(trial));
  int tried = 0;
  std::string refusal;
  for (const auto& bench : benches) {
    if (bench->row_size > 0) return broken("keeps rows, which metrics on a device do not");
    auto there = MetricThere::create(trial, *bench);
    if (!there && there.status().code() == Code::kUnsupported) {
      refusal = there.status().message();
      continue;
    }
    PLAIT_TRY(there.status().at("create on the device, " + bench->text()));
    trial.doing("update on the device, " + bench->text());
    PLAIT_TRY(check_bench(trial, *bench, **there).at(bench->text()));
    PLAIT_TRY(check_large(trial, *bench).at(bench->text()));
    ++tried;
  }
  if (tried == 0) return skipped("the device refuses what the host takes: " + refusal);
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

}  // namespace

std::vector<Law> metric_on_device_laws() {
  return {{"metric_on_device", "same_states", Severity::kMust,
           "the device counts what the host counts, in the order of the stream", same_states}};
}

}  // namespace plait::inline verify
