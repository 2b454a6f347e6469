#include "train/fit_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/trace.h"
#include "graph/sample_chain.h"
#include "mapreduce/array_stage.h"

namespace plait::inline train {
namespace {

constexpr int64_t kStep = 16;  // samples between two looks for a stop

// One accumulator: the state.
TaskForm form_of(const WantedFit& wanted) {
  TaskForm form;
  form.accumulators.push_back({PLAIT_ACCUMULATE_SUM, {"state", PLAIT_F64, {int64_t{wanted.size}}, -1}});
  return form;
}

// Reads the records of a split and lets the operator observe them.
class FitMapper final : public RecordMapper {
 public:
  FitMapper(const SampleChain& chain, const WantedFit& wanted, const FitRecords& records, int slots)
      : chain_(chain), wanted_(wanted), records_(records) {
    for (int i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>(chain));
  }

  Result<bool> map(int number, const Split& split, const plait_task_call& call) override {
    Slot& slot = *slots_[static_cast<size_t>(number)];
    if (slot.split != split.number) slot.split = split.number, slot.next = split.first;
    const int64_t end = split.first + split.count, pause = std::min(end, slot.next + kStep);
    for (; slot.next < pause; ++slot.next)
      PLAIT_TRY(add(slot, static_cast<double*>(call.accumulators[0]->data)));
    if (slot.next < end) return false;
    slot.split = -1;
    return true;
  }

  std::string words(const Split& split) const override {
    return fmt::format("the training records {} to {}", split.first, split.first + split.count - 1);
  }
  int64_t records() const override { return observed_; }
  int64_t skipped() const { return skipped_; }

 private:
  struct Slot {
    explicit Slot(const SampleChain& chain) : scratch(chain) {}
    SampleScratch scratch;
    int64_t split = -1, next = 0;
  };

  Status add(Slot& slot, double* state) {
    const SampleRef sample{records_.at(slot.next), 0, static_cast<uint64_t>(slot.next)};
    Status status = chain_.read_source(sample, slot.scratch);
    if (status) status = chain_.transform(sample, slot.scratch, wanted_.number);
    if (status) status = chain_.observe(wanted_, sample, slot.scratch, state);
    if (!status && status.code() != Code::kCorrupt) return status;
    ++(status ? observed_ : skipped_);
    return {};
  }

  const SampleChain& chain_;
  const WantedFit& wanted_;
  const FitRecords& records_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::atomic<int64_t> observed_ = 0, skipped_ = 0;
};

}  // namespace

// A pass for one operator.
class FitStages::Stage {
 public:
  Stage(const SampleChain& chain, WantedFit wanted, FitRecords records, const FitAround& around)
      : wanted_(std::move(wanted)),
        records_(std::move(records)),
        transport_(around.transport),
        form_(form_of(wanted_)),
        // A source that is read in order has one reader.
        threads_(chain.in_order() ? 1 : around.threads),
        mapper_(chain, wanted_, records_, threads_) {
    ArrayStage::Parts parts;
    parts.splits = {records_.count, kFitSplit};
    parts.mapper = &mapper_;
    parts.form = &form_;
    parts.threads = threads_;
    parts.transport = &around.transport;
    parts.work = &around.work;
    arrays_ = std::make_unique<ArrayStage>(parts);
  }

  Status run(FitInfo& told) {
    const SystemClock clock;
    const auto begin = clock.now();
    const TraceSpan span("stage", "fit of " + wanted_.place);
    const Status ran = arrays_->run();
    if (!ran) return ran.code() == Code::kNumeric ? ran.at("fit of " + wanted_.place) : ran;
    int64_t skipped = mapper_.skipped();
    PLAIT_TRY(transport_.all_reduce_sum(std::span<int64_t>(&skipped, 1)));
    const ArrayCounts& counts = arrays_->counts();
    told.place = wanted_.place;
    told.tasks = Splits{records_.count, kFitSplit}.count();
    told.tasks_by_rank = counts.tasks_by_rank;
    told.records = counts.records;
    told.skipped_records = skipped;
    told.bytes_shuffled = counts.bytes_shuffled;
    told.seconds = seconds_of(clock.now() - begin);
    return {};
  }

  // After run, the same on all ranks.
  std::vector<double> fit() const {
    const std::string_view bytes = arrays_->accumulated(0);
    std::vector<double> state(wanted_.size);
    std::memcpy(state.data(), bytes.data(), bytes.size());
    return state;
  }

 private:
  const WantedFit wanted_;
  const FitRecords records_;
  Transport& transport_;
  const TaskForm form_;
  const int threads_;
  FitMapper mapper_;
  std::unique_ptr<ArrayStage> arrays_;
};

// The making of operators, which is work that can be left: they may read files.
struct FitStages::Making {
  const Registry& registry;
  SampleReader& reader;
  const SampleReader::Options options;
  std::optional<WantedFit> wanted;

  Status run() {
    PLAIT_ASSIGN(wanted, reader.complete(registry, options));
    return {};
  }
};

FitStages::FitStages() = default;
FitStages::~FitStages() = default;

Status FitStages::complete(SampleReader& reader, const SampleReader::Options& options,
                           const FitRecords& records, const FitAround& around, std::vector<FitInfo>& told) {
  if (!reader.is_waiting()) return {};
  makings_.push_back(std::make_unique<Making>(Making{around.registry, reader, options, {}}));
  Making& making = *makings_.back();
  for (;;) {
    PLAIT_TRY(around.work.run([&making] { return making.run(); }));
    if (!making.wanted) return {};
    stages_.push_back(std::make_unique<Stage>(reader.chain(), *making.wanted, records, around));
    FitInfo info;
    PLAIT_TRY(stages_.back()->run(info));
    reader.give_fit(*making.wanted, stages_.back()->fit());
    stages_.pop_back();
    told.push_back(std::move(info));
  }
}

}  // namespace plait::inline train
