#include "train/metric_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace plait::inline train {
namespace {

bool is_name(const std::string& text) {
  return std::ranges::all_of(
      text, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

// Takes what a metric names.
class ValueNames {
 public:
  explicit ValueNames(std::string metric) : metric_(std::move(metric)) {
    builder_.struct_size = sizeof builder_;
    builder_.host_data = this;
    builder_.value = [](const plait_metric_builder* builder, const plait_metric_value* value) {
      return static_cast<ValueNames*>(builder->host_data)->add(*value) ? int{PLAIT_OK} : int{PLAIT_FAILED};
    };
  }
  ValueNames(const ValueNames&) = delete;
  ValueNames& operator=(const ValueNames&) = delete;
  const plait_metric_builder* builder() const { return &builder_; }

  Result<std::vector<ReportedValue>> finish() {
    if (!wrong_.empty()) return Status(Code::kPlugin, wrong_);
    if (values_.empty()) return Status(Code::kPlugin, "names no values, wanted one or more");
    return std::move(values_);
  }
  bool is_wrong() const { return !wrong_.empty(); }

 private:
  bool add(const plait_metric_value& value) {
    const std::string text = value.name == nullptr ? "" : value.name;
    if (!is_name(text))
      return refuse(
          fmt::format("names the value \"{}\", wanted letters, digits, \"_\", \"-\" and \".\"", text));
    const std::string name = text.empty() ? metric_ : metric_ + "." + text;
    if (std::ranges::find(values_, name, &ReportedValue::name) != values_.end())
      return refuse(fmt::format("names two values \"{}\"", name));
    if (values_.size() == kMostMetricValues)
      return refuse(fmt::format("names more values than {}", kMostMetricValues));
    values_.push_back({name, value.higher_is_better != 0});
    return true;
  }
  bool refuse(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
    return false;
  }

  std::string metric_;
  plait_metric_builder builder_{};
  std::vector<ReportedValue> values_;
  std::string wrong_;
};

const plait_metric_ops* ops_of(const Registry& registry, const HeadInfo& metric) {
  const auto ops = registry.ops<plait_metric_ops>(metric.plugin->id());
  return ops ? *ops : nullptr;
}

}  // namespace

SourceClasses classes_of(const SampleReader& reader) { return {reader.classes(), reader.class_names()}; }

std::string metric_place(const HeadInfo& metric) {
  return "metric \"" + metric.name + "\" (" + metric.plugin->where.text() + ")";
}

Result<std::vector<ReportedValue>> metric_values(const Registry& registry, const Network& network,
                                                 const HeadInfo& metric, const SourceClasses& classes) {
  if (!metric.names_later) return *metric.values;
  const plait_metric_ops* const ops = ops_of(registry, metric);
  if (!PLAIT_HAS(ops, describe)) return Status(Code::kPlugin, "has no describe");
  const plait_tensor_spec prediction = network.tensors[static_cast<size_t>(metric.input())].spec.raw();
  const plait_tensor_spec target = network.tensors[static_cast<size_t>(metric.target())].spec.raw();
  std::vector<const char*> class_names;
  for (const std::string& name : classes.names) class_names.push_back(name.c_str());
  plait_metric_request request{};
  request.struct_size = sizeof request;
  request.n_classes = classes.count;
  request.config = metric.plugin->config.get();
  request.prediction = &prediction;
  request.target = &target;
  request.class_names = class_names.empty() ? nullptr : class_names.data();
  ValueNames names(metric.name);
  CallContext context;
  const Status said = context.call([&] { return ops->describe(context.raw(), &request, names.builder()); });
  if (!said && !names.is_wrong()) return said;
  return names.finish();
}

Result<std::vector<ReportedValue>> evaluation_values(const Registry& registry, const Network& network,
                                                     const SourceClasses& classes) {
  std::vector<ReportedValue> all;
  for (const HeadInfo& metric : network.metrics) {
    auto values = metric_values(registry, network, metric, classes);
    if (!values) return values.status().at(metric_place(metric));
    all.insert(all.end(), values->begin(), values->end());
  }
  if (!network.losses.empty()) all.push_back({"loss", false});
  for (const HeadInfo& loss : network.losses)
    if (network.losses.size() > 1) all.push_back({loss.name, false});
  return all;
}

bool keeps_rows(const Registry& registry, const Network& network) {
  return std::ranges::any_of(network.metrics, [&](const HeadInfo& metric) {
    const plait_metric_ops* const ops = ops_of(registry, metric);
    return PLAIT_HAS(ops, row_size);
  });
}

}  // namespace plait::inline train
