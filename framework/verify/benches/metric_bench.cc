#include "verify/benches/metric_bench.h"

#include <fmt/format.h>

#include "registry/shape_text.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

std::string MetricBench::text() const {
  return fmt::format("{}, prediction {}, target {}", config_text(*config), shape_text(prediction),
                     shape_text(target));
}

Status MetricBench::update_rows(const SampleTensor& p, const SampleTensor& t, std::vector<double>& rows,
                                CallContext& context) const {
  if (row_size == 0) return {};
  struct Taker {
    std::vector<double>& rows;
    uint32_t width;
  } taker{rows, row_size};
  plait_number_rows raw{};
  raw.struct_size = sizeof raw;
  raw.host_data = &taker;
  raw.append = [](const plait_number_rows* taken, int64_t count, const double* numbers) {
    auto& to = *static_cast<Taker*>(taken->host_data);
    to.rows.insert(to.rows.end(), numbers, numbers + count * int64_t{to.width});
    return int{PLAIT_OK};
  };
  return context.call([&] { return ops->update_rows(self, context.raw(), p.raw(), t.raw(), &raw); })
      .at("update_rows");
}

Status MetricBench::finish(const double* state, std::span<const double> rows, double* results,
                           CallContext& context) const {
  if (row_size == 0)
    return context.call([&] { return ops->finish(self, context.raw(), state, results); }).at("finish");
  const auto count = static_cast<int64_t>(rows.size() / row_size);
  return context
      .call([&] { return ops->finish_rows(self, context.raw(), state, count, rows.data(), results); })
      .at("finish_rows");
}

Result<std::vector<MetricValueText>> describe_metric(const MetricBench& bench,
                                                     const std::vector<std::string>& classes) {
  const auto text_of = [](const char* text) { return std::string(text == nullptr ? "" : text); };
  std::vector<MetricValueText> values;
  if (!PLAIT_HAS(bench.ops, describe)) {
    for (uint32_t v = 0; v < bench.ops->n_values; ++v) {
      const plait_metric_value& value = *bench.ops->values[v];
      values.push_back({text_of(value.name), text_of(value.doc), value.higher_is_better != 0});
    }
    return values;
  }
  std::vector<const char*> names;
  for (const std::string& name : classes) names.push_back(name.c_str());
  const plait_tensor_spec prediction = bench.prediction.raw(), target = bench.target.raw();
  const plait_metric_request request{
      sizeof request, static_cast<uint32_t>(classes.size()), bench.config.get(), &prediction,
      &target,        names.empty() ? nullptr : names.data()};
  plait_metric_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &values;
  builder.value = [](const plait_metric_builder* made, const plait_metric_value* value) {
    static_cast<std::vector<MetricValueText>*>(made->host_data)
        ->push_back({value->name == nullptr ? "" : value->name, value->doc == nullptr ? "" : value->doc,
                     value->higher_is_better != 0});
    return int{PLAIT_OK};
  };
  CallContext context;
  PLAIT_TRY(
      context.call([&] { return bench.ops->describe(context.raw(), &request, &builder); }).at("describe"));
  return values;
}

Status create_metric(Trial& trial, MetricBench& bench) {
  bench.ops = &trial.host_ops<plait_metric_ops>();
  const plait_tensor_spec prediction = bench.prediction.raw(), target = bench.target.raw();
  CallContext context;
  trial.doing("create, " + bench.text());
  PLAIT_TRY(context.call([&] {
    return bench.ops->create(context.raw(), bench.config.get(), &prediction, &target, &bench.state_size,
                             &bench.self);
  }));
  if (PLAIT_HAS(bench.ops, row_size))
    PLAIT_TRY(context.call([&] { return bench.ops->row_size(bench.self, context.raw(), &bench.row_size); })
                  .at("row_size"));
  PLAIT_ASSIGN(bench.values, describe_metric(bench, {}));
  return {};
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

}  // namespace plait::inline verify
