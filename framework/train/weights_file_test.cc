// Weights files: what is written is read back; what is broken is refused.
#include "train/weights_file.h"

#include <doctest/doctest.h>

namespace plait::inline train {
namespace {

NamedTensors sample() {
  return {{"b.weight", {2, 2}, {1, 2, 3, 4}}, {"a.bias", {3}, {-1, 0.5f, 0}}, {"s", {}, {7}}};
}

Code code_of(const std::string& file) { return from_safetensors(file, "f").status().code(); }

TEST_CASE("tensors come back as they were, in order") {
  auto read = from_safetensors(to_safetensors(sample()), "f");
  REQUIRE(read.is_ok());
  REQUIRE(read->size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK((*read)[i].name == sample()[i].name);
    CHECK((*read)[i].shape == sample()[i].shape);
    CHECK((*read)[i].values == sample()[i].values);
  }
}

TEST_CASE("the digest depends on names, shapes and bits, not on the order") {
  NamedTensors tensors = sample();
  const std::string digest = weights_sha256(tensors);
  CHECK(digest == "01d35e71568c9565a457bcabb69008dd1c3050001909adcb4d9d8c0cbe3a406b");
  std::swap(tensors[0], tensors[1]);
  CHECK(weights_sha256(tensors) == digest);
  tensors[1].shape = {4, 1};
  CHECK(weights_sha256(tensors) != digest);
  tensors = sample();
  tensors[1].values[2] = -0.0f;
  CHECK(weights_sha256(tensors) != digest);
}

TEST_CASE("a cut file is refused wherever it is cut") {
  const std::string whole = to_safetensors(sample());
  for (size_t n = 0; n < whole.size(); ++n) CHECK(code_of(whole.substr(0, n)) == Code::kCorrupt);
  CHECK(code_of(whole + "x") == Code::kCorrupt);
}

}  // namespace
}  // namespace plait::inline train
