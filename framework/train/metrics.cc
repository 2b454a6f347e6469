#include "train/metrics.h"

#include <algorithm>

namespace plait::inline train {
namespace {

// A tensor of a batch as metrics see it: in host memory, copied there when the device's is out of reach.
class HostTensor {
 public:
  Status read(const Network& network, int index, Replica& replica, const Batch& batch, Stream& stream) {
    const TensorInfo& info = network.tensors[static_cast<size_t>(index)];
    const bool is_part = info.part >= 0;
    const void* data = is_part ? batch.parts[static_cast<size_t>(info.part)] : replica.tensor(index);
    if (!stream.device().host_memory()) {
      copy_.resize(bytes(info.spec));
      PLAIT_TRY(stream.copy_out(copy_.data(), data, copy_.size()));
      PLAIT_TRY(stream.synchronize());
      data = copy_.data();
    }
    raw_ = tensor_of(info.spec);
    raw_.data = const_cast<void*>(data);
    const Extents extents = replica.tensor_extents(index);
    raw_.lengths = extents[0];
    raw_.second_lengths = extents[1];
    return {};
  }
  const plait_tensor* raw() const { return &raw_; }

 private:
  static uint64_t bytes(const PartSpec& spec) {
    uint64_t n = spec.dtype == PLAIT_U8 ? 1 : spec.dtype == PLAIT_F64 || spec.dtype == PLAIT_I64 ? 8 : 4;
    if (spec.dtype == PLAIT_BF16 || spec.dtype == PLAIT_F16) n = 2;
    for (int64_t extent : spec.shape) n *= static_cast<uint64_t>(extent);
    return n;
  }
  std::vector<std::byte> copy_;
  plait_tensor raw_{};
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
  }
  const HeadInfo* head = nullptr;
  const plait_metric_ops* ops = nullptr;
  void* self = nullptr;
  uint32_t state_size = 0;
  uint32_t row_size = 0;  // 0: keeps no rows
  size_t rows = 0;        // its number among those that do
  size_t first_value = 0, n_values = 0;
};

Metrics::Metrics(const Plan& plan, const std::atomic<bool>* cancelled) : plan_(plan), cancelled_(cancelled) {}
Metrics::~Metrics() = default;

Result<std::unique_ptr<Metrics>> Metrics::create(const Registry& registry, const Plan& plan,
                                                 const SourceClasses& classes,
                                                 const std::atomic<bool>* cancelled) {
  std::unique_ptr<Metrics> metrics(new Metrics(plan, cancelled));
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
  state_size_ += one->state_size;
  PLAIT_ASSIGN(const std::vector<ReportedValue> values,
               metric_values(registry, plan_.network(), head, classes));
  one->first_value = names_.size();
  one->n_values = values.size();
  names_.insert(names_.end(), values.begin(), values.end());
  metrics_.push_back(std::move(one));
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

Status Metrics::update(Replica& replica, const Batch& batch, Stream& stream, std::span<double> state,
                       MetricRows& rows, RowMemory& memory) const {
  CallContext context(1, nullptr, cancelled_);
  rows.resize(row_sizes_.size());
  for (const auto& one : metrics_) {
    HostTensor prediction, target;
    PLAIT_TRY(prediction.read(plan_.network(), one->head->input(), replica, batch, stream));
    PLAIT_TRY(target.read(plan_.network(), one->head->target(), replica, batch, stream));
    if (one->row_size == 0 || one->state_size > 0)
      PLAIT_TRY(context
                    .call([&] {
                      return one->ops->update(one->self, context.raw(), prediction.raw(), target.raw(),
                                              state.data());
                    })
                    .at(metric_place(*one->head)));
    if (one->row_size > 0) PLAIT_TRY(append_rows(*one, prediction.raw(), target.raw(), rows, memory));
    state = state.subspan(one->state_size);
  }
  return {};
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
