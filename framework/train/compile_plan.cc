#include "train/compile_plan.h"

#include "graph/arena.h"

namespace plait {

Result<std::unique_ptr<Plan>> compile_plan(const Registry& registry, const Job& job,
                                           const std::vector<PartSpec>& parts, int batch, bool training,
                                           Device& device) {
  PLAIT_ASSIGN(Network network, shape_network(job, parts, batch));
  CompileOptions options;
  options.training = training;
  options.device_id = device.kernels();
  options.device = device.self();
  options.lanes = job.train.lanes;
  options.parallel_for = parallel_pieces;
  Lanes arena(job.train.lanes);
  return arena.execute([&] { return Plan::compile(registry, std::move(network), options); });
}

}  // namespace plait
