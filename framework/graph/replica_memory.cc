#include "graph/replica_memory.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "graph/replica.h"

namespace plait::inline graph {
namespace {

constexpr uint64_t kReportBytes = 2 * kAlignment;  // of one loss

plait_tensor view_of(const TensorInfo& tensor, void* data) {
  plait_tensor view = tensor_of(tensor.spec);
  view.data = data;
  view.name = tensor.name.c_str();
  return view;
}

}  // namespace

Result<std::unique_ptr<ReplicaMemory>> ReplicaMemory::create(const Plan& plan, Stream& stream,
                                                             const OptimizerInstance* optimizer,
                                                             const ReplicaMemory* shared, float* weights_at) {
  std::unique_ptr<ReplicaMemory> memory(new ReplicaMemory(plan, stream));
  PLAIT_TRY(memory->allocate());
  if (shared == nullptr) PLAIT_TRY(memory->allocate_arenas(optimizer, weights_at));
  if (shared != nullptr) memory->arenas_ = shared->arenas_;
  memory->make_views();
  memory->make_extents();
  return memory;
}

Status ReplicaMemory::allocate() {
  PLAIT_ASSIGN(activations_, DeviceMemory::allocate(stream_, plan_.activation_bytes()));
  PLAIT_ASSIGN(prepared_, DeviceMemory::allocate(stream_, plan_.prepared_bytes()));
  return allocate_reports();
}

Status ReplicaMemory::allocate_arenas(const OptimizerInstance* optimizer, float* weights_at) {
  const uint64_t trained_bytes = plan_.options().training ? plan_.trained_elements() * sizeof(float) : 0;
  if (weights_at == nullptr) {
    PLAIT_ASSIGN(weights_, DeviceMemory::allocate(stream_, arena_bytes()));
  }
  PLAIT_ASSIGN(gradients_, DeviceMemory::allocate(stream_, trained_bytes));
  arenas_.weights = weights_at != nullptr ? weights_at : elements(weights_);
  arenas_.gradients = elements(gradients_);
  if (optimizer == nullptr || !plan_.options().training) return {};
  if (optimizer->moves()) {
    PLAIT_ASSIGN(kept_, DeviceMemory::allocate(stream_, arena_bytes() + buffer_bytes()));
    arenas_.kept = elements(kept_);
  }
  for (const SlotInfo& slot : optimizer->slots()) PLAIT_TRY(allocate_slot(slot.initial));
  return {};
}

// A loss whose targets cannot be bad may never write bad_target.
Status ReplicaMemory::allocate_reports() {
  const uint64_t bytes = plan_.losses().size() * kReportBytes;
  PLAIT_ASSIGN(host_reports_, HostMemory::allocate(stream_.device(), bytes));
  PLAIT_ASSIGN(reports_, DeviceMemory::allocate(stream_, bytes));
  const int32_t none = -1;
  for (size_t head = 0; head < plan_.losses().size(); ++head) {
    PLAIT_TRY(stream_.copy_in(bad_target(head), &none, sizeof none));
  }
  return stream_.synchronize();
}

Status ReplicaMemory::allocate_slot(double initial) {
  PLAIT_ASSIGN(DeviceMemory slot, DeviceMemory::allocate(stream_, plan_.trained_elements() * sizeof(float)));
  if (initial != 0) {
    const std::vector<float> values(plan_.trained_elements(), static_cast<float>(initial));
    PLAIT_TRY(stream_.copy_in(slot.data(), values.data(), slot.bytes()));
    PLAIT_TRY(stream_.synchronize());
  }
  arenas_.slots.push_back(elements(slot));
  slots_.push_back(std::move(slot));
  return {};
}

Result<float*> ReplicaMemory::extra_gradient(uint64_t elements) {
  PLAIT_ASSIGN(DeviceMemory memory, DeviceMemory::allocate(stream_, elements * sizeof(float)));
  extra_.push_back(std::move(memory));
  return static_cast<float*>(extra_.back().data());
}

void ReplicaMemory::make_views() {
  const Network& network = plan_.network();
  for (size_t i = 0; i < network.tensors.size(); ++i) {
    const TensorPlace& place = plan_.tensors()[i];
    values_.push_back(view_of(network.tensors[i], activation(place.offset)));
    gradient_sums_.push_back(view_of(network.tensors[i], activation(place.gradient)));
  }
}

void ReplicaMemory::make_extents() {
  const Network& network = plan_.network();
  extents_.resize(network.tensors.size());
  for (size_t i = 0; i < network.tensors.size(); ++i)
    for (size_t k = 0; k < 2; ++k)
      if (network.tensors[i].extents[k].tensor >= 0 && !network.tensors[i].extents[k].is_same())
        extents_[i][k].resize(static_cast<size_t>(network.batch));
}

// Of a layer's output, once those of its inputs are there. A rule makes the output's own extent of the
// input's, so that full samples stay full.
const int32_t* ReplicaMemory::extents_of(size_t tensor, int k) {
  const ExtentSource& source = plan_.network().tensors[tensor].extents[k];
  if (source.tensor < 0) return nullptr;
  const plait_tensor& from = value(source.tensor);
  const int32_t* const extents = source.axis == 0 ? from.lengths : from.second_lengths;
  if (extents == nullptr || source.is_same()) return extents;
  std::vector<int32_t>& made = extents_[tensor][static_cast<size_t>(k)];
  for (size_t n = 0; n < made.size(); ++n) made[n] = source(extents[n]);
  return made.data();
}

void ReplicaMemory::set_extents(size_t tensor, const Batch& batch) {
  const TensorInfo& info = plan_.network().tensors[tensor];
  if (!info.spec.varies()) return;
  Extents found{};
  if (info.part < 0)
    found = {extents_of(tensor, 0), extents_of(tensor, 1)};
  else if (static_cast<size_t>(info.part) < batch.extents.size())
    found = batch.extents[static_cast<size_t>(info.part)];
  for (plait_tensor* view : {&values_[tensor], &gradient_sums_[tensor]})
    view->lengths = found[0], view->second_lengths = found[1];
}

plait_tensor ReplicaMemory::like(int tensor, void* data) const {
  plait_tensor view = value(tensor);
  view.data = data;
  return view;
}

void ReplicaMemory::use(const Batch& batch) {
  const Network& network = plan_.network();
  for (size_t i = 0; i < values_.size(); ++i) {
    if (const int part = network.tensors[i].part; part >= 0)
      values_[i].data = batch.parts[static_cast<size_t>(part)];
    set_extents(i, batch);
  }
}

double* ReplicaMemory::result(size_t head) const {
  return static_cast<double*>(at(reports_, head * kReportBytes));
}

int32_t* ReplicaMemory::bad_target(size_t head) const {
  return static_cast<int32_t*>(at(reports_, head * kReportBytes + kAlignment));
}

Status ReplicaMemory::fetch_reports() {
  if (host_reports_.bytes() == 0) return {};
  return stream_.copy_out(host_reports_.data(), reports_.data(), host_reports_.bytes());
}

Status ReplicaMemory::copy_some(float* to, const float* from, uint64_t bytes) {
  return bytes == 0 ? Status() : stream_.copy(to, from, bytes);
}

Status ReplicaMemory::keep_buffers() {
  return copy_some(arenas_.kept + plan_.arena_elements(), weights(plan_.buffers_offset()), buffer_bytes());
}

Status ReplicaMemory::put_back_buffers() {
  return copy_some(weights(plan_.buffers_offset()), arenas_.kept + plan_.arena_elements(), buffer_bytes());
}

Status ReplicaMemory::keep_weights() { return copy_some(arenas_.kept, weights(), arena_bytes()); }

Status ReplicaMemory::put_back_weights() { return copy_some(weights(), arenas_.kept, arena_bytes()); }

double ReplicaMemory::mean_loss() const {
  const bool is_near = stream_.device().host_memory();
  if (!is_near && !fetches_within_step_) return std::numeric_limits<double>::quiet_NaN();
  double mean = 0;
  for (size_t head = 0; head < plan_.losses().size(); ++head) {
    const LossReport of = is_near ? LossReport{result(head)[0], result(head)[1], 0} : report(head);
    if (of.count > 0) mean += plan_.network().losses[head].weight * (of.sum / of.count);
  }
  return mean;
}

ReplicaMemory::LossReport ReplicaMemory::report(size_t head) const {
  const std::byte* from = host_reports_.data() + head * kReportBytes;
  LossReport report{};
  std::memcpy(&report.sum, from, sizeof(double));
  std::memcpy(&report.count, from + sizeof(double), sizeof(double));
  std::memcpy(&report.bad_target, from + kAlignment, sizeof(int32_t));
  return report;
}

}  // namespace plait::inline graph
