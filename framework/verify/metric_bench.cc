#include "verify/metric_bench.h"

#include <fmt/format.h>

#include "registry/shape_text.h"
#include "verify/config_samples.h"
#include "verify/law.h"

namespace plait {

std::string MetricBench::text() const {
  return fmt::format("{}, prediction {}, target {}", config_text(*config), shape_text(prediction),
                     shape_text(target));
}

Status create_metric(Trial& trial, MetricBench& bench) {
  bench.ops = &trial.ops<plait_metric_ops>();
  const plait_tensor_spec prediction = bench.prediction.raw(), target = bench.target.raw();
  CallContext context;
  trial.doing("create, " + bench.text());
  return context.call([&] {
    return bench.ops->create(context.raw(), bench.config.get(), &prediction, &target, &bench.state_size,
                             &bench.self);
  });
}

Result<std::vector<std::unique_ptr<MetricBench>>> metric_benches(Trial& trial) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 4));
  std::vector<std::unique_ptr<MetricBench>> found;
  const auto try_pair = [&](const Example& one, const PartSpec& prediction, const PartSpec& target,
                            uint32_t bound) {
    auto bench = std::make_unique<MetricBench>();
    bench->config = one.config, bench->prediction = prediction, bench->target = target, bench->bound = bound;
    if (!create_metric(trial, *bench)) return false;
    found.push_back(std::move(bench));
    return true;
  };
  for (const Example& one : configs) {
    if (one.inputs.size() == 2) try_pair(one, one.inputs[0], one.inputs[1], std::max(one.integer_bound, 1u));
    for (const auto& shape :
         std::vector<std::vector<int64_t>>{{kMetricBatch, 6}, {kMetricBatch, 1}, {kMetricBatch, 4, 4, 3}}) {
      const PartSpec prediction{"prediction", PLAIT_F32, shape, -1};
      const std::vector<int64_t> inner(shape.begin(), shape.end() - 1);
      std::vector<int64_t> one_more = inner;
      one_more.push_back(1);
      const auto classes = static_cast<uint32_t>(std::max<int64_t>(shape.back(), 2));
      if (try_pair(one, prediction, {"target", PLAIT_I32, inner, -1}, classes)) continue;
      if (try_pair(one, prediction, {"target", PLAIT_I32, one_more, -1}, classes)) continue;
      if (try_pair(one, prediction, {"target", PLAIT_U8, inner, -1}, classes)) continue;
      try_pair(one, prediction, {"target", PLAIT_F32, shape, -1}, 2);
    }
  }
  if (found.empty())
    return skipped(
        "no prediction and target found that the metric accepts; give an example (plait/verify.h)");
  return found;
}

}  // namespace plait
