#include "verify/verify.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "verify/engine/cancellation.h"
#include "verify/engine/child.h"
#include "verify/engine/derivative.h"
#include "verify/engine/guarded.h"
#include "verify/engine/half.h"
#include "verify/engine/loaded_file.h"
#include "verify/engine/process_state.h"

namespace plait::inline verify {
namespace {

TEST_CASE("guards tell where writes went") {
  Guarded block(12, Poison::kNan);
  CHECK(block.overrun().empty());
  block.as<uint8_t>()[11] = 1;
  CHECK(block.overrun().empty());
  block.as<uint8_t>()[14] = 1;
  CHECK(block.overrun() == "1 bytes past its end were written (the first at +2)");
  block.as<uint8_t>()[-4] = 1;
  CHECK(block.overrun().find("1 bytes before its begin were written (the last at -4)") != std::string::npos);
}

TEST_CASE("the pattern tells what was never written") {
  Guarded block(16, Poison::kNumber);
  uint64_t first = 9;
  CHECK(block.untouched_f32(&first) == 4);
  CHECK(first == 0);
  // Content and guards apart, of sizes that are no whole words.
  for (const uint64_t bytes : {1, 3, 5, 6, 4099}) {
    Guarded odd(bytes, Poison::kNan);
    odd.poison(Poison::kNumber, false);
    for (uint64_t i = 0; i < bytes; ++i)
      CHECK(odd.as<uint8_t>()[i] == static_cast<uint8_t>(0x41C7A5A5u >> 8 * (i % 4)));
    CHECK(odd.overrun().empty());
  }
  block.as<float>()[0] = 1, block.as<float>()[1] = 2;
  CHECK(block.untouched_f32(&first) == 2);
  CHECK(first == 2);
}

Derivative derivative_of(double (*function)(double), float x, const Magnitude& magnitude = {}) {
  const auto found = derivative(
      [&](float at, std::vector<double>& outputs) {
        outputs[0] = static_cast<float>(function(at));
        return Status();
      },
      {1.0}, x, magnitude);
  REQUIRE(found.is_ok());
  return *found;
}

TEST_CASE("derivatives agree with the true ones, and not with others") {
  const Derivative sine = derivative_of([](double x) { return std::sin(x); }, 0.4f);
  CHECK(sine.smooth);
  CHECK(sine.agrees(std::cos(0.4)));
  CHECK_FALSE(sine.agrees(std::cos(0.4) * 1.01));
  const Derivative cube = derivative_of([](double x) { return x * x * x; }, -0.9f);
  CHECK(cube.smooth);
  CHECK(cube.agrees(3 * 0.81));
  CHECK_FALSE(cube.agrees(2 * 0.81));
}

TEST_CASE("derivatives at small and large numbers agree with the true ones, and not with others") {
  const auto soft = [](double x) { return x * std::abs(x); };
  for (float x : {1e-8f, -3e-5f, 2e3f, 7e8f}) {
    const double size = std::abs(x);
    const Derivative found = derivative_of(soft, x, {size, 1, size});
    CHECK(found.agrees(2 * size));
    if (size > 1) CHECK(found.smooth);
    if (size > 1) CHECK_FALSE(found.agrees(2.1 * size));
  }
  const Derivative steep = derivative_of([](double x) { return 1e5 * x * std::abs(x); }, 3e-6f, {3e-6, 1, 1});
  CHECK(steep.smooth);
  CHECK(steep.agrees(0.6));
  CHECK_FALSE(steep.agrees(1));
}

TEST_CASE("no wrong derivative is told of waves shorter than a step, nor of what rounding leaves") {
  const auto teeth = [](double x) { return x - std::floor(x); };
  const auto wave = [](double x) { return std::sin(x); };
  const auto rounded = [](double x) { return static_cast<double>(std::exp(static_cast<float>(x)) - 1.0f); };
  for (int n = 0; n < 4000; ++n) {
    const auto x = static_cast<float>(std::exp2(-30 + 60 * std::fmod(n * 0.6180339887, 1.0)));
    const Magnitude magnitude{x, 1, std::max(1.0, static_cast<double>(x))};
    const Derivative tooth = derivative_of(teeth, x, magnitude), sine = derivative_of(wave, x, magnitude),
                     small = derivative_of(rounded, std::min(x, 1.0f), {std::min<double>(x, 1), 1, 1});
    CAPTURE(x);
    CHECK((!tooth.smooth || tooth.agrees(1)));
    CHECK((!sine.smooth || sine.agrees(std::cos(x))));
    CHECK((!small.smooth || small.agrees(std::exp(std::min(x, 1.0f)))));
  }
}

TEST_CASE("no derivative is told at a kink") {
  const auto relu = [](double x) { return x > 0 ? x : 0; };
  for (float x : {0.0f, 1e-4f, -1e-3f, 4e-3f}) CHECK_FALSE(derivative_of(relu, x).smooth);
  CHECK(derivative_of(relu, 0.5f).smooth);
  CHECK(derivative_of(relu, 0.5f).agrees(1));
  CHECK(derivative_of(relu, -0.5f).agrees(0));
}

Result<std::string> outcome_of(const std::function<std::string(TestProgress&)>& work, double limit_s) {
  auto loop = WaitLoop::create();
  REQUIRE(loop.is_ok());
  auto child = Child::start(*loop, work, limit_s);
  REQUIRE(child.is_ok());
  Child running = std::move(*child);
  if (limit_s < 1) {
    while (!running.is_late()) ::usleep(1000);
    running.kill();
  } else {
    while (!running.has_ended()) loop.value().wait(std::chrono::seconds(1));
  }
  return running.answer();
}

TEST_CASE("the folder of a child goes with it, however it ends") {
  char folder[] = "/tmp/plait_child_XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  ::setenv("TMPDIR", folder, 1);
  const auto write = [] { std::ofstream("left") << "behind"; };
  CHECK(outcome_of([&](TestProgress&) { return write(), std::string("fine"); }, 10).is_ok());
  CHECK_FALSE(outcome_of([&](TestProgress&) -> std::string { write(), std::abort(); }, 10).is_ok());
  CHECK_FALSE(outcome_of(
                  [&](TestProgress&) -> std::string {
                    write();
                    for (;;) ::usleep(1000);
                  },
                  0.1)
                  .is_ok());
  CHECK(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
  auto loop = WaitLoop::create();
  const auto child = Child::start(
      *loop, [](TestProgress&) { return std::string(); }, 1);
  CHECK(child.status().message().find("TMPDIR") != std::string::npos);
  ::unsetenv("TMPDIR");
}

LoadedFile::Outcome outcome_of(LoadedFile& loaded, WaitLoop& loop, size_t test) {
  loaded.begin(test);
  for (;;) {
    if (auto outcome = loaded.take()) return std::move(*outcome);
    loop.wait(std::chrono::milliseconds(20));
  }
}

TEST_CASE("tests begin in processes as loading left one") {
  auto loop = WaitLoop::create();
  REQUIRE(loop.is_ok());
  const auto number = std::make_shared<int>(0);
  LoadedFile::Work work;
  work.load = [number](TestProgress&) { return ++*number, Status(); };
  work.try_test = [number](size_t test, TestProgress& progress) {
    std::snprintf(progress.text, sizeof progress.text, "test %zu", test);
    if (test == 1) std::abort();
    while (test == 2) ::usleep(1000);
    return fmt::format("{} {}", test, ++*number) + std::string(test == 5 ? 300'000 : 0, 'x');
  };
  auto made = LoadedFile::start(*loop, work, 0.3);
  REQUIRE(made.is_ok());
  CHECK(*outcome_of(*made, *loop, 7).answer == "7 2");
  CHECK(outcome_of(*made, *loop, 1)
            .answer.status()
            .message()
            .find("crashes (SIGABRT, an exception or an assertion that nobody caught): test 1") == 0);
  const auto hung = outcome_of(*made, *loop, 2);
  CHECK(hung.answer.status().message().find("hangs") == 0);
  CHECK(hung.seconds > 0.2);
  CHECK(outcome_of(*made, *loop, 5).answer->size() == 300'003);
  CHECK(*outcome_of(*made, *loop, 3).answer == "3 2");
  CHECK_FALSE(made->has_ended());
  CHECK(*number == 0);
}

TEST_CASE("a file that does not load a second time is told at its test") {
  auto loop = WaitLoop::create();
  REQUIRE(loop.is_ok());
  const auto message_of = [&](const std::function<Status(TestProgress&)>& load) {
    auto made =
        LoadedFile::start(*loop, {load, [](size_t, TestProgress&) { return std::string("tried"); }}, 0.3);
    REQUIRE(made.is_ok());
    const std::string message = outcome_of(*made, *loop, 0).answer.status().message();
    CHECK(made->has_ended());
    return message;
  };
  CHECK(message_of([](TestProgress&) { return Status(Code::kIo, "is gone"); }) == "is gone");
  const auto crashing = [](TestProgress& progress) -> Status {
    std::snprintf(progress.text, sizeof progress.text, "loading");
    std::abort();
  };
  CHECK(message_of(crashing).find("crashes (SIGABRT") == 0);
  CHECK(message_of([](TestProgress&) -> Status {
          for (;;) ::usleep(1000);
        }).find("hangs") == 0);
}

TEST_CASE("derivatives far from 0 are told with longer steps, but not over waves") {
  const auto far = [](double (*function)(double), float x) {
    const Evaluate evaluate = [&](float at, std::vector<double>& outputs) -> Status {
      outputs[0] = static_cast<float>(function(static_cast<double>(at)));
      return {};
    };
    return *derivative(evaluate, {1.0}, x, {std::abs(static_cast<double>(x)), 1});
  };
  const auto bent = [](double x) { return x > 100 ? 100 + 0.25 * (x - 100) : x; };
  CHECK(far(bent, 4000).smooth);
  CHECK(far(bent, 4000).agrees(0.25));
  CHECK_FALSE(far(bent, 4000).agrees(1));
  CHECK(far(bent, 0.01f).agrees(1));
  CHECK_FALSE(far([](double x) { return std::sin(x); }, 5000).smooth);
}

TEST_CASE("memory between fences has guards at one end and faults at the other") {
  for (const Fence fence : {Fence::kBehind, Fence::kBefore}) {
    for (const uint64_t bytes : {uint64_t{4}, uint64_t{64}, uint64_t{4100}}) {
      Guarded block(bytes, Poison::kNan, fence);
      CHECK(reinterpret_cast<uintptr_t>(block.data()) % 64 == 0);
      CHECK(block.overrun().empty());
      block.as<uint8_t>()[bytes - 1] = 0;
      CHECK(block.overrun().empty());
      const auto touch = [&](int64_t place) {
        return outcome_of(
            [&](TestProgress&) {
              const_cast<volatile uint8_t*>(block.as<uint8_t>())[place] = 1;
              return block.overrun();
            },
            10);
      };
      const auto beyond = touch(static_cast<int64_t>((bytes + 63) / 64 * 64)), before = touch(-1);
      const auto& fault = fence == Fence::kBehind ? beyond : before;
      const auto& guarded = fence == Fence::kBehind ? before : beyond;
      CHECK(fault.status().message().find("SIGSEGV") != std::string::npos);
      CHECK((guarded.is_ok() ? !guarded->empty()
                             : guarded.status().message().find("SIGSEGV") != std::string::npos));
    }
  }
}

TEST_CASE("what changes in a process has a name") {
  const ProcessState before = ProcessState::now();
  CHECK(before.difference(ProcessState::now()).empty());
  ::setenv("PLAIT_TEST_VARIABLE", "1", 1);
  CHECK(before.difference(ProcessState::now()) == "variable PLAIT_TEST_VARIABLE is new: \"1\"");
  ::unsetenv("PLAIT_TEST_VARIABLE");
  struct sigaction old {};  // signal() would give it back with other flags
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR2, &ignore, &old);
  CHECK(before.difference(ProcessState::now()).find("the handler of SIGUSR2 was") == 0);
  ::sigaction(SIGUSR2, &old, nullptr);
  CHECK(before.difference(ProcessState::now()).empty());
}

TEST_CASE("a child answers, crashes, ends early or hangs, and says what it was at") {
  const std::string word = "well";
  const auto answers = outcome_of([&](TestProgress&) { return word; }, 10);
  REQUIRE(answers.is_ok());
  CHECK(*answers == word);
  const auto crashes = outcome_of(
      [](TestProgress& progress) {
        std::snprintf(progress.text, sizeof progress.text, "the third step");
        std::abort();
        return std::string();
      },
      10);
  CHECK(crashes.status().message().find("SIGABRT") != std::string::npos);
  CHECK(crashes.status().message().find("the third step") != std::string::npos);
  const auto ends = outcome_of([](TestProgress&) -> std::string { ::_exit(7); }, 10);
  CHECK(ends.status().message().find("status 7") != std::string::npos);
  const auto hangs = outcome_of(
      [](TestProgress&) {
        for (volatile bool on = true; on;) continue;
        return std::string();
      },
      0.1);
  CHECK(hangs.status().message().find("hangs") != std::string::npos);
  const auto sleeps = outcome_of([](TestProgress&) { return std::to_string(::sleep(1000)); }, 0.1);
  CHECK(sleeps.status().message().find("hangs") != std::string::npos);
}

TEST_CASE("numbers of 16 bits come back, and are rounded to the nearest") {
  for (const uint32_t dtype : {PLAIT_F16, PLAIT_BF16}) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const float value = from_half(static_cast<uint16_t>(bits), dtype);
      if (!std::isnan(value)) REQUIRE(to_half(value, dtype) == bits);
    }
    CHECK(std::isnan(from_half(to_half(NAN, dtype), dtype)));
  }
  CHECK(from_half(0x3C00, PLAIT_F16) == 1);
  CHECK(from_half(0x0001, PLAIT_F16) == 0x1p-24f);
  CHECK(to_half(1 + 0x1p-11f, PLAIT_F16) == 0x3C00);  // a tie: to even
  CHECK(to_half(1 + 0x1p-11f + 0x1p-20f, PLAIT_F16) == 0x3C01);
  CHECK(to_half(65520, PLAIT_F16) == 0x7C00);  // infinity
  CHECK(from_half(0x3F80, PLAIT_BF16) == 1);
  CHECK(to_half(1 + 0x1p-8f, PLAIT_BF16) == 0x3F80);
  CHECK(to_half(1 + 0x1p-8f + 0x1p-20f, PLAIT_BF16) == 0x3F81);
}

int give(void* user, uint64_t begin, uint64_t end) {
  static_cast<std::vector<uint64_t>*>(user)->push_back(end - begin);
  return PLAIT_OK;
}

TEST_CASE("a cancellation ends a loop before the chosen piece, and answers questions from then on") {
  CallContext context;
  plait_context* c = context.raw();
  std::vector<uint64_t> pieces;
  {
    Cancellation cancellation(context);
    cancellation.at_tick(2);
    CHECK(c->parallel_for(c, 10, 4, give, &pieces) == PLAIT_FAILED);
    CHECK(pieces == std::vector<uint64_t>{4, 4});
    CHECK(cancellation.told());
    CHECK(c->cancelled(c) != 0);
    cancellation.at_tick(Cancellation::kNever);
    pieces.clear();
    CHECK(c->parallel_for(c, 10, 4, give, &pieces) == PLAIT_OK);
    CHECK(pieces == std::vector<uint64_t>{4, 4, 2});
    CHECK(c->cancelled(c) == 0);
    CHECK(cancellation.ticks() == 4);
    CHECK_FALSE(cancellation.told());
  }
  CHECK(c->cancelled(c) == 0);
}

TEST_CASE("laws have a promise, and a name of their own within their kind") {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Law& law : all_laws()) {
    CAPTURE(law.kind);
    CAPTURE(law.name);
    CHECK(seen.emplace(law.kind, law.name).second);
    CHECK(std::string(law.promise).size() > 10);
  }
  CHECK(seen.size() > 60);
}

TEST_CASE("the list of laws names every law once, under its kind") {
  const std::string text = laws_text();
  size_t lines = 0;
  for (const char c : text) lines += c == '\n';
  std::set<std::string> kinds;
  for (const Law& law : all_laws()) {
    kinds.insert(law.kind);
    CHECK(text.find(law.promise) != std::string::npos);
  }
  CHECK(lines == all_laws().size() + 2 * kinds.size() - 1);  // a title each, and a line between
}

TEST_CASE("a performance law that fails is told, and counts under strict alone") {
  Law law{"type", "cost", Severity::kPerformance, "is quick", nullptr};
  const std::vector<TestResult> results = {
      {{"f", "layer", "t", "host", "cost"}, "layer", &law, Verdict::kFailed, "slow", 0}};
  CHECK_FALSE(is_broken(results, false));
  CHECK(is_broken(results, true));
  CHECK(summary_text(results) == "1 tests: 0 passed, 0 skipped, 1 failed (0 must, 0 should, 1 performance)");
}

TEST_CASE("a file that is not there fails its only test; a bad pattern is a usage error") {
  VerifyOptions options;
  options.files = {"/nowhere/none.plait.so"};
  size_t told = 0;
  const auto results = verify_files(options, [&](const TestResult&) { ++told; });
  REQUIRE(results.is_ok());
  REQUIRE(results->size() == 1);
  CHECK(told == 1);
  CHECK(results->front().verdict == Verdict::kFailed);
  CHECK(is_broken(*results, false));
  CHECK(results_junit(*results).find("<failure") != std::string::npos);
  CHECK(results_json(*results, 1).find("\"verdict\": \"failed\"") != std::string::npos);
  options.only = std::string(1, '(');
  CHECK(verify_files(options, [](const TestResult&) {}).status().code() == Code::kUsage);
}

}  // namespace
}  // namespace plait::inline verify
