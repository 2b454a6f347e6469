#include "registry/sink.h"

#include <fmt/format.h>

namespace plait::inline registry {
namespace {

const plait_sink_rules& rules_of(const TypeEntry& sink) {
  return *static_cast<const plait_sink_rules*>(sink.type->rules);
}
// Null where the type has no implementation.
const plait_sink_ops* ops_of(const TypeEntry& sink) {
  const auto found = sink.implementations.find(PLAIT_HOST_DEVICE);
  return found == sink.implementations.end() ? nullptr
                                             : static_cast<const plait_sink_ops*>(found->second->ops);
}

Status writes_no(const TypeEntry& sink, const char* what) {
  return {Code::kInvalid, fmt::format("{} writes no {}", sink.short_name(), what)};
}

}  // namespace

bool writes_arrays(const TypeEntry& sink) {
  const plait_sink_ops* ops = ops_of(sink);
  return PLAIT_HAS(ops, write_arrays);
}
bool writes_pairs(const TypeEntry& sink) {
  const plait_sink_ops* ops = ops_of(sink);
  return PLAIT_HAS(ops, write_pairs);
}
bool is_table(const TypeEntry& sink) { return (rules_of(sink).flags & PLAIT_SINK_TABLE) != 0; }

Status check_arrays(const TypeEntry& sink, const plait_config& config,
                    const std::vector<SinkArraySpec>& arrays, CallContext& context) {
  if (!writes_arrays(sink)) return writes_no(sink, "arrays");
  const plait_sink_rules* rules = &rules_of(sink);
  if (!PLAIT_HAS(rules, check_arrays)) return {};
  const RawSinkArrays raw(arrays, {});
  return context.call([&] { return rules->check_arrays(context.raw(), &config, raw.size(), raw.data()); })
      .at(sink.short_name());
}

Status check_pairs(const TypeEntry& sink, const plait_config& config, uint32_t value, CallContext& context) {
  if (!writes_pairs(sink)) return writes_no(sink, "pairs of a key and a value");
  const plait_sink_rules* rules = &rules_of(sink);
  if (!PLAIT_HAS(rules, check_pairs)) return {};
  return context.call([&] { return rules->check_pairs(context.raw(), &config, value); })
      .at(sink.short_name());
}

RawSinkArrays::RawSinkArrays(const std::vector<SinkArraySpec>& arrays, const std::vector<const void*>& data) {
  tensors_.resize(arrays.size());
  columns_.resize(arrays.size());
  arrays_.resize(arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i) {
    const PartSpec& spec = arrays[i].spec;
    plait_tensor& tensor = tensors_[i];
    tensor.struct_size = sizeof tensor;
    tensor.dtype = spec.dtype;
    tensor.rank = static_cast<int32_t>(spec.shape.size());
    tensor.variable_axis = -1;
    tensor.shape = spec.shape.data();
    tensor.data = data.empty() ? nullptr : const_cast<void*>(data[i]);  // a sink only reads
    tensor.name = spec.name.c_str();
    for (const std::string& name : arrays[i].columns) columns_[i].push_back(name.c_str());
    arrays_[i] = {sizeof(plait_sink_array), static_cast<uint32_t>(columns_[i].size()), &tensor,
                  columns_[i].data()};
    pointers_.push_back(&arrays_[i]);
  }
}

ByteTaker::ByteTaker(Take take) : take_(std::move(take)) {
  raw_.struct_size = sizeof raw_;
  raw_.host_data = this;
  raw_.append = append;
}

int ByteTaker::append(const plait_byte_taker* taker, plait_str bytes) {
  auto& self = *static_cast<ByteTaker*>(taker->host_data);
  if (!self.refusal_) return self.has_insisted_ = true, PLAIT_FAILED;
  if (bytes.size == 0) return PLAIT_OK;
  self.refusal_ = self.take_(std::string_view(bytes.data, bytes.size));
  return self.refusal_ ? PLAIT_OK : PLAIT_FAILED;
}

Status ByteTaker::outcome(const Status& called) const {
  if (refusal_) return called;
  if (called)
    return {Code::kPlugin, "goes on as if bytes had been taken that were not: " + refusal_.message()};
  if (has_insisted_)
    return {Code::kPlugin, "gives more bytes after some were refused: " + refusal_.message()};
  return refusal_;
}

}  // namespace plait::inline registry
