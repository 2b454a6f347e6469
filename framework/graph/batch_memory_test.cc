#include "graph/batch_memory.h"

#include <doctest/doctest.h>

#include "graph/arena.h"
#include "graph/test_plugins.h"

namespace plait::inline graph {
namespace {

constexpr int kBatch = 3, kBound = 20;

// A network that reads neither part's variable axis.
const char* kNetwork =
    "layer { name: \"a\" input: \"image\" scale {} } loss { target: \"label\" squares {} } optimizer { "
    "descend {} }";

std::vector<PartSpec> parts() {
  return {{"image", PLAIT_F32, {4}},
          {"label", PLAIT_F32, {}},
          {"text", PLAIT_I32, {kBound}, 0},
          {"sound", PLAIT_F32, {2, kBound, 3}, 1}};
}

// What lies at [n, channel, at, i] of the sound.
float sound(int n, int channel, int at, int i) {
  return static_cast<float>(((n * 2 + channel) * kBound + at) * 3 + i + 1);
}

void write(BatchMemory& memory, const std::vector<int>& text_lengths, const std::vector<int>& sound_lengths) {
  for (int n = 0; n < kBatch; ++n) {
    memory.extents()[2][0][n] = text_lengths[static_cast<size_t>(n)];
    memory.extents()[3][0][n] = sound_lengths[static_cast<size_t>(n)];
    for (int at = 0; at < kBound; ++at)
      static_cast<int32_t*>(memory.parts()[2])[n * kBound + at] =
          at < memory.extents()[2][0][n] ? n * 100 + at : 0;
    auto* to = static_cast<float*>(memory.parts()[3]) + n * 2 * kBound * 3;
    for (int j = 0; j < 2 * kBound * 3; ++j)
      to[j] =
          j / 3 % kBound < memory.extents()[3][0][n] ? sound(n, j / 3 / kBound, j / 3 % kBound, j % 3) : 0;
  }
}

}  // namespace

TEST_CASE("a batch has the extents of the smallest bucket that holds it") {
  for (const char* kind : {"near {}", "far {}"}) {
    const Job job = graph_job(kNetwork, kind);
    auto device = Device::open(graph_registry(), *job.device.entry, *job.device.config);
    REQUIRE(device.is_ok());
    auto stream = Stream::create(**device, 1, parallel_pieces);
    REQUIRE(stream.is_ok());
    auto buckets = Buckets::create(job, parts(), kBatch);
    REQUIRE_MESSAGE(buckets.is_ok(), buckets.status().message());
    REQUIRE(buckets->count() == 3);  // 20, 16, 8
    auto memory = BatchMemory::create(parts(), kBatch, **stream, false);
    REQUIRE(memory.is_ok());
    const struct {
      std::vector<int> text, sound;
      size_t bucket;
      int extent;
    } cases[] = {{{1, 2, 3}, {8, 0, 7}, 2, 8},
                 {{9, 2, 3}, {1, 1, 1}, 1, 16},
                 {{1, 1, 1}, {1, 17, 1}, 0, 20},
                 {{0, 0, 0}, {16, 16, 16}, 1, 16}};
    for (const auto& wanted : cases) {
      (*memory)->begin();
      write(**memory, wanted.text, wanted.sound);
      (*memory)->shrink(*buckets);
      REQUIRE((*memory)->deliver(**stream).is_ok());
      REQUIRE((*stream)->synchronize().is_ok());
      const Batch& batch = (*memory)->batch();
      CHECK(batch.bucket == wanted.bucket);
      std::vector<int32_t> text(static_cast<size_t>(kBatch * wanted.extent));
      std::vector<float> values(text.size() * 6);
      REQUIRE((*stream)->copy_out(text.data(), batch.parts[2], text.size() * sizeof(int32_t)).is_ok());
      REQUIRE((*stream)->copy_out(values.data(), batch.parts[3], values.size() * sizeof(float)).is_ok());
      REQUIRE((*stream)->synchronize().is_ok());
      for (int j = 0; j < kBatch * wanted.extent; ++j) {
        const int n = j / wanted.extent, at = j % wanted.extent;
        CHECK(text[static_cast<size_t>(j)] == (at < batch.extents[2][0][n] ? n * 100 + at : 0));
      }
      for (int j = 0; j < kBatch * wanted.extent * 6; ++j) {
        const int run = j / 3 / wanted.extent, at = j / 3 % wanted.extent;
        const bool inside = at < batch.extents[3][0][run / 2];
        CHECK(values[static_cast<size_t>(j)] == (inside ? sound(run / 2, run % 2, at, j % 3) : 0));
      }
    }
  }
}

TEST_CASE("a batch of two variable axes has the extents of the smallest bucket along both") {
  for (const char* kind : {"near {}", "far {}"}) {
    const Job job = graph_job(kNetwork, kind);
    auto device = Device::open(graph_registry(), *job.device.entry, *job.device.config);
    REQUIRE(device.is_ok());
    auto stream = Stream::create(**device, 1, parallel_pieces);
    REQUIRE(stream.is_ok());
    const std::vector<PartSpec> with_picture = {
        {"image", PLAIT_F32, {4}}, {"label", PLAIT_F32, {}}, {"picture", PLAIT_F32, {20, 12, 2}, 0, 1}};
    auto buckets = Buckets::create(job, with_picture, 2);
    REQUIRE_MESSAGE(buckets.is_ok(), buckets.status().message());
    REQUIRE(buckets->count() == 3);  // 20 x 12, 16 x 8, 8 x 8
    auto memory = BatchMemory::create(with_picture, 2, **stream, false);
    REQUIRE(memory.is_ok());
    const struct {
      int32_t extents[2][2];  // of each sample
      size_t bucket;
      int height, width;
    } cases[] = {{{{8, 1}, {3, 8}}, 2, 8, 8}, {{{9, 8}, {1, 1}}, 1, 16, 8}, {{{2, 9}, {8, 1}}, 0, 20, 12}};
    for (const auto& wanted : cases) {
      (*memory)->begin();
      const auto value = [](int n, int h, int w, int i) {
        return static_cast<float>(((n * 20 + h) * 12 + w) * 2 + i + 1);
      };
      const auto is_valid = [&](int n, int h, int w) {
        return h < wanted.extents[n][0] && w < wanted.extents[n][1];
      };
      auto* const to = static_cast<float*>((*memory)->parts()[2]);
      for (int n = 0; n < 2; ++n) {
        for (size_t k = 0; k < 2; ++k) (*memory)->extents()[2][k][n] = wanted.extents[n][k];
        for (int j = 0; j < 20 * 12 * 2; ++j)
          to[n * 20 * 12 * 2 + j] = is_valid(n, j / 24, j / 2 % 12) ? value(n, j / 24, j / 2 % 12, j % 2) : 0;
      }
      (*memory)->shrink(*buckets);
      REQUIRE((*memory)->deliver(**stream).is_ok());
      REQUIRE((*stream)->synchronize().is_ok());
      const Batch& batch = (*memory)->batch();
      CHECK(batch.bucket == wanted.bucket);
      std::vector<float> got(static_cast<size_t>(2 * wanted.height * wanted.width * 2));
      REQUIRE((*stream)->copy_out(got.data(), batch.parts[2], got.size() * sizeof(float)).is_ok());
      REQUIRE((*stream)->synchronize().is_ok());
      const float* at = got.data();
      for (int n = 0; n < 2; ++n)
        for (int h = 0; h < wanted.height; ++h)
          for (int w = 0; w < wanted.width; ++w)
            for (int i = 0; i < 2; ++i) CHECK(*at++ == (is_valid(n, h, w) ? value(n, h, w, i) : 0));
    }
  }
}

}  // namespace plait::inline graph
