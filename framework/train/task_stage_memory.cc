// What a stage that runs a task will hold, added up from the sizes that its parts allocate.
#include <algorithm>
#include <plait/sdk/order_free_sum.hpp>

#include "base/checked.h"
#include "graph/sample_chain.h"
#include "registry/shape_text.h"
#include "train/task_stage.h"

namespace plait::inline train {
namespace {

bool is_sum(const TaskForm::Accumulator& one) {
  return one.rule == PLAIT_ACCUMULATE_SUM || one.rule == PLAIT_ACCUMULATE_MEAN;
}

// Of the numbers of one accumulator: those of each split under way, and the rank's.
uint64_t number_bytes(const TaskForm::Accumulator& one, uint64_t slots) {
  const uint64_t whole = sizeof(double) + (is_sum(one) ? sizeof(sdk::OrderFreeSum) : 0);
  return element_count(one.spec.shape) * (slots * sizeof(double) + whole);
}

uint64_t bytes_of(const std::vector<PartSpec>& specs) {
  uint64_t bytes = 0;
  for (const PartSpec& spec : specs) bytes += byte_count(spec);
  return bytes;
}

// Beside the pairs that `memory` bounds. The sink's text: pieces of 1 MiB, in a string that is at most twice
// as long and, while it grows, there once and a half. And what the program touches of itself when it folds,
// sorts, spills, merges and writes: measured, 1 MiB.
constexpr uint64_t kKeyedText_bytes = uint64_t{3} << 20, kKeyedCode_bytes = uint64_t{1} << 20;
// Of what one step of a stage gives back, an allocator keeps some for the next, which wants other sizes:
// measured (glibc 2.36), up to a quarter of `memory` and 4 MiB.
constexpr uint64_t kKept_bytes = uint64_t{4} << 20;

// Those of a split lie in a block that grows twofold, and come together in one; or, beyond the memory, in a
// file.
constexpr uint64_t kRowCopies = 3;
constexpr uint64_t kRowMessages_bytes = uint64_t{32} << 20;

}  // namespace

ChainStage::Memory TaskStage::memory(int threads) const {
  const int64_t at_once = records() == 0 ? threads : std::min<int64_t>(tasks(), threads);
  const auto slots = static_cast<uint64_t>(reader_->chain().in_order() ? 1 : std::max<int64_t>(1, at_once));
  const uint64_t record = bytes_of(reader_->chain().last_parts());
  Memory use;
  use.held = slots * static_cast<uint64_t>(records_in_call(record)) * record;
  // What another stage or the network made is in memory.
  if (spec().network || is_stage_source(spec().source))
    use.held = sum_or_most(use.held, product_or_most(record, static_cast<uint64_t>(records())));
  if (form_.is_keyed()) {
    use.bounded = use.most = spec().memory_bytes;
    const uint64_t around =
        kKeyedText_bytes + kKeyedCode_bytes + std::min(kKept_bytes, spec().memory_bytes / 4);
    use.held = sum_or_most(use.held, around);
    return use;
  }
  uint64_t row = 0;
  for (const TaskForm::Accumulator& one : form_.accumulators) {
    if (one.rule == PLAIT_ACCUMULATE_ROWS) {
      row += byte_count(one.spec);
    } else {
      use.held += number_bytes(one, slots);
    }
  }
  use.held += bytes_of(form_.states) + bytes_of(form_.declared_outputs);
  if (row == 0) return use;
  const uint64_t all = product_or_most(row, static_cast<uint64_t>(records()));
  use.bounded = records() == 0 ? spec().memory_bytes : std::min(spec().memory_bytes, all);
  use.most = product_or_most(kRowCopies, use.bounded);
  if (records() == 0 || all <= spec().memory_bytes) return use;
  // What is read of the file counts as the process's, though the system may take it back.
  use.most = sum_or_most(use.bounded + kRowMessages_bytes, all);
  return use;
}

}  // namespace plait::inline train
