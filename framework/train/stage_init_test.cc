// What a parameter or buffer begins with may be its value.
#include "train/stage_init.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "registry/stage_arrays.h"

namespace plait::inline train {
namespace {

// A normalization's variance of 2 channels, and a weight.
Network network() {
  Network made;
  ParameterInfo info;
  info.name = "n.variance";
  info.init = "ones";
  info.shape = {2};
  info.elements = 2;
  info.buffer = true;
  info.reduce = PLAIT_REDUCE_VARIANCE;
  made.parameters.push_back(info);
  info.name = "n.weight";
  info.buffer = false;
  info.reduce = PLAIT_REDUCE_MEAN32;
  made.parameters.push_back(info);
  return made;
}

std::shared_ptr<StageArrays> arrays(const std::vector<double>& values) {
  StageArrays::Array array;
  array.spec.name = "a";
  array.spec.dtype = PLAIT_F64;
  array.spec.shape = {static_cast<int64_t>(values.size())};
  array.bytes.resize(values.size() * sizeof(double));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  auto made = std::make_shared<StageArrays>();
  made->declare({array.spec});
  REQUIRE(made->set({array}).is_ok());
  return made;
}

Job job(const std::string& parameter, std::shared_ptr<StageArrays> stage) {
  InitSpec init;
  init.stage = std::move(stage);
  init.from = "s";
  init.parameter = parameter;
  LayerSpec layer;
  layer.name = "n";
  layer.init.push_back(init);
  Job made;
  made.layers.push_back(layer);
  return made;
}

bool has(const Status& status, const std::string& words) {
  INFO(status.message());
  return status.message().find(words) != std::string::npos;
}

TEST_CASE("an array of a stage is a variance where it is 0 or more") {
  CHECK(init_tensors(job("variance", arrays({1, 0})), network()).is_ok());
  CHECK(init_tensors(job("weight", arrays({1, -1})), network()).is_ok());
  const Status below = init_tensors(job("variance", arrays({1, -1})), network()).status();
  CHECK(below.code() == Code::kNumeric);
  CHECK(has(below, "array a of stage \"s\": n.variance: value 1 of 2 is below 0, wanted finite numbers"));
  const Status large = init_tensors(job("weight", arrays({1e39, 0})), network()).status();
  CHECK(has(large, "n.weight: value 0 of 2 is infinite, wanted finite numbers"));
}

TEST_CASE("what is drawn is a variance where it is 0 or more") {
  const auto checked = [](const std::string& parameter, InitialDistribution from) {
    Job made = job(parameter, nullptr);
    made.layers[0].init[0].distribution = from;
    Network drawn = network();
    for (ParameterInfo& info : drawn.parameters)
      info.init = from.word, info.init_a = from.a, info.init_b = from.b, info.gain = from.gain;
    return check_inits(made, drawn);
  };
  CHECK(checked("variance", {"constant", 0}).is_ok());
  CHECK(checked("weight", {"constant", -1}).is_ok());
  CHECK(checked("variance", {"uniform", 0.5, 1}).is_ok());
  CHECK(has(checked("variance", {"constant", -1}), "init: constant for n.variance: value 0 of 2 is below 0"));
  CHECK(has(checked("variance", {"normal", -9, 1}), "init: normal for n.variance: value 0 of 2 is below 0"));
  CHECK(has(checked("weight", {"constant", 1e39}), "init: constant for n.weight: "));
}

}  // namespace
}  // namespace plait::inline train
