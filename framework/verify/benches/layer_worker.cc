// Layers as workers: prepare, forward and backward of one step.
#include <fmt/format.h>

#include "verify/benches/layer_run.h"
#include "verify/benches/worker.h"

namespace plait::inline verify {
namespace {

class LayerWorker final : public Worker {
 public:
  static Result<std::unique_ptr<Worker>> create(Trial& trial, const LayerCase& made, int lanes) {
    auto worker = std::make_unique<LayerWorker>();
    BenchOptions options;
    options.lanes = lanes;
    PLAIT_ASSIGN(worker->bench_, LayerBench::create(trial, made, options));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(worker->run_, LayerRun::create(*worker->bench_, values));
    worker->own_all();
    return std::unique_ptr<Worker>(std::move(worker));
  }
  std::string text() const override { return bench_->layer().text(); }
  CallContext& context() override { return run_->context; }
  Status keep_on_device(bool on) override { return run_->side().keep_there(on); }

 private:
  Status calls() override { return run_->all(); }

  void own_list(const char* name, std::vector<Guarded>& blocks, Role role) {
    for (size_t i = 0; i < blocks.size(); ++i) own(fmt::format("{} {}", name, i), blocks[i], PLAIT_F32, role);
  }
  void own_all() {
    const LayerCase& made = bench_->layer();
    for (size_t i = 0; i < made.inputs.size(); ++i) {
      own(fmt::format("input {}", i), run_->inputs[i], made.inputs[i].dtype, Role::kRead);
      if (const InputRange* range = made.range(i)) keep_within(range->low, range->high);
      own(fmt::format("gradient of input {}", i), run_->input_gradients[i], PLAIT_F32, Role::kWritten);
    }
    for (size_t i = 0; i < made.shapes.outputs.size(); ++i)
      own(fmt::format("output {}", i), run_->outputs[i], made.shapes.outputs[i].dtype, Role::kWritten);
    own_list("parameter", run_->parameters, Role::kRead);
    own_list("gradient of parameter", run_->parameter_gradients, Role::kWritten);
    own_list("gradient of output", run_->output_gradients, Role::kRead);
    own_list("buffer", run_->buffers, Role::kState);
    own("saved memory", run_->saved, PLAIT_U8, Role::kScratch);
    own("workspace", run_->workspace, PLAIT_U8, Role::kScratch);
    own("prepared memory", run_->prepared, PLAIT_U8, Role::kScratch);
  }

  std::unique_ptr<LayerBench> bench_;
  std::unique_ptr<LayerRun> run_;
};

}  // namespace

Result<Workers> layer_workers(Trial& trial, size_t count, int lanes) {
  Workers workers;
  PLAIT_ASSIGN(auto cases, layer_cases(trial, count));
  if (count > 1) {
    PLAIT_ASSIGN(LayerCase large, large_layer_case(trial));
    cases.insert(cases.begin(), std::move(large));
  }
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto worker, LayerWorker::create(trial, made, lanes));
    workers.push_back(std::move(worker));
  }
  return workers;
}

}  // namespace plait::inline verify
