#include "train/compile_plan.h"

#include "graph/arena.h"
#include "train/instruction_set.h"

namespace plait::inline train {
namespace {

Status check_bf16_on(const Device& device) {
  if (device.kernels() != PLAIT_HOST_DEVICE)
    return {Code::kUnsupported, std::string("precision: bf16 is computed on the processor, got device ") +
                                    device.id() + "; wanted --device host, or precision: f32"};
  return check_bf16(process_environment(), processor_flags());
}

Result<std::unique_ptr<Plan>> compile_plan(const Registry& registry, const Job& job,
                                           const std::vector<PartSpec>& parts, const PlanPurpose& purpose,
                                           Device& device) {
  if (job.train.precision == Precision::kBf16) PLAIT_TRY(check_bf16_on(device).at(job.name));
  PLAIT_ASSIGN(Network network, shape_network(job, parts, purpose.batch, true, device.host_memory()));
  CompileOptions options;
  options.training = purpose.training;
  options.measuring = purpose.measuring;
  options.device_id = device.kernels();
  options.device = device.self();
  options.device_ops = &device.ops();
  options.lanes = job.train.lanes;
  options.parallel_for = parallel_pieces;
  options.keeps_values = purpose.keeps_values;
  Lanes arena(job.train.lanes);
  return arena.execute([&] { return Plan::compile(registry, std::move(network), options); });
}

}  // namespace

Result<std::unique_ptr<PlanCache>> compile_plans(const Registry& registry, const Job& job,
                                                 const std::vector<PartSpec>& parts,
                                                 const PlanPurpose& purpose, Device& device) {
  Buckets buckets(parts);
  if (purpose.buckets) {
    PLAIT_ASSIGN(buckets, Buckets::create(job, parts, purpose.batch));
  }
  return PlanCache::create(std::move(buckets), [&, purpose](const std::vector<PartSpec>& extents) {
    return compile_plan(registry, job, extents, purpose, device);
  });
}

}  // namespace plait::inline train
