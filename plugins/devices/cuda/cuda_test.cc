// What can be tried without a card: what is kept for libraries, and how the device refuses to open. With one,
// that it opens. tests/cuda tries the rest on a stand-in of the runtime.
#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <string>
#include <vector>

#include "card.h"
#include "storage.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

std::vector<std::string> ended;
int made_count = 0;

int make_one(plait_context*, void** made) {
  return *made = new std::string(std::to_string(++made_count)), PLAIT_OK;
}
int make_none(plait_context* context, void**) {
  const std::string why = "no room";
  context->fail(context, PLAIT_ERROR_MEMORY, {why.data(), why.size()});
  return PLAIT_FAILED;
}
void end_one(void* made) {
  ended.push_back(*static_cast<std::string*>(made));
  delete static_cast<std::string*>(made);
}

struct Kept {
  TestHost host;
  plait_cuda::Storage storage;
  char streams[2] = {};
  std::string get(int stream, const char* key, int (*make)(plait_context*, void**) = make_one) {
    plait_context* c = host.context();
    c->stream = stream < 0 ? nullptr : &streams[stream];
    void* found = nullptr;
    return storage.get(c, key, make, end_one, &found) == PLAIT_OK ? *static_cast<std::string*>(found) : "";
  }
};

TEST_CASE("a thing is kept once for each stream and key, and ends with its stream, the last first") {
  ended.clear(), made_count = 0;
  {
    Kept kept;
    CHECK(kept.get(0, "blas/1") == "1");
    CHECK(kept.get(0, "dnn/1") == "2");
    CHECK(kept.get(1, "blas/1") == "3");
    CHECK(kept.get(-1, "blas/1") == "4");
    CHECK(kept.get(0, "blas/1") == "1");
    CHECK(kept.get(0, "blas/2") == "5");
    kept.storage.drop(&kept.streams[0]);
    CHECK(ended == std::vector<std::string>{"5", "2", "1"});
    CHECK(kept.get(0, "blas/1") == "6");
  }
  CHECK(ended.size() == 6);
}

TEST_CASE("what cannot be made is told and not kept") {
  Kept kept;
  CHECK(kept.get(0, "blas/1", make_none) == "");
  CHECK(kept.host.message == "no room");
  CHECK(kept.get(0, "blas/1") != "");
}

TEST_CASE("opens where there is a card, and else says what the driver reports") {
  TestHost host;
  const Entry entry = linked("plait.cuda");
  CHECK(entry.type.flags == PLAIT_TYPE_PREFERRED);
  const auto& ops = *static_cast<const plait_device_ops*>(entry.implementation.ops);
  const Settings settings(entry);
  plait_device_info info{};
  info.struct_size = sizeof info;
  void* self = nullptr;
  if (ops.open(host.context(), settings.c(), &info, &self) == PLAIT_OK) {
    CHECK(info.memory_bytes > 0);
    CHECK((info.flags & PLAIT_DEVICE_HOST_MEMORY) == 0);
    ops.close(self);
    return;
  }
  CHECK(host.code == PLAIT_ERROR_UNSUPPORTED);
  CHECK(host.message.starts_with("no CUDA device"));
}

TEST_CASE("tells driver, runtime and cards in lines") {
  const std::string facts = plait_cuda::facts();
  for (const char* name : {"CUDA runtime: ", "CUDA driver: ", "CUDA cards: "})
    CHECK(facts.find(name) != std::string::npos);
  CHECK(facts == plait_cuda::facts());
}

}  // namespace
