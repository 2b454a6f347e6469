#include "train/metrics.h"

namespace plait {
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
    raw_ = {};
    raw_.struct_size = sizeof raw_;
    raw_.dtype = info.spec.dtype;
    raw_.rank = static_cast<int32_t>(info.spec.shape.size());
    raw_.variable_axis = info.spec.variable_axis;
    raw_.shape = info.spec.shape.data();
    raw_.data = const_cast<void*>(data);
    raw_.name = info.spec.name.c_str();
    raw_.lengths = replica.tensor_lengths(index);
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

// "metric "accuracy:head2" (lenet.txtpb:31:3)"
std::string place_of(const HeadInfo& head) {
  return "metric \"" + head.name + "\" (" + head.plugin->where.text() + ")";
}

}  // namespace

struct Metrics::One {
  ~One() {
    if (self) ops->destroy(self);
  }
  const HeadInfo* head = nullptr;
  const plait_metric_ops* ops = nullptr;
  void* self = nullptr;
  uint32_t state_size = 0;
};

Metrics::Metrics(const Plan& plan) : plan_(plan) {}
Metrics::~Metrics() = default;

Result<std::unique_ptr<Metrics>> Metrics::create(const Registry& registry, const Plan& plan) {
  std::unique_ptr<Metrics> metrics(new Metrics(plan));
  for (const HeadInfo& head : plan.network().metrics) {
    PLAIT_TRY(metrics->add(registry, head).at(place_of(head)));
  }
  return metrics;
}

Status Metrics::add(const Registry& registry, const HeadInfo& head) {
  auto one = std::make_unique<One>();
  one->head = &head;
  PLAIT_ASSIGN(one->ops, registry.ops<plait_metric_ops>(head.plugin->id()));
  const auto& tensors = plan_.network().tensors;
  const plait_tensor_spec prediction = tensors[static_cast<size_t>(head.input)].spec.raw();
  const plait_tensor_spec target = tensors[static_cast<size_t>(head.target)].spec.raw();
  CallContext context;
  PLAIT_TRY(context.call([&] {
    return one->ops->create(context.raw(), head.plugin->config.get(), &prediction, &target, &one->state_size,
                            &one->self);
  }));
  state_size_ += one->state_size;
  names_.insert(names_.end(), head.values->begin(), head.values->end());
  metrics_.push_back(std::move(one));
  return {};
}

Status Metrics::update(Replica& replica, const Batch& batch, Stream& stream, std::span<double> state) const {
  CallContext context;
  for (const auto& one : metrics_) {
    HostTensor prediction, target;
    PLAIT_TRY(prediction.read(plan_.network(), one->head->input, replica, batch, stream));
    PLAIT_TRY(target.read(plan_.network(), one->head->target, replica, batch, stream));
    PLAIT_TRY(context
                  .call([&] {
                    return one->ops->update(one->self, context.raw(), prediction.raw(), target.raw(),
                                            state.data());
                  })
                  .at(place_of(*one->head)));
    state = state.subspan(one->state_size);
  }
  return {};
}

Status Metrics::finish(std::span<const double> state, NamedValues& values) const {
  CallContext context;
  for (const auto& one : metrics_) {
    std::vector<double> results(one->ops->n_values);
    PLAIT_TRY(
        context.call([&] { return one->ops->finish(one->self, context.raw(), state.data(), results.data()); })
            .at(place_of(*one->head)));
    for (size_t v = 0; v < results.size(); ++v) values.emplace_back((*one->head->values)[v].name, results[v]);
    state = state.subspan(one->state_size);
  }
  return {};
}

}  // namespace plait
