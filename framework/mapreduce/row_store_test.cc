#include "mapreduce/row_store.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "cluster/local_transport.h"

namespace plait::inline mapreduce {
namespace {

// Rows of a split, no two of which are alike.
Bytes rows_of(int64_t split, size_t bytes) {
  Bytes rows(bytes);
  for (size_t i = 0; i < bytes; ++i)
    rows[i] = static_cast<std::byte>(i * 31 + static_cast<size_t>(split) * 7 + i / 253);
  return rows;
}

// A split that is cut by a message's end, one of a message and more, one without rows, and small ones.
constexpr size_t kBytes[] = {10, 20 << 20, 3, 0, 40 << 20, 1, 16 << 20};

TEST_CASE("rows in files and in memory come together in the order of the splits") {
  std::string wanted;
  for (size_t split = 0; split < std::size(kBytes); ++split) {
    const Bytes rows = rows_of(static_cast<int64_t>(split), kBytes[split]);
    wanted.append(reinterpret_cast<const char*>(rows.data()), rows.size());
  }
  for (const bool in_memory : {false, true})
    for (size_t ranks = 1; ranks <= 3; ++ranks) {
      CAPTURE(in_memory);
      CAPTURE(ranks);
      auto world = make_local_world(static_cast<int>(ranks));
      std::vector<RowStore> stores(ranks);
      std::vector<Status> statuses(ranks);
      std::vector<uint64_t> sent(ranks);
      std::vector<std::thread> threads;
      for (size_t rank = 0; rank < ranks; ++rank)
        threads.emplace_back([&, rank] {
          stores[rank].begin();
          for (size_t split = rank; split < std::size(kBytes) && statuses[rank]; split += ranks)
            statuses[rank] = stores[rank].keep(static_cast<int64_t>(split),
                                               rows_of(static_cast<int64_t>(split), kBytes[split]),
                                               in_memory || split % 2 == 0);
          if (statuses[rank]) statuses[rank] = stores[rank].join(*world[rank], in_memory, sent[rank]);
        });
      for (std::thread& thread : threads) thread.join();
      for (const Status& status : statuses) CHECK_MESSAGE(status.is_ok(), status.message());
      CHECK((stores[0].joined() == wanted));
      CHECK(sent[0] == 0);
      CHECK((stores[0].spilled_bytes() > 0) == !in_memory);
      stores[0].begin();
      CHECK(stores[0].joined().empty());
    }
}

TEST_CASE("no rows are no rows, also by way of a file") {
  auto world = make_local_world(1);
  RowStore store;
  store.begin();
  uint64_t sent = 0;
  CHECK(store.join(*world[0], false, sent).is_ok());
  CHECK(store.joined().empty());
}

}  // namespace
}  // namespace plait::inline mapreduce
