// A metric on the test host, with one state and its rows. See testing.hpp.
#pragma once
#include "testing.hpp"

namespace plait::sdk::testing {

class MetricTest {
 public:
  TestTensor prediction, target;
  std::vector<double> state;  // zeros at first
  std::vector<double> rows;   // of all updates

  // `classes`: names of the source's classes, for a metric that names its values by them.
  MetricTest(TestHost& host, const Entry& entry, Settings settings, PartSpec prediction_spec,
             PartSpec target_spec, std::vector<std::string> classes = {})
      : prediction(prediction_spec),
        target(target_spec),
        host_(host),
        ops_(*static_cast<const plait_metric_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    const plait_tensor_spec p = prediction.spec().c(), t = target.spec().c();
    uint32_t size = 0;
    host_.check(ops_.create(host_.context(), settings_.c(), &p, &t, &size, &self_));
    state.resize(size);
    if (keeps_rows()) host_.check(ops_.row_size(self_, host_.context(), &row_size_));
    name_values(p, t, classes);
  }
  ~MetricTest() {
    if (self_) ops_.destroy(self_);
  }
  MetricTest(const MetricTest&) = delete;
  MetricTest& operator=(const MetricTest&) = delete;

  void update() {
    if (!keeps_rows() || !state.empty())
      host_.check(ops_.update(self_, host_.context(), prediction.c(), target.c(), state.data()));
    if (!keeps_rows()) return;
    plait_number_rows taker{};
    taker.struct_size = sizeof taker;
    taker.host_data = this;
    taker.append = [](const plait_number_rows* taken, int64_t count, const double* numbers) {
      auto& test = *static_cast<MetricTest*>(taken->host_data);
      test.rows.insert(test.rows.end(), numbers, numbers + count * int64_t{test.row_size_});
      return int{PLAIT_OK};
    };
    host_.check(ops_.update_rows(self_, host_.context(), prediction.c(), target.c(), &taker));
  }
  std::vector<double> finish() {
    std::vector<double> values(size());
    if (!keeps_rows()) {
      host_.check(ops_.finish(self_, host_.context(), state.data(), values.data()));
      return values;
    }
    const auto count = static_cast<int64_t>(rows.size() / row_size_);
    host_.check(ops_.finish_rows(self_, host_.context(), state.data(), count, rows.data(), values.data()));
    return values;
  }
  bool keeps_rows() const { return PLAIT_HAS(&ops_, row_size); }
  size_t row_size() const { return row_size_; }
  size_t size() const { return names_.size(); }  // values
  const char* name(size_t i) const { return names_[i].c_str(); }
  const std::vector<std::string>& names() const { return names_; }
  // What the configuration adds to the names.
  std::string suffix() {
    char text[64] = "";
    if (PLAIT_HAS(&ops_, suffix)) host_.check(ops_.suffix(host_.context(), settings_.c(), text, sizeof text));
    return text;
  }
  bool higher_is_better(size_t i) const { return higher_is_better_[i]; }

 private:
  void add(const plait_metric_value& value) {
    names_.emplace_back(value.name);
    higher_is_better_.push_back(value.higher_is_better != 0);
  }
  void name_values(const plait_tensor_spec& prediction_spec, const plait_tensor_spec& target_spec,
                   const std::vector<std::string>& classes) {
    if (!PLAIT_HAS(&ops_, describe)) {
      for (uint32_t v = 0; v < ops_.n_values; ++v) add(*ops_.values[v]);
      return;
    }
    std::vector<const char*> names;
    for (const std::string& name : classes) names.push_back(name.c_str());
    const plait_metric_request request{sizeof request, static_cast<uint32_t>(classes.size()),
                                       settings_.c(),  &prediction_spec,
                                       &target_spec,   classes.empty() ? nullptr : names.data()};
    plait_metric_builder builder{};
    builder.struct_size = sizeof builder;
    builder.host_data = this;
    builder.value = [](const plait_metric_builder* made, const plait_metric_value* value) {
      static_cast<MetricTest*>(made->host_data)->add(*value);
      return int{PLAIT_OK};
    };
    host_.check(ops_.describe(host_.context(), &request, &builder));
  }

  TestHost& host_;
  const plait_metric_ops& ops_;
  Settings settings_;
  void* self_ = nullptr;
  uint32_t row_size_ = 0;
  std::vector<std::string> names_;
  std::vector<bool> higher_is_better_;
};

}  // namespace plait::sdk::testing
