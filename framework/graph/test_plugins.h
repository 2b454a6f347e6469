// Plugins for the tests of graph/: small enough that every number can be worked out by hand. Made in this
// process.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "graph/device.h"
#include "graph/optimizer.h"
#include "graph/replica.h"
#include "graph/sample.h"
#include "pipeline/job.h"
#include "plan/plan.h"
#include "registry/registry.h"

namespace plait::inline graph {

// Layers (f32, elementwise):
//   scale   y = weight x, weight a scalar that begins as `initial`; fail: "forward", "backward", "throw", "";
//           wait_ms passes before it fails; sleep_ms in forward; stain: leaves rounding changed;
//           noise: adds numbers of [0, 1)
//   shadow  y = weight x with the copy of weight that its prepare made
//   sum     any number of inputs
//   split   outputs x and 2 x
//   loop    y = x through parallel_for in pieces of 1
// Loss squares: half the sum of (p - t)^2 over a sample; a target below 0 is bad; a prediction of 1e30 gives
// inf.
// Optimizers: descend {rate, slots}: w -= rate g; clip {rate}: w -= rate g / (1 + sum of all g^2); climb
// {rate, fail}: w -= rate g(w + g), with the loss added to its slot `losses`; polyak: w -= loss / (sum of all
// g^2) g.
// Schedule halve: base / 2^step. Devices: near (host memory), far (says that it is not).
// Source counter: record i is image [4] u8: i, i+1, i+2, i+3 (mod 256), label [] f32: i. `bad`: records that
// break their format; blocking; in_order; long_parts: a further part text [8] i32, of variable extent
// i % (long_bound + 1), at most long_bound (8), all i.
// Augmenters: jitter adds a number of [0, 1) to the image as f32; centre subtracts the mean image
// element of the training data; turn turns the order of a batch round; widen makes label [2]. On far all but
// turn have an implementation.
const Registry& graph_registry();

// How often plugins were called since the start of the process.
struct TestCounts {
  int optimizer_steps;
  int prepares;
  int far_copies;
  int far_augments;  // batches that augmenters made on `far`
};
TestCounts test_counts();
// What plugins logged since the last call.
std::vector<std::string> take_plugin_log();

// A job from the text of its layers, losses and optimizer: source, device and reducer are added. 4 samples a
// batch.
Job graph_job(const std::string& text, const std::string& device = "near {}");

// A job made ready to run: everything that lives as long as its replica.
struct TestRun {
  Job job;
  std::unique_ptr<Device> device;
  std::unique_ptr<OptimizerInstance> optimizer;
  std::unique_ptr<Plan> plan;
  std::unique_ptr<Replica> replica;
  std::vector<float> image, label;
  Batch batch;

  // Weights as the initial values say.
  Status reset();
  Result<StepResult> step(int64_t number = 0);
  float parameter(const std::string& name) const;  // its first element
  float gradient(const std::string& name) const;
  uint64_t place(const std::string& name) const;  // in the arena
};

struct TestRunOptions {
  int lanes = 1;
  bool with_optimizer = true;
  bool trace = false;
  const std::atomic<bool>* cancelled = nullptr;
  std::string device = "near {}";
  bool varies = false;  // images are [<=2, <=2], of two variable axes; batch.extents says how far
};
std::unique_ptr<TestRun> test_run(const std::string& text, const TestRunOptions& options = {});

}  // namespace plait::inline graph
