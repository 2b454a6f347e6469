// Losses at work: what they are tried on, an instance (LossBench), and memory with guards for its calls
// (LossRun).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "registry/parts.h"
#include "verify/benches/samples.h"

namespace plait::inline verify {

struct LossCase {
  std::shared_ptr<plait_config> config;
  std::vector<PartSpec> predictions, targets;
  uint32_t bound = 2;     // of integer targets
  bool weighted = false;  // each sample has a weight
  std::string text() const;
  const PartSpec& prediction() const { return predictions.front(); }
  int64_t samples() const { return prediction().shape.empty() ? 1 : prediction().shape.front(); }
};

bool is_integer(const PartSpec& spec);

// The request for a case, which it borrows from. Does not move.
class LossQuestion {
 public:
  explicit LossQuestion(const LossCase& made, bool training = true);
  LossQuestion(const LossQuestion&) = delete;
  LossQuestion& operator=(const LossQuestion&) = delete;
  plait_loss_request* raw() { return &request_; }

 private:
  RawParts predictions_, targets_;
  const PartSpec weights_;
  plait_tensor_spec raw_weights_;
  plait_loss_request request_{};
};
// Some cases that check accepts: of every type that targets may have, in several shapes. Fails with: skipped,
// when there is none.
Result<std::vector<LossCase>> loss_cases(Trial& trial);

// An instance. Threads: create [setup only]; the rest [any].
class LossBench {
 public:
  // Fails with: what the plugin's create reports.
  static Result<std::unique_ptr<LossBench>> create(Trial& trial, const LossCase& made, bool training = true);
  ~LossBench() {
    if (self_ != nullptr) ops_.destroy(self_);
  }
  LossBench(const LossBench&) = delete;
  LossBench& operator=(const LossBench&) = delete;
  const LossCase& made() const { return made_; }
  const plait_loss_ops& ops() const { return ops_; }
  const void* self() const { return self_; }
  Device* device() const { return device_; }
  uint64_t workspace_bytes() const { return workspace_bytes_; }

 private:
  LossBench(Trial& trial, const LossCase& made)
      : made_(made), ops_(trial.ops<plait_loss_ops>()), device_(trial.device()) {}
  LossCase made_;
  const plait_loss_ops& ops_;
  Device* device_;
  void* self_ = nullptr;
  uint64_t workspace_bytes_ = 0;
};

// Memory of calls of compute, with values drawn. Threads: [one at a time]
class LossRun {
 public:
  LossRun(const LossBench& bench, Dice& dice, Poison poison = Poison::kNan);
  Status compute(bool with_gradient = true, double scale = 1);
  // Predictions in low .. high; targets that are no labels too, with `with_targets`.
  void draw(Dice& dice, double low, double high, bool with_targets = false);
  double sum() const { return result.as<double>()[0]; }
  double count() const { return result.as<double>()[1]; }
  double mean() const { return sum() / count(); }
  int32_t bad_target() const { return *bad.as<int32_t>(); }
  // "0 .. 3", or of floating point "shares that sum to 1".
  std::string target_text() const;

  // Of each sample; 1 without weights.
  double weight(uint64_t n) const { return weights ? weights->get(n) : 1; }
  // What each sample weighs, times the elements that it has in the first prediction.
  double most_count() const;
  // Everything that it reads, everything that it writes but for its report, with names for people.
  struct Named {
    std::string name;
    SampleTensor* tensor;
  };
  std::vector<Named> read() const;
  std::vector<Named> written() const;

  using Tensors = std::vector<std::unique_ptr<SampleTensor>>;
  Tensors predictions, targets, gradients;  // a gradient each prediction
  std::unique_ptr<SampleTensor> weights;    // or null
  SampleTensor &prediction, &gradient;      // the first
  Guarded workspace, result, bad;
  CallContext context;

 private:
  Status lend();
  plait_loss_call call_of(bool with_gradient, double scale);

  const LossBench& bench_;
  std::unique_ptr<DeviceSide> side_;  // from the first call
  std::vector<const plait_tensor*> raw_predictions_, raw_targets_, raw_gradients_;
};

}  // namespace plait::inline verify
