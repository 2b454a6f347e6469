#include "train/task_stage.h"

#include <fmt/format.h>
#include <plait/task_stage.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/random_keys.h"
#include "graph/sample_chain.h"
#include "pipeline/load.h"
#include "registry/shape_text.h"
#include "registry/stage_arrays.h"
#include "train/pair_table.h"

namespace plait::inline train {
namespace {

// Of all parts of the records in one call.
constexpr uint64_t kCall_bytes = uint64_t{4} << 20;
constexpr uint64_t kMostInCall = 256;

std::string name_of(const PluginSpec& plugin) { return plugin.entry->short_name(); }

uint64_t record_bytes(const std::vector<PartSpec>& parts) {
  uint64_t bytes = 0;
  for (const PartSpec& part : parts) bytes += byte_count(part);
  return bytes;
}

std::string no_records_text(const StageSpec& spec) {
  if (spec.network) return "the network made no rows";
  return is_stage_source(spec.source) ? "stage \"" + stage_of(spec.source) + "\" made no rows"
                                      : "the source has no records";
}

}  // namespace

// Reads the records of a split, some at a time, and gives them to the task.
class TaskStage::Mapper final : public RecordMapper {
 public:
  Mapper(const SampleReader& reader, const Instance& task) : reader_(reader), task_(task) {}

  void set_slots(int slots, const std::atomic<bool>* cancelled) {
    slots_.clear();
    for (int i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>(reader_.chain(), cancelled));
  }

  Result<bool> map(int number, const Split& split, const plait_task_call& wanted) override {
    Slot& slot = *slots_[static_cast<size_t>(number)];
    if (slot.split != split.number) slot.split = split.number, slot.next = split.first;
    const int64_t end = split.first + split.count;
    PLAIT_TRY(read(slot, end));
    if (slot.filled > 0) PLAIT_TRY(call(slot, wanted));
    if (slot.next < end) return false;
    slot.split = -1;
    return true;
  }

  int64_t records() const override { return records_; }
  int64_t skipped() const { return skipped_; }

 private:
  struct Slot {
    Slot(const SampleChain& chain, const std::atomic<bool>* cancelled)
        : scratch(chain), context(1, nullptr, cancelled), parts(chain.last_parts()) {
      capacity = records_in_call(record_bytes(parts));
      for (const PartSpec& part : parts) {
        const uint64_t row = byte_count(part);
        rows.emplace_back(row * static_cast<uint64_t>(capacity));
        row_bytes.push_back(row);
        batch_parts.push_back(with_batch(part, 0));
        for (int k = 0; k < 2; ++k)
          extents[k].emplace_back(part.varying(k) >= 0 ? static_cast<size_t>(capacity) : 0);
      }
      for (size_t i = 0; i < parts.size(); ++i) {
        plait_tensor& tensor = tensors.emplace_back(tensor_of(batch_parts[i]));
        tensor.data = rows[i].data();
        tensor.lengths = extents[0][i].empty() ? nullptr : extents[0][i].data();
        tensor.second_lengths = extents[1][i].empty() ? nullptr : extents[1][i].data();
      }
      for (const plait_tensor& tensor : tensors) pointers.push_back(&tensor);
    }

    void take_extents(const SampleLevel& level) {
      for (size_t i = 0; i < parts.size(); ++i)
        for (int k = 0; k < 2; ++k)
          if (parts[i].varying(k) >= 0)
            extents[k][i][static_cast<size_t>(filled)] =
                std::clamp<int32_t>(level.lengths(k)[i], 0, static_cast<int32_t>(parts[i].bound(k)));
    }

    SampleScratch scratch;
    CallContext context;
    const std::vector<PartSpec>& parts;
    int64_t capacity = 1;
    std::vector<HostBlock> rows;
    std::vector<uint64_t> row_bytes;
    std::vector<std::vector<int32_t>> extents[2];  // along the variable axes, per part
    std::vector<PartSpec> batch_parts;
    std::vector<plait_tensor> tensors;
    std::vector<const plait_tensor*> pointers;
    int64_t split = -1, next = 0, first = 0, filled = 0;
  };

