#include "mapreduce/array_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random_keys.h"
#include "registry/shape_text.h"

namespace plait::inline mapreduce {
namespace {

std::vector<const plait_tensor*> pointers_to(const std::vector<plait_tensor>& tensors) {
  std::vector<const plait_tensor*> pointers;
  for (const plait_tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

}  // namespace

void ArrayStage::Arrays::make(const std::vector<PartSpec>& specs) {
  for (const PartSpec& spec : specs) {
    bytes.emplace_back(byte_count(spec));
    tensors.push_back(view(spec, spec.shape, bytes.back().data()));
  }
  pointers = pointers_to(tensors);
}

ArrayStage::ArrayStage(const Parts& parts)
    : parts_(parts),
      scheduler_(parts.transport->rank(), parts.transport->size(), &parts.work->cancelled()),
      totals_(parts.form->accumulators, parts.memory_bytes) {
  states_.make(parts.form->states);
  finished_.make(parts.form->declared_outputs);
  StageWork& stage = *this;
  graph_ =
      std::make_unique<StageGraph>(stage, std::vector<StageNode>(), parts.threads, scheduler_, *parts.work);
}

ArrayStage::~ArrayStage() = default;

Result<StageWork::Pass> ArrayStage::begin(int64_t number) {
  pass_ = number;
  wants_another_ = false;
  records_before_ = parts_.mapper->records();
  totals_.begin();
  const Scheduler::Tasks tasks{0, parts_.splits.count()};
  const int64_t mine = Scheduler::count_of(parts_.transport->rank(), parts_.transport->size(), tasks);
  const auto slots = static_cast<size_t>(std::clamp<int64_t>(mine, 1, parts_.threads));
  while (slots_.size() < slots) {
    Done& slot = *slots_.emplace_back(std::make_unique<Done>());
    slot.arrays = std::make_unique<SplitArrays>(parts_.form->accumulators, parts_.memory_bytes);
  }
  return Pass{tasks, static_cast<int>(slots)};
}

Result<const MapResult*> ArrayStage::map(int number, int64_t task) {
  Done& slot = *slots_[static_cast<size_t>(number)];
  if (slot.split != task) slot.arrays->begin();
  slot.split = task;
  plait_task_call call{};
  call.pass = pass_;
  call.n_states = static_cast<uint32_t>(states_.pointers.size());
  call.states = states_.pointers.data();
  call.rng = {parts_.random_key, random_counter(pass_, 0)};
  slot.arrays->put_into(call);
  const auto ended = parts_.mapper->map(number, parts_.splits.at(task), call);
  if (!slot.arrays->failure()) return slot.arrays->failure();  // the task only knows that rows were refused
  if (!ended) return ended.status();
  if (!*ended) return nullptr;
  slot.split = Scheduler::kNone;
  slot.task = task;
  return &slot;
}

Status ArrayStage::combine(int slot, const MapResult& result) {
  return totals_.fold(result.task, *slots_[static_cast<size_t>(slot)]->arrays)
      .at(parts_.mapper->words(parts_.splits.at(result.task)));
}

Result<const PassResult*> ArrayStage::reduce() {
  PLAIT_TRY(reduce_all());
  return &result_;
}

Status ArrayStage::reduce_all() {
  Transport& transport = *parts_.transport;
  const auto rank = static_cast<size_t>(transport.rank());
  std::vector<int64_t> sums(1 + static_cast<size_t>(transport.size()), 0);
  sums[0] = parts_.mapper->records() - records_before_;
  sums[1 + rank] = scheduler_.counters().done;
  PLAIT_TRY(transport.all_reduce_sum(std::span(sums)));
  counts_.passes = pass_ + 1;
  counts_.records = sums[0];
  counts_.tasks_by_rank.assign(sums.begin() + 1, sums.end());
  uint64_t sent = 0;
  PLAIT_TRY(totals_.reduce(transport, counts_.records, sent));
  PLAIT_TRY(finish());
  int64_t of_all[] = {static_cast<int64_t>(sent), static_cast<int64_t>(totals_.spilled_bytes())};
  PLAIT_TRY(transport.all_reduce_sum(std::span(of_all)));
  counts_.bytes_shuffled += of_all[0];
  counts_.bytes_spilled += of_all[1];
  if (wants_another_ && transport.is_root() && parts_.passed) parts_.passed(counts_.passes, counts_.records);
  return {};
}

// Rank 0 finishes, and the others get its states: whatever else a task's finish looks at, ranks do not
// differ.
Status ArrayStage::finish() {
  if (has_finish() && parts_.transport->is_root())
    PLAIT_TRY(parts_.work->run([this] { return call_finish(); }));
  if (has_finish()) PLAIT_TRY(share_states());
  if (wants_another_ && pass_ + 1 >= parts_.most_passes)
    return {Code::kInvalid, fmt::format("{} asks for another pass after {}, and passes is {}",
                                        parts_.task->entry().type->id, pass_ + 1, parts_.most_passes)};
  if (wants_another_ || !parts_.transport->is_root() || !parts_.take) return {};
  return parts_.take(outputs());
}

bool ArrayStage::has_finish() const {
  if (parts_.task == nullptr) return false;
  const auto* ops = parts_.task->ops<plait_task_ops>();
  return PLAIT_HAS(ops, finish);
}

int64_t ArrayStage::rows_of(size_t accumulator) const {
  const PartSpec& spec = parts_.form->accumulators[accumulator].spec;
  return static_cast<int64_t>(totals_.bytes(accumulator).size() / std::max<uint64_t>(1, byte_count(spec)));
}

Status ArrayStage::call_finish() {
  const auto& accumulators = parts_.form->accumulators;
  std::vector<std::vector<int64_t>> shapes(accumulators.size());
  std::vector<plait_tensor> tensors;
  for (size_t i = 0; i < accumulators.size(); ++i) {
    if (accumulators[i].rule == PLAIT_ACCUMULATE_ROWS) shapes[i] = {rows_of(i)};
    shapes[i].insert(shapes[i].end(), accumulators[i].spec.shape.begin(), accumulators[i].spec.shape.end());
    // Read only, by contract.
    tensors.push_back(view(accumulators[i].spec, shapes[i], const_cast<char*>(totals_.bytes(i).data())));
  }
  const auto pointers = pointers_to(tensors);
  plait_task_finish call{};
  call.struct_size = sizeof call;
  call.n_accumulators = static_cast<uint32_t>(pointers.size());
  call.n_states = static_cast<uint32_t>(states_.pointers.size());
  call.n_outputs = static_cast<uint32_t>(finished_.pointers.size());
  call.records = counts_.records;
  call.pass = pass_;
  call.accumulators = pointers.data();
  call.states = states_.pointers.data();
  call.outputs = finished_.pointers.data();
  call.rng = {parts_.random_key, random_counter(pass_, 1)};
  const Instance& task = *parts_.task;
  CallContext context(1, nullptr, &parts_.work->cancelled());
  PLAIT_TRY(
      context.call([&] { return task.ops<plait_task_ops>()->finish(task.self(), context.raw(), &call); })
          .at(fmt::format("{}, finish of pass {}", task.entry().type->id, pass_ + 1)));
  wants_another_ = call.another != 0;
  return {};
}

Status ArrayStage::share_states() {
  Transport& transport = *parts_.transport;
  int32_t another = wants_another_ ? 1 : 0;
  PLAIT_TRY(transport.all_reduce_max(std::span(&another, 1)));
  wants_another_ = another != 0;
  if (!wants_another_) return {};
  for (Bytes& bytes : states_.bytes) PLAIT_TRY(transport.broadcast(std::span(bytes), 0));
  return {};
}

std::vector<OutputArray> ArrayStage::outputs() const {
  std::vector<OutputArray> arrays;
  const TaskForm& form = *parts_.form;
  for (size_t i = 0; i < form.declared_outputs.size(); ++i)
    arrays.push_back({form.declared_outputs[i],
                      {reinterpret_cast<const char*>(finished_.bytes[i].data()), finished_.bytes[i].size()}});
  if (!arrays.empty()) return arrays;
  for (size_t i = 0; i < form.accumulators.size(); ++i) {
    PartSpec spec = form.accumulators[i].spec;
    if (form.accumulators[i].rule == PLAIT_ACCUMULATE_ROWS) spec.shape.insert(spec.shape.begin(), rows_of(i));
    arrays.push_back({spec, totals_.bytes(i)});
  }
  return arrays;
}

}  // namespace plait::inline mapreduce
