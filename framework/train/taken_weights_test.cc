// What of a weights file goes where, and what is said of the rest.
#include "train/taken_weights.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace plait::inline train {
namespace {

// A layer and a normalization.
Network network() {
  Network made;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape, bool buffer) {
    ParameterInfo info;
    info.name = name;
    info.shape = std::move(shape);
    info.buffer = buffer;
    made.parameters.push_back(std::move(info));
  };
  add("f.weight", {2, 1}, false);
  add("bn.mean", {2}, true);
  add("bn.variance", {2}, true);
  made.parameters.back().reduce = PLAIT_REDUCE_VARIANCE;
  return made;
}

// f32 tensors in memory, and others on request.
class StoredFile {
 public:
  void add(const std::string& name, std::vector<int64_t> shape, std::vector<float> values,
           const std::string& dtype = "F32") {
    values_.push_back(std::move(values));
    const std::string_view bytes(reinterpret_cast<const char*>(values_.back().data()),
                                 values_.back().size() * sizeof(float));
    stored_.tensors.push_back({name, dtype, std::move(shape), bytes});
  }
  TakenWeights taken() const { return take_weights(stored_, network(), "w"); }

 private:
  std::vector<std::vector<float>> values_;
  StoredTensors stored_;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("PyTorch's names of running statistics are found, and tensors that nobody needs passed over") {
  StoredFile file;
  file.add("f.weight", {2, 1}, {1, 2});
  file.add("bn.running_mean", {2}, {3, 4});
  file.add("bn.running_var", {2}, {5, 6});
  file.add("bn.num_batches_tracked", {}, {0, 0}, "I64");
  const TakenWeights taken = file.taken();
  CHECK(taken.check(false).is_ok());
  const auto all = taken.all();
  REQUIRE_MESSAGE(all.is_ok(), all.status().message());
  CHECK(*all == std::vector<std::vector<float>>{{1, 2}, {3, 4}, {5, 6}});
  CHECK(taken.text() ==
        "weights: 3 of 3 tensors from w\n"
        "  bn.mean from bn.running_mean\n"
        "  bn.variance from bn.running_var\n"
        "  passed over, since no layer has it: bn.num_batches_tracked (I64 [])");
  const auto json = nlohmann::json::parse(taken.json());
  CHECK(json["taken"].size() == 3);
  CHECK(json["passed_over"][0] == "bn.num_batches_tracked (I64 [])");
}

TEST_CASE("a file of very many tensors leaves a summary that can be read") {
  StoredFile file;
  file.add("f.weight", {2, 1}, {1, 2});
  for (int i = 0; i < 1200; ++i) file.add("t" + std::to_string(i), {1}, {0});
  const auto passed_over = nlohmann::json::parse(file.taken().json())["passed_over"];
  CHECK(passed_over.size() == 1001);
  CHECK(passed_over.back() == "and 200 more");
}

TEST_CASE("a tensor of the network's own name wins, and PyTorch's names mean buffers only") {
  StoredFile file;
  file.add("f.weight", {2, 1}, {1, 2});
  file.add("bn.running_mean", {2}, {3, 4});
  file.add("bn.mean", {2}, {7, 8});
  file.add("bn.variance", {2}, {5, 6});
  CHECK((*file.taken().all())[1] == std::vector<float>{7, 8});
  CHECK(file.taken().unused == std::vector<std::string>{"bn.running_mean (F32 [2])"});
}

TEST_CASE("another shape or type of the same name is an error, unless partial weights are wanted") {
  StoredFile file;
  file.add("f.weight", {1, 2}, {1, 2});
  file.add("bn.mean", {2}, {0, 0, 0, 0}, "I64");
  file.add("bn.variance", {2}, {5, 6});
  const TakenWeights taken = file.taken();
  const Status refused = taken.check(false);
  CHECK(refused.code() == Code::kInvalid);
  CHECK(says(refused.message(), "f.weight: [1, 2] in the file, wanted [2, 1]"));
  CHECK(says(refused.message(), "bn.mean: type I64, wanted F32, F16, BF16 or F64"));
  CHECK(says(refused.message(), "--weights-partial"));
  CHECK(taken.check(true).is_ok());
  CHECK(taken.tensors.size() == 1);
  CHECK(says(taken.text(), "not taken: f.weight: [1, 2] in the file"));
  CHECK_FALSE(taken.all().is_ok());
}

TEST_CASE("what is absent is said, and is an error where nothing is left") {
  StoredFile some, none;
  some.add("f.weight", {2, 1}, {1, 2});
  CHECK(some.taken().check(false).is_ok());
  CHECK(says(some.taken().text(), "weights: 1 of 3 tensors from w\n  not taken: bn.mean: not in the file"));
  CHECK(says(some.taken().all().status().message(), "w: 2 of the network's 3 tensors cannot be taken"));
  none.add("module.f.weight", {2, 1}, {1, 2});
  const std::string message = none.taken().check(true).message();
  CHECK(says(message, "wanted f.weight"));
  CHECK(says(message, "the file has module.f.weight (F32 [2, 1])"));
}

TEST_CASE("a variance below 0 is refused by name, partial or not; means and weights may be") {
  StoredFile file;
  file.add("f.weight", {2, 1}, {1, -2});
  file.add("bn.running_mean", {2}, {-3, 4});
  file.add("bn.running_var", {2}, {0, -0.5F});
  const TakenWeights taken = file.taken();
  for (const bool partial : {false, true})
    CHECK(says(taken.check(partial).message(),
               "bn.variance: value 1 of 2 is below 0, wanted finite numbers of at least 0, for a variance"));
  CHECK_FALSE(taken.all().is_ok());
  CHECK(taken.tensors.size() == 2);
}

TEST_CASE("numbers that are none are refused by the name of their tensor, partial or not") {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    StoredFile file;
    file.add("f.weight", {2, 1}, {1, bad});
    file.add("bn.mean", {2}, {3, 4});
    file.add("bn.variance", {2}, {5, 6});
    for (const bool partial : {false, true}) {
      const Status refused = file.taken().check(partial);
      CHECK(refused.code() == Code::kInvalid);
      CHECK(says(refused.message(), "f.weight: value 1 of 2 is "));
    }
    CHECK(says(file.taken().all().status().message(), "f.weight: value 1 of 2 is "));
  }
}

}  // namespace
}  // namespace plait::inline train