  // Neighbours, up to a bad record, which is left out.
  Status read(Slot& slot, int64_t end) {
    const SampleChain& chain = reader_.chain();
    slot.first = slot.next;
    slot.filled = 0;
    while (slot.next < end && slot.filled < slot.capacity) {
      const SampleRef sample{slot.next, 0, static_cast<uint64_t>(slot.next)};
      SampleLevel& last = slot.scratch.last();
      slot.scratch.lay();
      for (size_t i = 0; i < slot.rows.size(); ++i)
        last.set_data(i, slot.rows[i].data() + slot.row_bytes[i] * static_cast<uint64_t>(slot.filled));
      Status status = chain.read_source(sample, slot.scratch);
      if (status) status = chain.transform(sample, slot.scratch);
      ++slot.next;
      if (!status && status.code() != Code::kCorrupt) return status;
      if (!status) {
        if (reader_.report_bad(sample, status)) ++skipped_;
        if (slot.filled > 0) return {};
        slot.first = slot.next;
        continue;
      }
      slot.take_extents(last);
      ++slot.filled;
    }
    return {};
  }

  Status call(Slot& slot, plait_task_call call) {
    for (PartSpec& part : slot.batch_parts) part.shape[0] = slot.filled;
    call.struct_size = sizeof call;
    call.n_parts = static_cast<uint32_t>(slot.pointers.size());
    call.first = slot.first;
    call.count = slot.filled;
    call.parts = slot.pointers.data();
    call.total = reader_.records();
    records_ += slot.filled;
    const Status mapped = slot.context.call(
        [&] { return task_.ops<plait_task_ops>()->map(task_.self(), slot.context.raw(), &call); });
    if (mapped) return {};
    return mapped.at(fmt::format("{}, records {} to {}", task_.entry().type->id, slot.first,
                                 slot.first + slot.filled - 1));
  }

