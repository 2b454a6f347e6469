// check_ops: the functions of each kind that are not optional.
#include <fmt/format.h>

#include <vector>

#include "registry/check.h"

namespace plait {
namespace {

class Missing {
 public:
  template <class Function>
  Missing& wants(const char* name, Function function) {
    if (function == nullptr) names_.push_back(name);
    return *this;
  }
  Status status() const {
    if (names_.empty()) return {};
    return {Code::kInvalid, fmt::format("operations without {}", fmt::join(names_, ", "))};
  }

 private:
  std::vector<const char*> names_;
};

template <class Ops>
Missing made(const Ops* ops) {
  return Missing().wants("create", ops->create).wants("destroy", ops->destroy);
}

Status check_device(const plait_device_ops* ops) {
  return Missing()
      .wants("open", ops->open)
      .wants("close", ops->close)
      .wants("allocate", ops->allocate)
      .wants("release", ops->release)
      .wants("stream_create", ops->stream_create)
      .wants("stream_destroy", ops->stream_destroy)
      .wants("copy_in", ops->copy_in)
      .wants("copy_out", ops->copy_out)
      .wants("copy", ops->copy)
      .wants("fill_zero", ops->fill_zero)
      .wants("add_f32", ops->add_f32)
      .wants("synchronize", ops->synchronize)
      .status();
}

Status check_metric(const plait_metric_ops* ops) {
  return made(ops)
      .wants("values", ops->n_values > 0 ? ops->values : nullptr)
      .wants("update", ops->update)
      .wants("finish", ops->finish)
      .status();
}

Status check_source(const plait_source_ops* ops) {
  return Missing()
      .wants("open", ops->open)
      .wants("close", ops->close)
      .wants("describe", ops->describe)
      .wants("read", ops->read)
      .status();
}

// One of two ways to reduce.
Status check_reducer(const plait_reducer_ops* ops) {
  const bool reduces = ops->weight != nullptr || ops->combine != nullptr;
  return made(ops).wants("weight or combine", reduces ? ops : nullptr).status();
}

Status check_augmenter(const plait_augmenter_ops* ops) {
  const bool applies = ops->apply != nullptr || ops->apply_batch != nullptr;
  return made(ops).wants("apply or apply_batch", applies ? ops : nullptr).status();
}

template <class Ops>
const Ops* as(const void* ops) {
  return static_cast<const Ops*>(ops);
}

}  // namespace

Status check_ops(const std::string& kind, const void* ops) {
  if (kind == "layer")
    return made(as<plait_layer_ops>(ops)).wants("forward", as<plait_layer_ops>(ops)->forward).status();
  if (kind == "loss")
    return made(as<plait_loss_ops>(ops)).wants("compute", as<plait_loss_ops>(ops)->compute).status();
  if (kind == "metric") return check_metric(as<plait_metric_ops>(ops));
  if (kind == "optimizer")
    return made(as<plait_optimizer_ops>(ops)).wants("step", as<plait_optimizer_ops>(ops)->step).status();
  if (kind == "schedule")
    return made(as<plait_schedule_ops>(ops)).wants("value", as<plait_schedule_ops>(ops)->value).status();
  if (kind == "pretrainer") {
    return made(as<plait_pretrainer_ops>(ops))
        .wants("next_stage", as<plait_pretrainer_ops>(ops)->next_stage)
        .status();
  }
  if (kind == "augmenter") return check_augmenter(as<plait_augmenter_ops>(ops));
  if (kind == "source") return check_source(as<plait_source_ops>(ops));
  if (kind == "reducer") return check_reducer(as<plait_reducer_ops>(ops));
  if (kind == "device") return check_device(as<plait_device_ops>(ops));
  return {};
}

}  // namespace plait
