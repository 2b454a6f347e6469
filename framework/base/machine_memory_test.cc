#include "base/machine_memory.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace plait;

TEST_CASE("the memory is no more than the machine has, and enough for a process that runs") {
  const auto physical = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  CHECK(machine_memory() <= physical);
  CHECK(machine_memory() > uint64_t{1} << 24);
}
