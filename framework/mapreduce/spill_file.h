// A file for what does not fit into memory. It has no name: nothing is left of it, however the process ends.
#pragma once
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/regular_file.h"
#include "base/status.h"

namespace plait::inline mapreduce {

// Bytes of the file.
struct SpillSegment {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// The beginning of a file as memory. What is written into it stays in the process. Threads: [one at a time]
class SpillMap {
 public:
  SpillMap() = default;
  SpillMap(void* data, uint64_t bytes) : data_(data), bytes_(bytes) {}
  SpillMap(SpillMap&& other) noexcept { *this = std::move(other); }
  SpillMap& operator=(SpillMap&& other) noexcept;
  ~SpillMap();
  std::string_view view() const { return {static_cast<const char*>(data_), bytes_}; }

 private:
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

// Threads: [any]
class SpillFile {
 public:
  // In $TMPDIR, else /var/tmp; made when something is written first.
  SpillFile();
  explicit SpillFile(std::string folder) : folder_(std::move(folder)) {}

  // Fails with: kIo naming the folder, what was wanted and what the system says.
  Result<SpillSegment> append(std::span<const std::byte> bytes);
  Status read(uint64_t offset, std::span<std::byte> into) const;
  // At a place of the caller's; append knows nothing of it.
  Status write(uint64_t offset, std::span<const std::byte> bytes);
  // The first `bytes`, all of them written. It may outlive the file.
  Result<SpillMap> map(uint64_t bytes) const;
  uint64_t bytes() const;

 private:
  Status open();
  Status refusal(const char* what) const;

  std::string folder_;
  mutable std::mutex mutex_;  // of opening and of the end
  Descriptor file_{-1};
  uint64_t end_ = 0;
};

}  // namespace plait::inline mapreduce
