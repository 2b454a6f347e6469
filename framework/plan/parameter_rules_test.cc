#include "plan/parameter_rules.h"

#include <doctest/doctest.h>

namespace plait::inline plan {
namespace {

InitSpec init_of(const std::string& word) {
  InitSpec init;
  init.distribution.word = word;
  init.where = {"net.txtpb", 5, 7};
  return init;
}

ParameterInfo parameter(const std::vector<int64_t>& shape) {
  ParameterInfo info;
  info.name = "weight";
  info.shape = shape;
  return info;
}

}  // namespace

TEST_CASE("* is any text, ? any one character, the rest is itself") {
  for (const char* pattern : {"*", "c1.weight", "c?.weight", "c*", "*.weight", "*1*w*t", "c1.weight*", "**"})
    CHECK_MESSAGE(matches(pattern, "c1.weight"), pattern);
  for (const char* pattern : {"", "c1", "?c1.weight", "c1.weigh", "c1.weight?", "*.bias", "C*", "c1?weightx"})
    CHECK_FALSE_MESSAGE(matches(pattern, "c1.weight"), pattern);
  CHECK(matches("", ""));
  CHECK(matches("*", ""));
  CHECK_FALSE(matches("?", ""));
  // Goes back to the last * alone: not exponential.
  CHECK_FALSE(matches(std::string("a*a*a*a*a*a*a*a*a*b"), std::string(2000, 'a')));
}

TEST_CASE("fans are PyTorch's, of a bias the layer's") {
  LayerSpec layer;
  layer.init = {init_of("he_normal")};
  ParameterInfo convolution = parameter({6, 4, 5, 3}), matrix = parameter({6, 4}), said = parameter({6});
  said.fan_in = 100, said.fan_out = 7;
  for (ParameterInfo* info : {&convolution, &matrix, &said}) REQUIRE(take_init(layer, *info).is_ok());
  // torch.nn.init._calculate_fan_in_and_fan_out of PyTorch 2.15 gives (60, 90) and (4, 6).
  CHECK(convolution.fan_in == 60);
  CHECK(convolution.fan_out == 90);
  CHECK(matrix.fan_in == 4);
  CHECK(matrix.fan_out == 6);
  CHECK(said.fan_in == 100);
  CHECK(said.fan_out == 7);
}

TEST_CASE("a vector has no fans and is not orthogonal; other distributions are for it too") {
  LayerSpec layer;
  for (const char* word : {"he_normal", "glorot_uniform", "lecun_normal", "orthogonal"}) {
    layer.init = {init_of(word)};
    ParameterInfo vector = parameter({16});
    const std::string told = take_init(layer, vector).message();
    CHECK(told.find("net.txtpb:5:7") != std::string::npos);
    CHECK(told.find("got \"weight\" [16], wanted 2 or more axes") != std::string::npos);
  }
  layer.init = {init_of("truncated_normal")};
  ParameterInfo vector = parameter({16});
  CHECK(take_init(layer, vector).is_ok());
  CHECK(vector.init == "truncated_normal");
}

TEST_CASE("of blocks that match the last that says something counts, thing by thing") {
  ParametersSpec all, weights, bias;
  all.match = "*", all.rate_multiplier = 2, all.l2 = 0.5, all.decay = true;
  weights.match = "*.weight", weights.rate_multiplier = 3, weights.frozen = true;
  bias.match = "*.bias", bias.decay = false;
  ParameterInfo info = parameter({2, 2});
  info.name = "a.weight";
  info.flags = PLAIT_PARAMETER_NO_DECAY;
  take_rules({all, weights, bias}, info);
  CHECK(info.rate_multiplier == 3);
  CHECK(info.l2 == 0.5);
  CHECK(info.l1 == 0);
  CHECK(info.frozen);
  CHECK(info.flags == 0);
  info.name = "a.bias";
  take_rules({all, weights, bias}, info);
  CHECK(info.rate_multiplier == 2);
  CHECK(info.flags == PLAIT_PARAMETER_NO_DECAY);
  ParameterInfo buffer = parameter({2});
  buffer.name = "a.mean", buffer.buffer = true;
  take_rules({all}, buffer);
  CHECK(buffer.l2 == 0);
}

}  // namespace plait::inline plan
