#include "registry/context.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using namespace plait;

namespace {

int fail(CallContext& context, int32_t code, std::string_view text) {
  context.raw()->fail(context.raw(), code, {text.data(), text.size()});
  return PLAIT_FAILED;
}

std::vector<std::string> logged;

}  // namespace

TEST_CASE("the first failure of a call is kept, and gone once taken") {
  CallContext context;
  fail(context, PLAIT_ERROR_CORRUPT, "record 3");
  fail(context, PLAIT_ERROR_IO, "later");
  CHECK(context.error_code() == PLAIT_ERROR_CORRUPT);
  const Status status = context.status(PLAIT_FAILED);
  CHECK(status.code() == Code::kCorrupt);
  CHECK(status.message() == "record 3");
  CHECK(context.error_code() == 0);
  CHECK(context.status(PLAIT_FAILED).message() == "the plugin gave no reason");
  CHECK(context.status(PLAIT_FAILED).code() == Code::kPlugin);
}

TEST_CASE("a call that succeeds leaves nothing for the next") {
  CallContext context;
  fail(context, PLAIT_ERROR_IO, "ignored by the plugin itself");
  CHECK(context.status(PLAIT_OK));
  fail(context, PLAIT_ERROR_NUMERIC, "NaN");
  CHECK(context.status(PLAIT_FAILED).message() == "NaN");
}

TEST_CASE("codes of the border become the framework's") {
  const std::pair<int32_t, Code> codes[] = {{PLAIT_ERROR_INVALID, Code::kInvalid},
                                            {PLAIT_ERROR_NOT_FOUND, Code::kNotFound},
                                            {PLAIT_ERROR_IO, Code::kIo},
                                            {PLAIT_ERROR_CORRUPT, Code::kCorrupt},
                                            {PLAIT_ERROR_UNSUPPORTED, Code::kUnsupported},
                                            {PLAIT_ERROR_MEMORY, Code::kPlugin},
                                            {PLAIT_ERROR_NUMERIC, Code::kNumeric},
                                            {PLAIT_ERROR_CANCELLED, Code::kStopped},
                                            {PLAIT_ERROR_EXCEPTION, Code::kPlugin}};
  CallContext context;
  for (const auto& [error, code] : codes) CHECK(context.status(fail(context, error, "x")).code() == code);
}

TEST_CASE("an exception that comes through is a failure with its text") {
  CallContext context;
  const Status status = context.call([]() -> int { throw std::runtime_error("out of luck"); });
  CHECK(status.code() == Code::kPlugin);
  CHECK(status.message() == "the plugin let an exception out: out of luck");
  CHECK(context.call([]() -> int { throw 3; }).code() == Code::kPlugin);
  CHECK(context.call([] { return 0; }));
}

TEST_CASE("serial parallel_for: the pieces follow from count and grain, and a failure stops them") {
  using Pieces = std::vector<std::pair<uint64_t, uint64_t>>;
  const auto body = [](void* user, uint64_t begin, uint64_t end) {
    static_cast<Pieces*>(user)->emplace_back(begin, end);
    return begin == 8 ? 1 : 0;
  };
  CallContext context;
  const auto run = [&](uint64_t count, uint64_t grain, Pieces& pieces) {
    return context.raw()->parallel_for(context.raw(), count, grain, body, &pieces);
  };
  Pieces all, stopped, none, whole;
  CHECK(run(7, 3, all) == PLAIT_OK);
  CHECK(all == Pieces{{0, 3}, {3, 6}, {6, 7}});
  CHECK(run(20, 4, stopped) == PLAIT_FAILED);
  CHECK(stopped == Pieces{{0, 4}, {4, 8}, {8, 12}});
  CHECK(run(0, 4, none) == PLAIT_OK);
  CHECK(none.empty());
  CHECK(run(5, 0, whole) == PLAIT_OK);
  CHECK(whole == Pieces{{0, 5}});
}

TEST_CASE("serial parallel_for: no piece begins once the work is no longer wanted") {
  struct Work {
    std::atomic<bool> stop{false};
    int pieces = 0;
  } work;
  const auto body = [](void* user, uint64_t, uint64_t) {
    Work& w = *static_cast<Work*>(user);
    w.stop = ++w.pieces == 2;
    return int{PLAIT_OK};
  };
  CallContext context(1, nullptr, &work.stop);
  CHECK(context.raw()->parallel_for(context.raw(), 20, 4, body, &work) == PLAIT_FAILED);
  CHECK(work.pieces == 2);
}

TEST_CASE("a given parallel_for gets lanes and the wish to stop") {
  static int lanes_seen = 0;
  static bool stop_seen = false;
  const ParallelFor given = [](uint64_t, uint64_t, int lanes, int (*)(void*, uint64_t, uint64_t), void*,
                               const std::atomic<bool>* cancelled) {
    lanes_seen = lanes;
    stop_seen = *cancelled;
    return 0;
  };
  std::atomic<bool> stop{true};
  CallContext context(3, given, &stop);
  CHECK(context.raw()->parallel_for(context.raw(), 1, 1, nullptr, nullptr) == PLAIT_OK);
  CHECK(lanes_seen == 3);
  CHECK(stop_seen);
  CHECK(context.raw()->cancelled(context.raw()) != 0);
  stop = false;
  CHECK(context.raw()->cancelled(context.raw()) == 0);
}

TEST_CASE("a name that the host does not know is asked of the call's device") {
  static const int offered = 7;
  plait_device_ops ops{};
  ops.struct_size = sizeof ops;
  ops.get_extension = [](void* self, const char* name) -> const void* {
    return self == &offered && std::string(name) == "acme.offer/1" ? &offered : nullptr;
  };
  CallContext context;
  CHECK(context.raw()->get_extension(context.raw(), "acme.offer/1") == nullptr);
  int device = 0;
  context.set_device(&ops, const_cast<int*>(&offered), nullptr);
  CHECK(context.raw()->get_extension(context.raw(), "acme.offer/1") == &offered);
  CHECK(context.raw()->get_extension(context.raw(), "acme.other/1") == nullptr);
  CHECK(context.raw()->get_extension(context.raw(), PLAIT_EXTENSION_FIT) == nullptr);
  context.set_device(&ops, &device, nullptr);
  CHECK(context.raw()->get_extension(context.raw(), "acme.offer/1") == nullptr);
}

TEST_CASE("extensions and the log") {
  CallContext context;
  plait_fit fit{};
  CHECK(context.raw()->get_extension(context.raw(), PLAIT_EXTENSION_FIT) == nullptr);
  context.set_fit(&fit);
  CHECK(context.raw()->get_extension(context.raw(), PLAIT_EXTENSION_FIT) == &fit);
  CHECK(context.raw()->get_extension(context.raw(), "plait.none/1") == nullptr);
  const int other = 0;
  context.set_extension("acme.other/1", &other);
  CHECK(context.raw()->get_extension(context.raw(), "acme.other/1") == &other);
  CHECK(context.raw()->get_extension(context.raw(), PLAIT_EXTENSION_FIT) == &fit);
  CHECK(context.raw()->get_extension(context.raw(), "acme.other/2") == nullptr);
  set_plugin_log(
      [](int level, std::string_view text) { logged.push_back(std::to_string(level) + std::string(text)); });
  context.raw()->log(context.raw(), 1, {"hello", 5});
  set_plugin_log(nullptr);
  CHECK(logged == std::vector<std::string>{"1hello"});
}
