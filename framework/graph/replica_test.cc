#include "graph/replica.h"

#include <doctest/doctest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include <plait/sdk/random.hpp>
#include "base/random_keys.h"
#include "graph/test_plugins.h"

namespace plait::inline graph {
namespace {

const char* kLoss = " loss { target: \"label\" squares {} }";

std::string layer(const std::string& name, const std::string& inputs, const std::string& plugin,
                  const std::string& more = "") {
  std::string text = "layer { name: \"" + name + "\" ";
  size_t begin = 0;
  while (begin < inputs.size()) {
    const size_t end = std::min(inputs.find(' ', begin), inputs.size());
    text += "input: \"" + inputs.substr(begin, end - begin) + "\" ";
    begin = end + 1;
  }
  return text + more + " " + plugin + " }\n";
}

// Mean over the batch of sum_c x (s x - t): the derivative by the factor s between image and prediction.
float derivative(const TestRun& run, float s) {
  float sum = 0;
  for (size_t i = 0; i < run.image.size(); ++i) sum += run.image[i] * (s * run.image[i] - run.label[i / 4]);
  return sum / 4;
}

std::string failure(TestRun& run) {
  const auto result = run.step();
  REQUIRE_FALSE(result.is_ok());
  return result.status().message();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a chain: loss, gradients and the update") {
  auto run = test_run(layer("a", "image", "scale { initial: 2 }") +
                      layer("b", "a", "scale { initial: 0.5 }") + kLoss);
  const auto result = run->step();
  REQUIRE_MESSAGE(result.is_ok(), result.status().message());
  double loss = 0;
  for (size_t i = 0; i < 16; ++i) loss += 0.5 * std::pow(run->image[i] - run->label[i / 4], 2);
  CHECK(result->loss_sum == loss);
  CHECK(result->samples == 4);
  // y = a b x with a b = 1: d/da = b D, d/db = a D.
  const float d = derivative(*run, 1);
  CHECK(run->gradient("a.weight") == 0.5f * d);
  CHECK(run->gradient("b.weight") == 2 * d);
  CHECK(run->parameter("a.weight") == 2 - 0.5f * 0.5f * d);
  CHECK(run->parameter("b.weight") == 0.5f - 0.5f * 2 * d);
}

TEST_CASE("contributions to one gradient are summed, and an output of two is used apart") {
  for (int lanes : {1, 2}) {
    // y = a (b + c + 1) x: three readers of a.
    auto run = test_run(layer("a", "image", "scale {}") + layer("b", "a", "scale { initial: 2 }") +
                            layer("c", "a", "scale { initial: 4 }") + layer("s", "b c a", "sum {}") + kLoss,
                        {.lanes = lanes, .with_optimizer = false});
    REQUIRE(run->step().is_ok());
    const float d = derivative(*run, 7);
    CHECK(run->gradient("a.weight") == 7 * d);
    CHECK(run->gradient("b.weight") == d);
    CHECK(run->gradient("c.weight") == d);
    CHECK(run->parameter("a.weight") == 1);

    // y = a (1 + 2 b) x.
    auto split =
        test_run(layer("a", "image", "scale {}") + layer("two", "a", "split {}") +
                     layer("b", "two:1", "scale { initial: 2 }") + layer("s", "two b", "sum {}") + kLoss,
                 {.lanes = lanes, .with_optimizer = false});
    REQUIRE(split->step().is_ok());
    CHECK(split->gradient("a.weight") == 5 * derivative(*split, 5));
    CHECK(split->gradient("b.weight") == 2 * derivative(*split, 5));

    // Output 0 of the split is read by nobody: its gradient is zero.
    auto half = test_run(layer("a", "image", "scale {}") + layer("two", "a", "split {}") +
                             layer("b", "two:1", "scale {}") + kLoss,
                         {.lanes = lanes, .with_optimizer = false});
    REQUIRE(half->step().is_ok());
    REQUIRE(half->step().is_ok());
    CHECK(half->gradient("a.weight") == 2 * derivative(*half, 2));
  }
}

TEST_CASE("users of a shared parameter add up") {
  for (int lanes : {1, 2}) {
    // y = a a x: d/da = 2 a D.
    auto run = test_run(layer("a", "image", "scale { initial: 2 }") +
                            layer("b", "a", "scale { initial: 2 }", "shares: \"a\"") + kLoss,
                        {.lanes = lanes});
    REQUIRE(run->step().is_ok());
    CHECK(run->gradient("a.weight") == 4 * derivative(*run, 4));
    CHECK(run->parameter("a.weight") == 2 - 0.5f * 4 * derivative(*run, 4));
  }
}

TEST_CASE("the optimizer's calls: rate multiplier, frozen layers, schedule, slots, gradients of all") {
  auto run = test_run(layer("a", "image", "scale {}", "rate_multiplier: 0.25") + layer("b", "a", "scale {}") +
                      layer("c", "b", "scale {}", "frozen: true") +
                      " optimizer { descend { slots: 1 } } schedule { field: \"rate\" halve {} }" + kLoss);
  REQUIRE(run->replica->slots() == 1);
  CHECK(run->replica->slot(0)[run->place("b.weight")] == 3);
  const float d = derivative(*run, 1);
  REQUIRE(run->step(1).is_ok());  // rate 0.5 / 2
  CHECK(run->parameter("a.weight") == 1 - 0.25f * 0.25f * d);
  CHECK(run->parameter("b.weight") == 1 - 0.25f * d);
  CHECK(run->parameter("c.weight") == 1);

  auto clip = test_run(layer("a", "image", "scale {}") + layer("b", "a", "scale {}") +
                       " optimizer { clip {} }" + kLoss);
  REQUIRE(clip->step().is_ok());
  CHECK(clip->parameter("a.weight") == 1 - static_cast<float>(1 / (1 + 2.0 * d * d)) * d);
  CHECK(clip->parameter("b.weight") == clip->parameter("a.weight"));
}

TEST_CASE("a second gradient: of the same batch at the weights that were moved to") {
  for (const std::string device : {"near {}", "far {}"}) {
    auto run = test_run(layer("a", "image", "scale { initial: 2 noise: true }") +
                            " optimizer { climb { rate: 0.25 } }" + kLoss,
                        {.lanes = 2, .device = device});
    auto once = test_run(layer("a", "image", "scale { initial: 2 noise: true }") +
                             " optimizer { descend { rate: 0 } }" + kLoss,
                         {.lanes = 2, .device = device});
    const auto result = run->step(3), wanted = once->step(3);
    REQUIRE_MESSAGE(result.is_ok(), result.status().message());
    CHECK(result->loss_sum == wanted->loss_sum);
    CHECK(result->losses[0] == wanted->losses[0]);
    CHECK(run->replica->slot(0)[run->place("a.weight")] == static_cast<float>(wanted->loss_sum / 4));
    // What the second pass has found: at the weights that the first gradient leads to.
    const float first = once->gradient("a.weight");
    once->replica->weights()[once->place("a.weight")] = 2 + first;
    REQUIRE(once->step(3).is_ok());
    CHECK(once->gradient("a.weight") != first);
    CHECK(run->parameter("a.weight") == 2 - 0.25f * once->gradient("a.weight"));
  }
  auto failed = test_run(layer("a", "image", "scale {}") + " optimizer { climb { fail: true } }" + kLoss);
  CHECK(has(failure(*failed), "optimizer: move: asked to fail in move"));
}

TEST_CASE("layers are prepared for the weights of both gradients") {
  auto run = test_run(layer("a", "image", "shadow {}") + " optimizer { climb { rate: 0.25 } }" + kLoss);
  auto plain = test_run(layer("a", "image", "scale {}") + " optimizer { climb { rate: 0.25 } }" + kLoss);
  for (int64_t i = 0; i < 3; ++i) {
    REQUIRE(run->step(i).is_ok());
    REQUIRE(plain->step(i).is_ok());
    CHECK(run->parameter("a.weight") == plain->parameter("a.weight"));
  }
}

TEST_CASE("an optimizer sees the loss that is trained on, of several losses and on every device") {
  const std::string net =
      layer("a", "image", "scale { initial: 2 }") + " optimizer { polyak {} }" +
      "loss { target: \"label\" squares {} } loss { target: \"image\" weight: 3 squares {} }";
  for (const std::string device : {"near {}", "far {}"}) {
    auto run = test_run(net, {.lanes = 2, .device = device});
    const auto result = run->step();
    REQUIRE_MESSAGE(result.is_ok(), result.status().message());
    const double g = run->gradient("a.weight"), loss = result->loss_sum / result->samples;
    CHECK(run->parameter("a.weight") == doctest::Approx(2 - loss / g).epsilon(1e-6));
  }
}

TEST_CASE("prepare runs after every change of the weights") {
  auto run = test_run(layer("a", "image", "shadow {}") + kLoss);
  const int before = test_counts().prepares;
  const double first = run->step()->loss_sum, second = run->step()->loss_sum;
  CHECK(test_counts().prepares == before + 2);
  CHECK(first != second);
  REQUIRE(run->reset().is_ok());
  CHECK(run->step()->loss_sum == first);
}

TEST_CASE("several losses: weights and means") {
  auto run =
      test_run(layer("a", "image", "scale { initial: 2 }") +
                   "loss { target: \"label\" squares {} } loss { target: \"image\" weight: 3 squares {} }",
               {.with_optimizer = false});
  const auto result = run->step();
  REQUIRE_MESSAGE(result.is_ok(), result.status().message());
  double by_label = 0, by_image = 0, slope = 0;
  for (size_t i = 0; i < 16; ++i) {
    const double x = run->image[i], t = run->label[i / 4];
    by_label += 0.5 * (2 * x - t) * (2 * x - t);
    by_image += 0.5 * x * x;
    slope += x * (2 * x - t) / 4 + 3 * x * x / 16;
  }
  CHECK(result->loss_sum == by_label + 3 * by_image / 16 * 4);
  CHECK(run->gradient("a.weight") == static_cast<float>(slope));
}

TEST_CASE("a failure names layer, place and phase") {
  auto forward = test_run(layer("a", "image", "scale { fail: \"forward\" }") + kLoss);
  CHECK(has(failure(*forward), "\"a\" (net.txtpb:2:"));
  CHECK(has(failure(*forward), "): forward: asked to fail in forward"));
  auto backward =
      test_run(layer("a", "image", "scale {}") + layer("b", "a", "scale { fail: \"backward\" }") + kLoss);
  CHECK(has(failure(*backward), "\"b\""));
  CHECK(has(failure(*backward), "): backward: asked to fail in backward"));
  auto thrown = test_run(layer("a", "image", "scale { fail: \"throw\" }") + kLoss);
  CHECK(has(failure(*thrown), "\"a\""));
}

TEST_CASE("of several failures the first in order is told, not the first in time") {
  auto run =
      test_run(layer("a", "image", "scale { fail: \"forward\" wait_ms: 30 }") +
                   layer("b", "image", "scale { fail: \"forward\" }") + layer("s", "a b", "sum {}") + kLoss,
               {.lanes = 2});
  for (int i = 0; i < 5; ++i) CHECK(has(failure(*run), "\"a\""));
}

TEST_CASE("a loss that is refused, or not finite") {
  auto run = test_run(layer("a", "image", "scale {}") + kLoss);
  run->label[2] = -1;
  run->batch.first_position = 100;
  CHECK(has(failure(*run), "target of sample 2 of the batch (position 102 of the training)"));
  run->label[2] = 2;
  run->image[5] = std::numeric_limits<float>::infinity();
  CHECK(run->step().status().code() == Code::kNumeric);
}

TEST_CASE("a cancelled step stops, and the next can run") {
  std::atomic<bool> cancelled{true};
  auto run = test_run(layer("a", "image", "scale {}") + layer("l", "a", "loop {}") + kLoss,
                      {.lanes = 2, .cancelled = &cancelled});
  CHECK(run->step().status().code() == Code::kStopped);
  CHECK(run->parameter("a.weight") == 1);
  cancelled = false;
  CHECK(run->step().is_ok());
}

TEST_CASE("with two lanes independent branches overlap") {
  // Where a process may use one core, a pool of threads has one.
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  auto run = test_run(layer("a", "image", "scale { sleep_ms: 40 }") +
                          layer("b", "image", "scale { sleep_ms: 40 }") + layer("s", "a b", "sum {}") + kLoss,
                      {.lanes = 2, .trace = true});
  const auto event = [&](const std::string& name, const std::string& phase) {
    for (const TraceEvent& e : run->replica->trace()) {
      if (name == e.layer && phase == e.phase) return e;
    }
    FAIL("no " << phase << " of " << name);
    return TraceEvent{};
  };
  REQUIRE(run->step().is_ok());
  const TraceEvent a = event("a", "forward"), b = event("b", "forward"), s = event("s", "forward");
  CHECK(a.begin_ns < b.end_ns);
  CHECK(b.begin_ns < a.end_ns);
  CHECK(a.thread != b.thread);
  CHECK(s.begin_ns >= std::max(a.end_ns, b.end_ns));
  CHECK(event("a", "update").begin_ns >= event("a", "backward").end_ns);
  // forward and backward of three layers, the loss, updates of two
  CHECK(run->replica->trace().size() == 9);
  run->replica->clear_trace();
  CHECK(run->replica->trace().empty());
  for (const NodeTime& time : run->replica->profile()) CHECK(time.calls == 1);
}

TEST_CASE("random numbers follow from seed, layer, step and shard") {
  auto run = test_run(layer("a", "image", "scale { noise: true }") + kLoss, {.with_optimizer = false});
  const std::vector<double> runtime(1);
  const auto value = [&](uint64_t seed, int64_t step, uint64_t shard) {
    REQUIRE(run->replica->run(run->batch, seed, step, shard, runtime).is_ok());
    return static_cast<const float*>(run->replica->tensor(run->plan->network().tensor("a")))[0];
  };
  const auto expected = [&](uint64_t seed, int64_t step, uint64_t shard) {
    const sdk::Random random(random_key(seed, RandomPurpose::kLayer, "a"), random_counter(step, shard));
    return 1 + static_cast<float>(random.uniform_at(0));
  };
  CHECK(value(1, 0, 0) == expected(1, 0, 0));
  CHECK(value(1, 5, 2) == expected(1, 5, 2));
  CHECK(value(2, 5, 2) == expected(2, 5, 2));
  CHECK(value(1, 5, 2) == expected(1, 5, 2));
  CHECK(expected(1, 5, 2) != expected(1, 5, 3));
}

TEST_CASE("a plugin that changes the floating-point state is told, and the others do not feel it") {
  take_plugin_log();
  auto run = test_run(layer("a", "image", "scale { stain: true }") +
                      layer("b", "a", "scale { initial: 0.1 }") + kLoss);
  auto clean = test_run(layer("a", "image", "scale {}") + layer("b", "a", "scale { initial: 0.1 }") + kLoss);
  REQUIRE(run->step().is_ok());
  REQUIRE(run->step().is_ok());
  REQUIRE(clean->step().is_ok());
  REQUIRE(clean->step().is_ok());
  CHECK(run->parameter("b.weight") == clean->parameter("b.weight"));
  const auto log = take_plugin_log();
  REQUIRE(log.size() == 1);
  CHECK(has(log[0], "\"a\""));
  CHECK(has(log[0], "floating-point state"));
}

TEST_CASE("a device whose memory the host cannot touch gets the same bits") {
  const std::string net = layer("a", "image", "scale {}") + layer("b", "a", "scale { initial: 0.3 }") +
                          layer("c", "a", "scale { initial: 0.7 }") + layer("s", "b c", "sum {}") + kLoss;
  auto near = test_run(net);
  auto far = test_run(net, {.lanes = 2, .device = "far {}"});
  const int copies = test_counts().far_copies;
  for (int64_t i = 0; i < 3; ++i) {
    REQUIRE(near->step(i).is_ok());
    REQUIRE(far->step(i).is_ok());
  }
  CHECK(test_counts().far_copies == copies + 3);  // the losses' reports
  for (const char* name : {"a.weight", "b.weight", "c.weight"})
    CHECK(near->parameter(name) == far->parameter(name));
}

TEST_CASE("past the extents of samples outputs are zeros, and so are their gradients, on every device") {
  const std::vector<int32_t> heights = {1, 2, 2, 1}, widths = {2, 1, 2, 1};
  const auto is_valid = [&](size_t i) {
    return static_cast<int32_t>(i % 4 / 2) < heights[i / 4] && static_cast<int32_t>(i % 2) < widths[i / 4];
  };
  for (const char* device : {"near {}", "far {}"}) {
    auto run = test_run(
        layer("a", "image", "scale { initial: 2 }") + layer("b", "a", "scale { initial: 0.5 }") + kLoss,
        {.device = device, .varies = true});
    run->batch.extents[0] = {heights.data(), widths.data()};
    REQUIRE(run->step().is_ok());
    float d = 0;  // of the valid elements alone, though the images given are nowhere zero
    for (size_t i = 0; i < 16; ++i)
      if (is_valid(i)) d += run->image[i] * (run->image[i] - run->label[i / 4]) / 4;
    CHECK(run->gradient("a.weight") == 0.5f * d);
    CHECK(run->gradient("b.weight") == 2 * d);
    const int a = run->plan->network().tensor("a");
    const auto* values = static_cast<const float*>(run->replica->tensor(a));
    for (size_t i = 0; i < 16; ++i) CHECK(values[i] == (is_valid(i) ? 2 * run->image[i] : 0));
    CHECK(run->replica->tensor_extents(a)[0] == heights.data());
    CHECK(run->replica->tensor_extents(a)[1] == widths.data());
  }
}

}  // namespace plait::inline graph
