#include "train/metrics.h"

#include <algorithm>
#include <bit>

namespace plait::inline train {
namespace {

// A tensor of a batch where the network has left it.
plait_tensor tensor_there(const Network& network, int index, Replica& replica, const Batch& batch) {
  const TensorInfo& info = network.tensors[static_cast<size_t>(index)];
  plait_tensor raw = tensor_of(info.spec);
  const bool is_part = info.part >= 0;
  raw.data = is_part ? batch.parts[static_cast<size_t>(info.part)] : const_cast<void*>(replica.tensor(index));
  const Extents extents = replica.tensor_extents(index);
  raw.lengths = extents[0];
  raw.second_lengths = extents[1];
  return raw;
}

// The tensors of a batch as metrics on the host see them: in host memory, copied there once when the device's
// is out of reach.
class HostTensors {
 public:
  HostTensors(const Network& network, Replica& replica, const Batch& batch, Stream& stream)
      : network_(network), replica_(replica), batch_(batch), stream_(stream) {}
  Result<const plait_tensor*> at(int index) {
    const auto found = std::ranges::find_if(read_, [&](const auto& one) { return one->index == index; });
    if (found != read_.end()) return static_cast<const plait_tensor*>(&(*found)->raw);
    auto one = std::make_unique<One>();
    one->index = index;
    one->raw = tensor_there(network_, index, replica_, batch_);
    if (!stream_.device().host_memory()) {
      one->copy.resize(bytes(network_.tensors[static_cast<size_t>(index)].spec));
      PLAIT_TRY(stream_.copy_out(one->copy.data(), one->raw.data, one->copy.size()));
      PLAIT_TRY(stream_.synchronize());
      one->raw.data = one->copy.data();
    }
    read_.push_back(std::move(one));
    return static_cast<const plait_tensor*>(&read_.back()->raw);
  }

 private:
  struct One {
    int index = -1;
    plait_tensor raw{};
    std::vector<std::byte> copy;
  };
  static uint64_t bytes(const PartSpec& spec) {
    uint64_t n = spec.dtype == PLAIT_U8 ? 1 : spec.dtype == PLAIT_F64 || spec.dtype == PLAIT_I64 ? 8 : 4;
    if (spec.dtype == PLAIT_BF16 || spec.dtype == PLAIT_F16) n = 2;
    for (int64_t extent : spec.shape) n *= static_cast<uint64_t>(extent);
    return n;
  }
  const Network& network_;
  Replica& replica_;
  const Batch& batch_;
  Stream& stream_;
  std::vector<std::unique_ptr<One>> read_;
};

// Appends to the rows of a metric. A batch's are one thread's.
struct RowTaker {
  std::vector<double>& numbers;
  size_t row;
  RowMemory& memory;
  bool is_full = false;

