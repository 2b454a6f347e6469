// A layer's configuration with inputs that its infer accepts, and what infer said.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "pipeline/job.h"
#include "plan/infer_layer.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

struct LayerCase {
  LayerSpec spec;  // its plugin carries the configuration
  std::vector<PartSpec> inputs;
  InferredLayer shapes;
  uint32_t flags = 0;          // PLAIT_VERIFY_*
  uint32_t integer_bound = 2;  // integer inputs without a range of their own are drawn below it

  const plait_config& config() const { return *spec.plugin.config; }
  // The range that the layer declares for an input, or null.
  const InputRange* range(size_t input) const;
  // "{filters: 3}, [2, 5, 6, 3] f32"
  std::string text() const;
  // The same configuration for a batch of `batch`.
  Result<LayerCase> with_batch(int64_t batch) const;
  Result<LayerCase> with_inputs(std::vector<PartSpec> other) const;
};

// Up to `count` cases: the defaults with every usual shape first, then drawn configurations; small shapes,
// among them batches of one and odd extents. Only what create accepts too. Fails with: skipped, when the kit
// finds no configuration and shape that the layer accepts.
Result<std::vector<LayerCase>> layer_cases(Trial& trial, size_t count);
// The same, with those that create refuses.
Result<std::vector<LayerCase>> inferred_layer_cases(Trial& trial, size_t count);
// One case with the largest inputs that the kit tries, for laws about threads.
Result<LayerCase> large_layer_case(Trial& trial);

}  // namespace plait::inline verify
