#include "registry/task_form.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/values.h"

namespace plait::inline registry {
namespace {

Status wrong(std::string message) { return {Code::kPlugin, std::move(message)}; }

const char* wanted_type(uint32_t rule, uint32_t dtype) {
  if (rule == PLAIT_ACCUMULATE_ROWS) return nullptr;
  const bool is_count = rule == PLAIT_ACCUMULATE_COUNT;
  if (dtype == (is_count ? uint32_t{PLAIT_I64} : uint32_t{PLAIT_F64})) return nullptr;
  return is_count ? "i64" : "f64";
}

}  // namespace

std::vector<PartSpec> TaskForm::outputs() const {
  if (!declared_outputs.empty()) return declared_outputs;
  std::vector<PartSpec> specs;
  for (const Accumulator& one : accumulators) specs.push_back(one.spec);
  return specs;
}

TaskFormCollector::TaskFormCollector() {
  builder_.struct_size = sizeof builder_;
  builder_.host_data = this;
  builder_.keyed = [](const plait_task_builder* builder, uint32_t kind) -> int {
    TaskFormCollector& self = of(builder);
    ++self.keyed_;
    self.form_.value = kind;
    return PLAIT_OK;
  };
  builder_.accumulator = [](const plait_task_builder* builder, uint32_t rule, const plait_tensor_spec* spec) {
    return of(builder).noted(of(builder).add_accumulator(rule, spec));
  };
  builder_.state = [](const plait_task_builder* builder, const plait_tensor_spec* spec) {
    return of(builder).noted(add(of(builder).form_.states, spec, "state"));
  };
  builder_.output = [](const plait_task_builder* builder, const plait_tensor_spec* spec) {
    return of(builder).noted(add(of(builder).form_.declared_outputs, spec, "output"));
  };
}

TaskFormCollector& TaskFormCollector::of(const plait_task_builder* builder) {
  return *static_cast<TaskFormCollector*>(builder->host_data);
}

int TaskFormCollector::noted(Status status) {
  if (status) return PLAIT_OK;
  if (refused_) refused_ = std::move(status);
  return PLAIT_FAILED;
}

Status TaskFormCollector::add(std::vector<PartSpec>& specs, const plait_tensor_spec* spec, const char* sort) {
  if (spec == nullptr) return wrong(fmt::format("a {} that is null", sort));
  PLAIT_ASSIGN(PartSpec part, part_of(*spec));
  if (part.variable_axis >= 0)
    return wrong(fmt::format("the {} {} has a variable axis", sort, part_text(part)));
  const auto is_same = [&](const PartSpec& other) { return other.name == part.name; };
  if (std::ranges::any_of(specs, is_same)) return wrong(fmt::format("two {}s \"{}\"", sort, part.name));
  specs.push_back(std::move(part));
  return {};
}

Status TaskFormCollector::add_accumulator(uint32_t rule, const plait_tensor_spec* spec) {
  std::vector<PartSpec> specs;
  for (const TaskForm::Accumulator& one : form_.accumulators) specs.push_back(one.spec);
  PLAIT_TRY(add(specs, spec, "accumulator"));
  const PartSpec& part = specs.back();
  if (rule < PLAIT_ACCUMULATE_SUM || rule > PLAIT_ACCUMULATE_ROWS)
    return wrong(fmt::format("the accumulator {} has the rule {}, which is none", part_text(part), rule));
  if (const char* wanted = wanted_type(rule, part.dtype))
    return wrong(fmt::format("the accumulator {} wants elements {}", part_text(part), wanted));
  form_.accumulators.push_back({rule, part});
  return {};
}

Result<TaskForm> TaskFormCollector::take(const Status& call) {
  PLAIT_TRY(refused_);
  PLAIT_TRY(call);
  const bool has_arrays = !form_.accumulators.empty();
  if (keyed_ > 0 && (has_arrays || !form_.states.empty() || !form_.declared_outputs.empty()))
    return wrong("infer says both pairs and accumulators, wanted one of the two");
  if (keyed_ == 0 && !has_arrays) return wrong("infer says neither pairs nor accumulators");
  if (keyed_ > 1) return wrong(fmt::format("infer says {} times what is emitted, wanted once", keyed_));
  if (keyed_ == 1 && !is_value_kind(form_.value))
    return wrong(fmt::format("infer says values of kind {}, which is none", form_.value));
  return std::move(form_);
}

}  // namespace plait::inline registry