  static int append(const plait_number_rows* taker, int64_t count, const double* numbers) {
    auto& self = *static_cast<RowTaker*>(taker->host_data);
    if (count < 0) return PLAIT_FAILED;
    const size_t more = static_cast<size_t>(count) * self.row;
    if (!self.memory.take(more * sizeof(double))) {
      self.is_full = true;
      return PLAIT_FAILED;
    }
    self.numbers.insert(self.numbers.end(), numbers, numbers + more);
    return PLAIT_OK;
  }
};

constexpr uint32_t kMostRow = 65'536;

}  // namespace

struct Metrics::One {
  ~One() {
    if (self) ops->destroy(self);
    if (there && self_there) there->destroy(self_there);
  }
  const HeadInfo* head = nullptr;
  const plait_metric_ops* ops = nullptr;
  void* self = nullptr;
  const plait_metric_ops* there = nullptr;  // of the device; null: the host counts
  void* self_there = nullptr;
  uint32_t state_size = 0;
  uint32_t row_size = 0;  // 0: keeps no rows
  size_t rows = 0;        // its number among those that do
  size_t first_value = 0, n_values = 0;
};

Metrics::Metrics(const Plan& plan, const std::atomic<bool>* cancelled, Device* device)
    : plan_(plan),
      cancelled_(cancelled),
      device_(device != nullptr && !device->host_memory() ? device : nullptr) {}
Metrics::~Metrics() = default;

Result<std::unique_ptr<Metrics>> Metrics::create(const Registry& registry, const Plan& plan,
                                                 const SourceClasses& classes,
                                                 const std::atomic<bool>* cancelled, Device* device) {
  std::unique_ptr<Metrics> metrics(new Metrics(plan, cancelled, device));
  for (const HeadInfo& head : plan.network().metrics) {
    PLAIT_TRY(metrics->add(registry, head, classes).at(metric_place(head)));
  }
  return metrics;
}

Status Metrics::add(const Registry& registry, const HeadInfo& head, const SourceClasses& classes) {
  auto one = std::make_unique<One>();
  one->head = &head;
  PLAIT_ASSIGN(one->ops, registry.ops<plait_metric_ops>(head.plugin->id()));
  const auto& tensors = plan_.network().tensors;
  const plait_tensor_spec prediction = tensors[static_cast<size_t>(head.input())].spec.raw();
  const plait_tensor_spec target = tensors[static_cast<size_t>(head.target())].spec.raw();
  CallContext context(1, nullptr, cancelled_);
  PLAIT_TRY(context.call([&] {
    return one->ops->create(context.raw(), head.plugin->config.get(), &prediction, &target, &one->state_size,
                            &one->self);
  }));
  if (PLAIT_HAS(one->ops, row_size)) PLAIT_TRY(keep_rows(*one));
  PLAIT_TRY(put_there(*one, registry.find(kKindOf<plait_metric_ops>, head.plugin->id())));
  state_size_ += one->state_size;
  PLAIT_ASSIGN(const std::vector<ReportedValue> values,
               metric_values(registry, plan_.network(), head, classes));
  one->first_value = names_.size();
  one->n_values = values.size();
  names_.insert(names_.end(), values.begin(), values.end());
  metrics_.push_back(std::move(one));
  return {};
}

// One that refuses these shapes is left to the host.
Status Metrics::put_there(One& one, const TypeEntry* entry) {
  if (device_ == nullptr || one.row_size > 0 || entry == nullptr) return {};
  const auto found = entry->implementations.find(device_->id());
  if (found == entry->implementations.end()) return {};
  const auto* ops = static_cast<const plait_metric_ops*>(found->second->ops);
  const auto& tensors = plan_.network().tensors;
  const plait_tensor_spec prediction = tensors[static_cast<size_t>(one.head->input())].spec.raw();
  const plait_tensor_spec target = tensors[static_cast<size_t>(one.head->target())].spec.raw();
  CallContext context(1, nullptr, cancelled_);
  context.set_device(&device_->ops(), device_->self(), nullptr);
  uint32_t size = 0;
  const Status made = context.call([&] {
    return ops->create(context.raw(), one.head->plugin->config.get(), &prediction, &target, &size,
                       &one.self_there);
  });
  if (made.code() == Code::kUnsupported) return {};
  PLAIT_TRY(made.at(device_->id()));
  one.there = ops;
  if (size != one.state_size)
    return {Code::kPlugin, "its state has " + std::to_string(size) + " numbers on " + device_->id() +
                               ", and " + std::to_string(one.state_size) + " on the host; wanted the same"};
  there_size_ += size;
  return {};
}

Status Metrics::keep_rows(One& one) {
  CallContext context(1, nullptr, cancelled_);
  PLAIT_TRY(
      context.call([&] { return one.ops->row_size(one.self, context.raw(), &one.row_size); }).at("row_size"));
  if (one.row_size < 1 || one.row_size > kMostRow)
    return {Code::kPlugin, "keeps rows of " + std::to_string(one.row_size) + " numbers, wanted 1 .. " +
                               std::to_string(kMostRow)};
  one.rows = row_sizes_.size();
  row_sizes_.push_back(one.row_size);
  return {};
}

Status Metrics::update(Replica& replica, const Batch& batch, Stream& stream, const Count& count) const {
  count.rows.resize(row_sizes_.size());
  HostTensors here(plan_.network(), replica, batch, stream);
  double *state = count.state.data(), *there = count.there;
  for (const auto& one : metrics_) {
    if (one->there != nullptr) {
      PLAIT_TRY(count_there(*one, replica, batch, stream, there).at(metric_place(*one->head)));
      there += one->state_size;
    } else {
      PLAIT_ASSIGN(const plait_tensor* const prediction, here.at(one->head->input()));
      PLAIT_ASSIGN(const plait_tensor* const target, here.at(one->head->target()));
      PLAIT_TRY(count_here(*one, prediction, target, state, count));
    }
    state += one->state_size;
  }
  // The next batch writes where predictions and targets are, on other streams.
  return there_size_ > 0 ? stream.synchronize().at("metrics on the device") : Status();
}

Status Metrics::count_here(const One& one, const plait_tensor* prediction, const plait_tensor* target,
                           double* state, const Count& count) const {
  CallContext context(1, nullptr, cancelled_);
  if (one.row_size == 0 || one.state_size > 0)
    PLAIT_TRY(
        context.call([&] { return one.ops->update(one.self, context.raw(), prediction, target, state); })
            .at(metric_place(*one.head)));
  return one.row_size > 0 ? append_rows(one, prediction, target, count.rows, count.memory) : Status();
}

Status Metrics::count_there(const One& one, Replica& replica, const Batch& batch, Stream& stream,
                            double* state) const {
  const plait_tensor prediction = tensor_there(plan_.network(), one.head->input(), replica, batch),
                     target = tensor_there(plan_.network(), one.head->target(), replica, batch);
  CallContext context(1, nullptr, cancelled_);
  context.set_device(&device_->ops(), device_->self(), stream.handle());
  return context.call(
      [&] { return one.there->update(one.self_there, context.raw(), &prediction, &target, state); });
}

void Metrics::put(std::span<const double> there, std::span<int64_t> state) const {
  for (const auto& one : metrics_) {
    if (one->there != nullptr) {
      for (uint32_t i = 0; i < one->state_size; ++i) state[i] = std::bit_cast<int64_t>(there[i]);
      there = there.subspan(one->state_size);
    }
    state = state.subspan(one->state_size);
  }
}

Status Metrics::append_rows(const One& one, const plait_tensor* prediction, const plait_tensor* target,
                            MetricRows& rows, RowMemory& memory) const {
  RowTaker taker{rows[one.rows], one.row_size, memory};
  plait_number_rows raw{};
  raw.struct_size = sizeof raw;
  raw.host_data = &taker;
  raw.append = &RowTaker::append;
  CallContext context(1, nullptr, cancelled_);
  const Status said =
      context.call([&] { return one.ops->update_rows(one.self, context.raw(), prediction, target, &raw); });
  if (taker.is_full) return too_many_rows(one.rows, 0, memory.bound());
  return said.at(metric_place(*one.head));
}

Status Metrics::too_many_rows(size_t metric, uint64_t bytes, uint64_t most) const {
  const auto found = std::ranges::find_if(
      metrics_, [&](const auto& one) { return one->row_size > 0 && one->rows == metric; });
  return {Code::kInvalid,
          metric_place(*(*found)->head) + ": its rows of all records are " +
              (bytes == 0 ? std::string("more") : std::to_string(bytes) + " bytes, more") + " than the " +
              std::to_string(most) +
              " bytes that are kept of an evaluation: wanted fewer records, or evaluate { memory: ... }"};
}

Status Metrics::finish(std::span<const double> state, const MetricRows& rows, NamedValues& values) const {
  CallContext context(1, nullptr, cancelled_);
  for (const auto& one : metrics_) {
    std::vector<double> results(one->n_values);
    const auto finish_one = [&] {
      if (one->row_size == 0) return one->ops->finish(one->self, context.raw(), state.data(), results.data());
      const std::vector<double>& numbers = rows[one->rows];
      const auto count = static_cast<int64_t>(numbers.size() / one->row_size);
      return one->ops->finish_rows(one->self, context.raw(), state.data(), count, numbers.data(),
                                   results.data());
    };
    PLAIT_TRY(context.call(finish_one).at(metric_place(*one->head)));
    for (size_t v = 0; v < results.size(); ++v)
      values.emplace_back(names_[one->first_value + v].name, results[v]);
    state = state.subspan(one->state_size);
  }
  return {};
}

}  // namespace plait::inline train
