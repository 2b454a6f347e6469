// An array in a NumPy file (.npy), of which records are read where they lie: little of it is in memory.
//
// Source: NumPy enhancement proposal 1, "A Simple File Format for NumPy Arrays", format versions 1 to 3.
// Arrays are little-endian, in C order, of whole numbers of 8 to 64 bits or of f32 or f64. The file is not
// mapped: one that is cut while it is mapped kills the process (SIGBUS), and where it is read that is an
// error in words.
#pragma once
#include <plait/sdk/file.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::npy {

enum class Element { u8, i8, u16, i16, u32, i32, i64, f32, f64 };
const char* name_of(Element element);
size_t bytes_of(Element element);
inline bool is_whole(Element element) { return element != Element::f32 && element != Element::f64; }

struct Header {
  Element element = Element::u8;
  std::vector<int64_t> shape;
};
// The text of a header: a Python dictionary of descr, fortran_order and shape, each once.
// Fails with: CorruptFile naming `path`; Unsupported for other elements and for Fortran order.
Header parse_header(std::string_view text, const std::string& path);

// Records are the array's first axis. Threads: [any]
class NpyFile {
 public:
  // Fails with: NotFound, IoError as sdk::File; CorruptFile for what breaks the format, has no records, or is
  // not as long as its shape says; as parse_header.
  explicit NpyFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  Element element() const { return header_.element; }
  int64_t count() const { return header_.shape.front(); }
  // Of a record.
  std::span<const int64_t> shape() const { return std::span(header_.shape).subspan(1); }
  int64_t elements() const { return elements_; }

  // Records [first, first + count) as they lie in the file: count elements() bytes_of(element()) bytes.
  // Fails with: IoError when the file is no longer what it was.
  void read(int64_t first, int64_t count, void* into) const;

 private:
  sdk::File file_;
  Header header_;
  int64_t elements_ = 1;  // of a record
  uint64_t data_ = 0;     // where the elements begin
};

}  // namespace plait::npy
