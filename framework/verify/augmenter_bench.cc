#include "verify/augmenter_bench.h"

namespace plait {
namespace {

const std::vector<Parts>& usual_parts() {
  static const std::vector<Parts> all = {
      {{"image", PLAIT_F32, {12, 10, 3}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"image", PLAIT_U8, {12, 10, 3}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"image", PLAIT_F32, {9, 9, 1}, -1}, {"label", PLAIT_F32, {4}, -1}},
      {{"image", PLAIT_U8, {28, 28, 1}, -1}, {"label", PLAIT_U8, {}, -1}},
      {{"sound", PLAIT_F32, {64, 1}, -1}, {"label", PLAIT_I32, {}, -1}},
      {{"features", PLAIT_F32, {7}, -1}, {"label", PLAIT_F32, {1}, -1}},
      {{"image", PLAIT_F32, {8, 8, 3}, -1},
       {"mask", PLAIT_U8, {8, 8}, -1},
       {"boxes", PLAIT_F32, {3, 4}, -1},
       {"keypoints", PLAIT_F32, {5, 2}, -1},
       {"label", PLAIT_I32, {}, -1}},
      {{"text", PLAIT_I32, {16}, 0}, {"label", PLAIT_I32, {}, -1}},
  };
  return all;
}

}  // namespace

std::vector<Parts> parts_for(const Example& one) {
  return one.inputs.empty() ? usual_parts() : std::vector<Parts>{one.inputs};
}

Parts batched(Parts parts, int64_t n) {
  for (PartSpec& part : parts) part.shape.insert(part.shape.begin(), n);
  return parts;
}

// A pass over some samples, for those that want one.
Result<std::vector<double>> fit_augmenter(const plait_augmenter_ops& ops, const plait_config& config,
                                          const Parts& parts, int begin, int end) {
  const RawParts raw(parts);
  CallContext context;
  std::vector<double> state(ops.fit_size(context.raw(), &config, raw.size(), raw.data()));
  for (int n = begin; n < end; ++n) {
    Dice own(static_cast<uint64_t>(n), "fit");
    AugmenterSample sample(parts, {}, own, Poison::kNan);
    const plait_sample_call call = sample.call(0);
    PLAIT_TRY(context.call([&] { return ops.fit_observe(context.raw(), &config, &call, state.data()); })
                  .at("fit_observe"));
  }
  return state;
}

bool wants_fit(const plait_augmenter_ops& ops) {
  const plait_augmenter_ops* table = &ops;
  return PLAIT_HAS(table, fit_size) && PLAIT_HAS(table, fit_observe);
}

Result<AugmenterBench> make_augmenter_bench(Trial& trial, const Example& one, const Parts& parts) {
  AugmenterBench bench{one.config, parts, {}, {}};
  trial.doing("infer, " + bench.text());
  CallContext context;
  PLAIT_ASSIGN(bench.out, infer_augmenter(trial.entry(), *one.config, parts, context));
  const auto& ops = trial.ops<plait_augmenter_ops>();
  std::vector<double> state;
  plait_fit fitted{sizeof(plait_fit), 0, nullptr};
  if (wants_fit(ops)) {
    PLAIT_ASSIGN(state, fit_augmenter(ops, *one.config, parts, 0, 8));
    fitted.size = static_cast<uint32_t>(state.size()), fitted.state = state.data();
    context.set_fit(&fitted);
  }
  trial.doing("create, " + bench.text());
  PLAIT_ASSIGN(bench.instance,
               create_augmenter(trial.registry(), trial.entry(), *one.config, parts, context));
  return bench;
}

}  // namespace plait
