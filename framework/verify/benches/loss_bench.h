// Losses at work: what they are tried on, an instance (LossBench), and memory with guards for its calls
// (LossRun).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "verify/benches/samples.h"

namespace plait {

struct LossCase {
  std::shared_ptr<plait_config> config;
  PartSpec prediction, target;
  uint32_t bound = 2;  // of integer targets
  std::string text() const;
};

bool is_integer(const PartSpec& spec);

// The request for a case. Borrows the specs.
plait_loss_request loss_request(const LossCase& made, const plait_tensor_spec& prediction,
                                const plait_tensor_spec& target, bool training);
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
  // Predictions in low .. high; targets that are no labels too, with `targets`.
  void draw(Dice& dice, double low, double high, bool targets = false);
  double sum() const { return result.as<double>()[0]; }
  double count() const { return result.as<double>()[1]; }
  double mean() const { return sum() / count(); }
  int32_t bad_target() const { return *bad.as<int32_t>(); }
  // "0 .. 3", or of floating point "shares that sum to 1".
  std::string target_text() const;

  SampleTensor prediction, target, gradient;
  Guarded workspace, result, bad;
  CallContext context;

 private:
  Status lend();

  const LossBench& bench_;
  std::unique_ptr<DeviceSide> side_;  // from the first call
};

}  // namespace plait
