// A metric on the test host, with one state. See testing.hpp.
#pragma once
#include "testing.hpp"

namespace plait::sdk::testing {

class MetricTest {
 public:
  TestTensor prediction, target;
  std::vector<double> state;  // zeros at first

  MetricTest(TestHost& host, const Entry& entry, Settings settings, PartSpec prediction_spec,
             PartSpec target_spec)
      : prediction(prediction_spec),
        target(target_spec),
        host_(host),
        ops_(*static_cast<const plait_metric_ops*>(entry.implementation.ops)),
        settings_(std::move(settings)) {
    const plait_tensor_spec p = prediction.spec().c(), t = target.spec().c();
    uint32_t size = 0;
    host_.check(ops_.create(host_.context(), settings_.c(), &p, &t, &size, &self_));
    state.resize(size);
  }
  ~MetricTest() {
    if (self_) ops_.destroy(self_);
  }
  MetricTest(const MetricTest&) = delete;
  MetricTest& operator=(const MetricTest&) = delete;

  void update() {
    host_.check(ops_.update(self_, host_.context(), prediction.c(), target.c(), state.data()));
  }
  std::vector<double> finish() {
    std::vector<double> values(ops_.n_values);
    host_.check(ops_.finish(self_, host_.context(), state.data(), values.data()));
    return values;
  }
  const char* name(size_t i) const { return ops_.values[i]->name; }
  // What the configuration adds to the names.
  std::string suffix() {
    char text[64] = "";
    if (PLAIT_HAS(&ops_, suffix)) host_.check(ops_.suffix(host_.context(), settings_.c(), text, sizeof text));
    return text;
  }
  bool higher_is_better(size_t i) const { return ops_.values[i]->higher_is_better != 0; }

 private:
  TestHost& host_;
  const plait_metric_ops& ops_;
  Settings settings_;
  void* self_ = nullptr;
};

}  // namespace plait::sdk::testing
