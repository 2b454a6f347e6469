// Memory for tables: of large ones the system is asked for large pages, since a table is read all over the
// place and most of the time would go to finding its pages.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace plait::inline mapreduce {

// Aligned to 64 bytes. Not initialized.
class LargeBlock {
 public:
  static constexpr size_t kPage = size_t{2} << 20;

  LargeBlock() = default;
  explicit LargeBlock(size_t bytes) {
    const bool is_large = bytes >= kPage;
    const size_t align = is_large ? kPage : 64;
    const size_t rounded = (bytes + align - 1) / align * align;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(align, rounded)));
    if (!data_) throw std::bad_alloc();
    if (is_large) ::madvise(data_.get(), rounded, MADV_HUGEPAGE);  // refused: small pages do as well
  }
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace plait::inline mapreduce