  const SampleReader& reader_;
  const Instance& task_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::atomic<int64_t> records_ = 0, skipped_ = 0;
};

int64_t TaskStage::records_in_call(uint64_t record_bytes) {
  return static_cast<int64_t>(
      std::clamp<uint64_t>(kCall_bytes / std::max<uint64_t>(1, record_bytes), 1, kMostInCall));
}

TaskStage::TaskStage(const Registry& registry, const StageSpec& spec, uint64_t seed,
                     const std::atomic<bool>* cancelled)
    : ChainStage(spec), registry_(registry), seed_(seed), cancelled_(cancelled) {}
TaskStage::~TaskStage() = default;

Result<std::unique_ptr<ChainStage>> TaskStage::open(const Registry& registry, const StageSpec& spec,
                                                    uint64_t seed, const std::atomic<bool>* cancelled) {
  std::unique_ptr<TaskStage> stage(new TaskStage(registry, spec, seed, cancelled));
  stage->is_waiting_ =
      std::ranges::any_of(spec.used_stages(), [](const StageArrays* used) { return !used->has_values(); });
  const PluginSpec source =
      spec.network ? stage_source("", spec.from_network, {}, spec.network->where) : spec.source;
  PLAIT_ASSIGN(stage->reader_, SampleReader::create(registry, source, stage->reader_options()));
  if (stage->records() < 1 && !stage->is_waiting_)
    return Status(Code::kInvalid, error_at(source.where, no_records_text(spec)));
  for (const ChainOperator& op : stage->reader_->chain().operators())
    if (op.whole_batches)
      return Status(Code::kInvalid, op.place + " works on batches of training, and has no place in a stage");
  PLAIT_TRY(stage->make_plugins(registry));
  stage->mapper_ = std::make_unique<Mapper>(*stage->reader_, stage->task_);
  return std::unique_ptr<ChainStage>(std::move(stage));
}

SampleReader::Options TaskStage::reader_options() const {
  SampleReader::Options options;
  options.training = !spec().augment.empty();
  options.seed = seed_;
  options.augment = &spec().augment;
  options.preprocess = &spec().preprocess;
  options.cancelled = cancelled_;
  return options;
}

Status TaskStage::fit(Transport& transport, StoppableWork& work, int threads) {
  const FitRecords all{records(), [](int64_t place) { return place; }};
  const Status fitted =
      fitting_.complete(*reader_, reader_options(), all, {registry_, transport, work, threads}, fits_);
  return fitted || fitted.code() == Code::kStopped ? fitted : fitted.at("stage \"" + spec().name + "\"");
}

Status TaskStage::placed(const PluginSpec& plugin, const Status& status) const {
  if (status) return status;
  const std::string origins = &plugin == &spec().task ? origins_text(spec().used_stages()) : "";
  return {status.code(), error_at(plugin.where, status.message() + origins)};
}

Status TaskStage::make_plugins(const Registry& registry) {
  const auto& parts = reader_->chain().last_parts();
  CallContext context(1, nullptr, cancelled_);
  auto form = infer_task(*spec().task.entry, *spec().task.config, parts, context);
  PLAIT_TRY(placed(spec().task, form.status().at(name_of(spec().task))));
  form_ = std::move(form).value();
  if (!waits_for_stage(*spec().task.config)) {
    const plait_task_stage bounds{sizeof bounds, 0, is_waiting_ ? 0 : records(), spec().most_passes};
    context.set_extension(PLAIT_EXTENSION_TASK_STAGE, &bounds);
    auto task = create_task(registry, *spec().task.entry, *spec().task.config, parts, context);
    PLAIT_TRY(placed(spec().task, task.status()));
    task_ = std::move(task).value();
  }
  const bool is_keyed = spec().is_keyed();
  if (is_keyed != form_.is_keyed())
    return placed(spec().task,
                  {Code::kPlugin, fmt::format("{} says in its rules that it {} accumulators, and infer {}",
                                              name_of(spec().task), is_keyed ? "has no" : "has",
                                              is_keyed ? "has some" : "has none")});
  if (is_keyed) return make_keyed_plugins(registry);
  std::vector<PartSpec> outputs = form_.outputs();
  for (size_t i = 0; i < outputs.size(); ++i)
    if (form_.has_rows(i)) outputs[i].shape.insert(outputs[i].shape.begin(), -1);  // as many as there will be
  if (spec().arrays != nullptr) spec().arrays->declare(outputs);
  PLAIT_TRY(make_sink(registry));
  return placed(spec().task, sink().check(sink_arrays(outputs)));
}

Status TaskStage::make_keyed_plugins(const Registry& registry) {
  uint32_t kind = form_.value;
  if (spec().combiner) {
    auto combiner = Combiner::create(registry, spec().combiner, kind);
    PLAIT_TRY(placed(spec().combiner, combiner.status()));
    combiner_ = std::move(combiner).value();
    kind = combiner_->kind();
  }
  auto reducer = KeyReducer::create(registry, spec().reducer, kind);
  PLAIT_TRY(placed(spec().reducer, reducer.status()));
  reducer_ = std::move(reducer).value();
  if (spec().arrays != nullptr) spec().arrays->declare(table_arrays(reducer_->kind()));
  PLAIT_TRY(make_sink(registry));
  return placed(spec().sink, sink().check(reducer_->kind()));
}

int64_t TaskStage::tasks() const { return Splits{records(), spec().split}.count(); }

std::string TaskStage::flow() const {
  std::string text;
  for (const PartSpec& part : reader_->chain().last_parts())
    text += (text.empty() ? "" : ", ") + part_text(part);
  text += " -> " + name_of(spec().task) + " -> ";
  if (!form_.is_keyed()) {
    const auto outputs = form_.outputs();
    for (size_t i = 0; i < outputs.size(); ++i) {
      text += (i == 0 ? "" : ", ") + std::string(form_.has_rows(i) ? "rows of " : "") + part_text(outputs[i]);
    }
    return text;
  }
  text += value_kind_name(form_.value);
  if (combiner_) text += " -> " + name_of(spec().combiner) + " -> " + value_kind_name(combiner_->kind());
  return text + " -> " + name_of(spec().reducer) + " -> " + value_kind_name(reducer_->kind());
}

Result<ChainStage::Outcome> TaskStage::run(const Around& around) {
  PLAIT_TRY(fit(around.transport, around.work, around.threads));
  // A source that is read in order has one reader.
  const int slots = reader_->chain().in_order() ? 1 : around.threads;
  mapper_->set_slots(slots, &around.work.cancelled());
  std::string sha256;
  const FileWriter write_file = [&](const std::function<Status(const Files::Writer&)>& content) {
    return write_output(around, sha256, content);
  };
  Outcome outcome;
  const Status ran = form_.is_keyed() ? run_keyed(around, slots, write_file, outcome)
                                      : run_arrays(around, slots, write_file, outcome);
  if (!ran) return ran.code() == Code::kStopped ? ran : ran.at("stage \"" + spec().name + "\"");
  outcome.sha256 = sha256;
  int64_t sums[] = {mapper_->records(), mapper_->skipped()};
  PLAIT_TRY(around.transport.all_reduce_sum(std::span<int64_t>(sums)));
  if (form_.is_keyed()) outcome.records = sums[0];
  outcome.skipped_records = sums[1];
  if (sums[0] == 0 && sums[1] > 0) return refuse_all_bad(around, sums[1]);
  release();
  return outcome;
}

// What a map function makes of no records looks as if the data were empty.
Status TaskStage::refuse_all_bad(const Around& around, int64_t count) const {
  if (around.transport.is_root()) static_cast<void>(around.files.remove(around.path));
  return {Code::kCorrupt, fmt::format("stage \"{}\": all {} records are bad{}", spec().name, count,
                                      first_bad() ? "" : "; the first: " + first_bad().message())};
}

// What comes now has their memory. Nobody is caught in what has ended well.
void TaskStage::release() {
  keyed_.reset();
  arrays_.reset();
  mapper_->set_slots(0, nullptr);
}

Status TaskStage::run_keyed(const Around& around, int slots, const FileWriter& write_file, Outcome& outcome) {
  KeyedStage::Parts parts;
  parts.splits = {records(), spec().split};
  parts.mapper = mapper_.get();
  parts.kind = form_.value;
  parts.combiner = combiner_.get();
  parts.reducer = reducer_.get();
  parts.memory_bytes = spec().memory_bytes;
  parts.threads = slots;
  parts.transport = &around.transport;
  parts.work = &around.work;
  parts.take = [&](PairStream& results) {
    return write_file(
        [&](const Files::Writer& write) { return sink().write(results, reducer_->kind(), write); });
  };
  keyed_ = std::make_unique<KeyedStage>(parts);
  PLAIT_TRY(keyed_->run());
  const KeyedCounts& counts = keyed_->counts();
  outcome.pairs = counts.pairs;
  outcome.results = counts.results;
  outcome.value = table_value(reducer_->kind());
  outcome.bytes_shuffled = counts.bytes_shuffled;
  outcome.bytes_spilled = counts.bytes_spilled;
  outcome.bytes_held = counts.bytes_held;
  outcome.tasks_by_rank = counts.tasks_by_rank;
  return {};
}

Status TaskStage::run_arrays(const Around& around, int slots, const FileWriter& write_file,
                             Outcome& outcome) {
  ArrayStage::Parts parts;
  parts.splits = {records(), spec().split};
  parts.mapper = mapper_.get();
  parts.form = &form_;
  parts.task = &task_;
  parts.memory_bytes = spec().memory_bytes;
  parts.most_passes = spec().most_passes;
  parts.random_key = random_key(seed_, RandomPurpose::kTask, spec().name);
  parts.threads = slots;
  parts.transport = &around.transport;
  parts.work = &around.work;
  parts.take = [&](const std::vector<OutputArray>& arrays) {
    std::vector<PartSpec> specs;
    std::vector<const void*> data;
    outcome.results = 0;
    for (const OutputArray& array : arrays) {
      specs.push_back(array.spec), data.push_back(array.bytes.data());
      outcome.results = std::max(outcome.results, array.spec.shape.empty() ? 1 : array.spec.shape.front());
    }
    return write_file(
        [&](const Files::Writer& write) { return sink().write(sink_arrays(specs), data, write); });
  };
  parts.passed = around.passed;
  arrays_ = std::make_unique<ArrayStage>(parts);
  PLAIT_TRY(arrays_->run());
  const ArrayCounts& counts = arrays_->counts();
  outcome.passes = counts.passes;
  outcome.records = counts.records;
  outcome.bytes_shuffled = counts.bytes_shuffled;
  outcome.bytes_spilled = counts.bytes_spilled;
  outcome.tasks_by_rank = counts.tasks_by_rank;
  return {};
}

}  // namespace plait::inline train
