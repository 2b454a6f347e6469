// A stage that writes what the trained network makes of records: measurements (evaluate), or outputs of
// layers (predict, features). The network itself is run by NetworkRecords; here is what is told and written.
#pragma once
#include <algorithm>
#include <memory>

#include "train/chain_stage.h"

namespace plait::inline train {

class NetworkStage final : public ChainStage {
 public:
  // What the stage will have is declared: see NetworkRecords::declare. `records`: -1 where the stage that
  // makes them has not run; `block`: of them in a task. Fails with: kInvalid at the stage's place where its
  // output cannot hold that.
  static Result<std::unique_ptr<ChainStage>> open(const Registry& registry, const StageSpec& spec,
                                                  int64_t records, int64_t block);

  bool is_waiting() const override { return records_ < 0; }
  const std::vector<FitInfo>& fits() const override { return none_; }
  int64_t records() const override { return std::max<int64_t>(0, records_); }
  int64_t tasks() const override { return (records() + block_ - 1) / block_; }
  // "1000 records of test -> network -> predict -> f32[1000, 10] f3"
  std::string flow() const override;
  Memory memory(int threads) const override;
  Status fit(Transport&, StoppableWork&, int) override { return {}; }
  Result<Outcome> run(const Around& around) override;

 private:
  NetworkStage(const StageSpec& spec, int64_t records, int64_t block)
      : ChainStage(spec), records_(records), block_(block) {}
  const int64_t records_, block_;
  const std::vector<FitInfo> none_;
};

}  // namespace plait::inline train
