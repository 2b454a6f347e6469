// Memory for tables: of large ones the system is asked for large pages, since a table is read all over the
// place and most of the time would go to finding its pages.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

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
  void swap(LargeBlock& other) { data_.swap(other.data_); }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

// Zeros at first, aligned to 64 bytes; its beginning can be given back before the rest. A large one takes no
// memory where nothing was written.
class ZeroedBlock {
 public:
  ZeroedBlock() = default;
  explicit ZeroedBlock(size_t bytes) : bytes_(bytes) {
    if (bytes < LargeBlock::kPage) {
      small_ = LargeBlock(bytes);
      data_ = small_.data();
      if (bytes > 0) std::memset(data_, 0, bytes);
      return;
    }
    // A page more: the system aligns to small ones.
    mapped_ = (bytes + 2 * LargeBlock::kPage - 1) / LargeBlock::kPage * LargeBlock::kPage;
    map_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) {
      map_ = nullptr;
      throw std::bad_alloc();
    }
    const auto at = reinterpret_cast<uintptr_t>(map_);
    const uintptr_t aligned = (at + LargeBlock::kPage - 1) / LargeBlock::kPage * LargeBlock::kPage;
    data_ = static_cast<std::byte*>(map_) + (aligned - at);
    ::madvise(data_, mapped_ - (aligned - at), MADV_HUGEPAGE);  // refused: small pages do as well
  }
  ~ZeroedBlock() {
    if (map_ != nullptr) ::munmap(map_, mapped_);
  }
  ZeroedBlock(ZeroedBlock&& other) noexcept { swap(other); }
  ZeroedBlock& operator=(ZeroedBlock&& other) noexcept {
    ZeroedBlock(std::move(other)).swap(*this);
    return *this;
  }
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  // Its first bytes are not read again. Called for more and more of it, costs little.
  void give_back(size_t bytes) {
    const size_t pages = bytes / LargeBlock::kPage * LargeBlock::kPage;
    if (map_ == nullptr || pages <= given_) return;
    ::madvise(data_ + given_, pages - given_, MADV_DONTNEED);  // refused: given back with the rest
    given_ = pages;
  }

 private:
  void swap(ZeroedBlock& other) {
    small_.swap(other.small_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(map_, other.map_);
    std::swap(mapped_, other.mapped_);
    std::swap(given_, other.given_);
  }
  LargeBlock small_;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  void* map_ = nullptr;
  size_t mapped_ = 0, given_ = 0;
};

}  // namespace plait::inline mapreduce
