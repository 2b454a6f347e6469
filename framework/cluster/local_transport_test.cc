#include "cluster/local_transport.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <thread>

namespace plait::inline cluster {
namespace {

// Runs `body` on every rank of a world and gives the statuses in order of rank.
std::vector<Status> on_world(int size, const std::function<Status(LocalTransport&)>& body) {
  auto world = make_local_world(size);
  std::vector<Status> statuses(world.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < world.size(); ++r)
    threads.emplace_back([&, r, rank = std::move(world[r])] { statuses[r] = body(*rank); });
  for (std::thread& thread : threads) thread.join();
  return statuses;
}

void check_all_ok(const std::vector<Status>& statuses) {
  for (const Status& status : statuses) CHECK_MESSAGE(status.is_ok(), status.message());
}

Bytes bytes_of(const std::string& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

TEST_CASE("all_reduce combines every kind over all ranks") {
  for (int size = 1; size <= 4; ++size) {
    check_all_ok(on_world(size, [size](Transport& world) -> Status {
      std::vector<int32_t> a = {1, world.rank()};
      std::vector<int64_t> b = {int64_t{1} << 40};
      std::vector<double> c = {-1.5 - world.rank()};
      std::vector<int32_t> d = {-world.rank()};
      const Reduction parts[] = {Reduction::sum(std::span(a)), Reduction::sum(std::span(b)),
                                 Reduction::max(std::span(c)), Reduction::max(std::span(d))};
      PLAIT_TRY(world.all_reduce(parts));
      CHECK(a == std::vector<int32_t>{size, size * (size - 1) / 2});
      CHECK(b[0] == (int64_t{1} << 40) * size);
      CHECK(c[0] == -1.5);
      CHECK(d[0] == 0);
      return {};
    }));
  }
}

TEST_CASE("reduce_blocks combines by the caller's operation, and all ranks have the results") {
  for (int size = 2; size <= 4; ++size) {
    check_all_ok(on_world(size, [](Transport& world) -> Status {
      constexpr size_t kElements = 5000;
      std::vector<uint8_t> own(kElements);
      std::vector<uint16_t> more(kElements);
      for (size_t i = 0; i < kElements; ++i) own[i] = static_cast<uint8_t>((i * 7 + 1) << world.rank());
      for (size_t i = 0; i < kElements; ++i) more[i] = static_cast<uint16_t>(i + 3 * world.rank());
      BlockReduction reduction;
      reduction.elements = kElements;
      reduction.columns = {{reinterpret_cast<std::byte*>(own.data()), 1},
                           {reinterpret_cast<std::byte*>(more.data()), 2}};
      reduction.add = [&](size_t first, size_t count, std::span<const std::byte* const> other) {
        for (size_t i = 0; i < count; ++i) {
          own[first + i] ^= std::to_integer<uint8_t>(other[0][i]);
          uint16_t number = 0;
          std::memcpy(&number, other[1] + 2 * i, 2);
          more[first + i] = static_cast<uint16_t>(more[first + i] + number);
        }
      };
      reduction.finish = [&](size_t first, size_t count) {
        for (size_t i = first; i < first + count; ++i) own[i] = static_cast<uint8_t>(own[i] + more[i]);
      };
      PLAIT_TRY(world.reduce_blocks({&reduction, 1}));
      for (size_t i = 0; i < kElements; ++i) {
        size_t bits = 0, numbers = 0;
        for (int rank = 0; rank < world.size(); ++rank) {
          bits ^= (i * 7 + 1) << rank;
          numbers += i + static_cast<size_t>(3 * rank);
        }
        REQUIRE(own[i] == static_cast<uint8_t>(static_cast<uint8_t>(bits) + numbers));
      }
      return {};
    }));
  }
}

TEST_CASE("ranks that reduce blocks of other lengths are told so") {
  const auto statuses = on_world(2, [](Transport& world) -> Status {
    BlockReduction part;
    part.elements = world.is_root() ? 3 : 4;
    Bytes values(4);
    part.columns = {{values.data(), 1}};
    part.add = [](size_t, size_t, std::span<const std::byte* const>) {};
    part.finish = [](size_t, size_t) {};
    return world.reduce_blocks({&part, 1});
  });
  for (const Status& status : statuses) CHECK(status.code() == Code::kPeer);
}

TEST_CASE("broadcast, gather and all_gather carry bytes in order of rank") {
  check_all_ok(on_world(3, [](Transport& world) -> Status {
    Bytes word = bytes_of(world.rank() == 1 ? "one" : "...");
    PLAIT_TRY(world.broadcast(word, 1));
    CHECK(word == bytes_of("one"));
    const Bytes mine(static_cast<size_t>(world.rank()), std::byte{7});
    PLAIT_ASSIGN(const auto at_root, world.gather(mine, 2));
    CHECK(at_root.size() == (world.rank() == 2 ? 3u : 0u));
    PLAIT_ASSIGN(const auto everywhere, world.all_gather(mine));
    for (size_t r = 0; r < 3; ++r) CHECK(everywhere[r].size() == r);
    return world.barrier();
  }));
}

TEST_CASE("a rank that dies gives its peers kPeer instead of a hang, now and later") {
  const auto statuses = on_world(3, [](LocalTransport& world) -> Status {
    PLAIT_TRY(world.barrier());
    if (world.rank() == 1) {
      world.drop();
      return {};
    }
    const Status status = world.barrier();
    CHECK(world.barrier().code() == Code::kPeer);
    return status;
  });
  CHECK(statuses[0].code() == Code::kPeer);
  CHECK(statuses[0].message().find("rank 1 on ") == 0);
  CHECK(statuses[2].code() == Code::kPeer);
}

TEST_CASE("an abort reaches the peers with its message") {
  const auto statuses = on_world(2, [](LocalTransport& world) -> Status {
    if (world.rank() == 0) return world.barrier();
    world.abort({Code::kNumeric, "loss is not a number"});
    return {};
  });
  CHECK(statuses[0].code() == Code::kPeer);
  CHECK(statuses[0].message().find("loss is not a number") != std::string::npos);
}

TEST_CASE("a peer that leaves after the last meeting does not spoil it") {
  for (int trial = 0; trial < 200; ++trial)
    check_all_ok(on_world(2, [](LocalTransport& world) { return world.barrier(); }));
}

TEST_CASE("ranks in different collectives, lengths or attempts are told apart") {
  const auto differ = [](const std::function<Status(LocalTransport&)>& body) {
    for (const Status& status : on_world(2, body)) CHECK(status.code() == Code::kPeer);
  };
  differ([](LocalTransport& world) {
    Bytes word(1);
    return world.rank() == 0 ? world.barrier() : world.broadcast(word, 0);
  });
  differ([](LocalTransport& world) {
    std::vector<int32_t> values(static_cast<size_t>(1 + world.rank()));
    return world.all_reduce_sum(std::span(values));
  });
  differ([](LocalTransport& world) {
    world.set_attempt({.round = 4, .attempt = static_cast<uint32_t>(world.rank())});
    return world.barrier();
  });
}

TEST_CASE("a rank that abandons stops every collective that meets it, and the world goes on") {
  for (int size = 1; size <= 4; ++size) {
    check_all_ok(on_world(size, [](LocalTransport& world) -> Status {
      std::vector<int32_t> values = {7};
      world.set_attempt({.round = static_cast<uint32_t>(world.rank())});  // not looked at
      const Status met = world.rank() == world.size() - 1 ? world.abandon()
                         : world.rank() == 0              ? world.all_reduce_sum(std::span(values))
                                                          : world.barrier();
      CHECK(met.code() == Code::kStopped);
      CHECK(values[0] == 7);
      world.set_attempt({.round = 9});
      PLAIT_TRY(world.all_reduce_sum(std::span(values)));
      CHECK(values[0] == 7 * world.size());
      return world.barrier();
    }));
  }
}

TEST_CASE("a rank that waits in a collective tells the one it waits for that it wants to stop") {
  check_all_ok(on_world(3, [](LocalTransport& world) -> Status {
    world.set_stop([&world] { return world.rank() == 1; });
    if (world.rank() != 2) {
      CHECK(world.barrier().code() == Code::kStopped);
      CHECK(world.is_told_to_stop() == (world.rank() == 0));
      return {};
    }
    while (!world.is_told_to_stop()) std::this_thread::yield();
    CHECK(world.abandon().code() == Code::kStopped);
    return {};
  }));
}

TEST_CASE("agree_same names what differs and where, on every rank alike") {
  check_all_ok(on_world(3, [](Transport& world) { return agree_same(world, "plugins", "abc"); }));
  const auto statuses = on_world(
      3, [](Transport& world) { return agree_same(world, "plugins", world.rank() == 2 ? "abd" : "abc"); });
  for (const Status& status : statuses) {
    CHECK(status.code() == Code::kPeer);
    CHECK(status.message().find("plugins: rank 2 on ") == 0);
    CHECK(status.message().find(" has abd, rank 0 on ") != std::string::npos);
  }
}

}  // namespace
}  // namespace plait::inline cluster
