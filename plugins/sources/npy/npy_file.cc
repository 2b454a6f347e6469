#include "npy_file.h"

#include <plait/sdk.hpp>
#include <plait/sdk/utf8.hpp>

#include <charconv>
#include <cstring>

namespace plait::npy {
namespace {

using sdk::CorruptFile;
using sdk::excerpt;

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr uint32_t kMostHeader_bytes = 1 << 16;  // NumPy itself takes no more than 10,000
constexpr int64_t kMost_bytes = int64_t{1} << 50;

struct Kind {
  const char* descr;
  const char* name;
  size_t bytes;
};
// In the order of Element.
constexpr Kind kKinds[] = {{"|u1", "u8", 1},  {"|i1", "i8", 1},  {"<u2", "u16", 2},
                           {"<i2", "i16", 2}, {"<u4", "u32", 4}, {"<i4", "i32", 4},
                           {"<i8", "i64", 8}, {"<f4", "f32", 4}, {"<f8", "f64", 8}};

// Goes through the text of a header.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Header run() {
    take('{');
    while (!accept('}')) {
      entry(quoted());
      if (!accept(',') && !sees('}')) broken("a comma or }");
    }
    if (at_ != text_.size()) broken("nothing after it");
    for (const bool is_there : {has_descr_, has_order_, has_shape_})
      if (!is_there) broken("descr, fortran_order and shape");
    return std::move(header_);
  }

 private:
  void entry(std::string_view key) {
    take(':');
    if (key == "descr" && !std::exchange(has_descr_, true)) return element();
    if (key == "fortran_order" && !std::exchange(has_order_, true)) return order();
    if (key == "shape" && !std::exchange(has_shape_, true)) return shape();
    broken("descr, fortran_order and shape, each once");
  }

  void element() {
    if (sees('[')) unsupported("fields of several types");
    const std::string_view descr = quoted();
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      if (descr != kKinds[i].descr) continue;
      header_.element = static_cast<Element>(i);
      return;
    }
    unsupported("elements of type " + excerpt(descr));
  }

  void order() {
    if (accept_word("False")) return;
    if (!accept_word("True")) broken("True or False");
    throw sdk::Unsupported(path_, ": Fortran order, wanted C order (numpy.ascontiguousarray)");
  }

  // "(3, 28, 28)", "(3,)", "()".
  void shape() {
    take('(');
    while (!accept(')')) {
      blanks();
      int64_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0) broken("a whole number of at least 0 in shape");
      at_ = static_cast<size_t>(end - text_.data());
      header_.shape.push_back(extent);
      if (header_.shape.size() > PLAIT_MAX_RANK + 1)
        broken("at most " + std::to_string(PLAIT_MAX_RANK + 1) + " axes");
      if (!accept(',') && !sees(')')) broken("a comma or ) in shape");
    }
  }

  [[noreturn]] void unsupported(const std::string& what) const {
    std::string known;
    for (const Kind& kind : kKinds) known += (known.empty() ? "" : ", ") + std::string(kind.descr);
    throw sdk::Unsupported(path_, ": ", what, ", wanted one of ", known);
  }
  [[noreturn]] void broken(const std::string& wanted) const {
    throw CorruptFile(path_, ": byte ", at_, " of its header, ",
                      excerpt(text_.substr(std::min(at_, text_.size()), 20)), ": wanted ", wanted);
  }

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool sees(char c) {
    blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool accept(char c) {
    if (!sees(c)) return false;
    ++at_;
    blanks();
    return true;
  }
  void take(char c) {
    if (!accept(c)) broken(std::string(1, c));
  }
  bool accept_word(std::string_view word) {
    blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string_view quoted() {
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : 0;
    if (quote != '\'' && quote != '"') broken("text in quotes");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) broken("a quote that ends");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inside;
  }

  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
  Header header_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

// What comes before the elements, whose place becomes known.
std::string read_header(const sdk::File& file, uint64_t& data) {
  const std::string head = file.read(0, 12);
  if (head.size() < 12 || !head.starts_with(kMagic))
    throw CorruptFile(file.path(), ": begins with ", excerpt(head.substr(0, 6)),
                      ", wanted \\x93NUMPY, a .npy file");
  const auto version = static_cast<uint8_t>(head[6]);
  if (version < 1 || version > 3)
    throw CorruptFile(file.path(), ": format version ", int{version}, ", wanted 1, 2 or 3");
  const size_t length_bytes = version == 1 ? 2 : 4;
  uint32_t size = 0;
  for (size_t i = 0; i < length_bytes; ++i) size |= uint32_t{static_cast<uint8_t>(head[8 + i])} << 8 * i;
  if (size > kMostHeader_bytes)
    throw CorruptFile(file.path(), ": its header has ", size, " bytes, wanted at most ", kMostHeader_bytes);
  data = 8 + length_bytes + size;
  const std::string text = file.read(8 + length_bytes, size);
  if (text.size() < size)
    throw CorruptFile(file.path(), ": ends within its header, after ", text.size(), " bytes of ", size);
  return text;
}

}  // namespace

const char* name_of(Element element) { return kKinds[static_cast<size_t>(element)].name; }
size_t bytes_of(Element element) { return kKinds[static_cast<size_t>(element)].bytes; }

Header parse_header(std::string_view text, const std::string& path) { return HeaderReader(text, path).run(); }

NpyFile::NpyFile(const std::string& path) : file_(path) {
  header_ = parse_header(read_header(file_, data_), path);
  const std::span<const int64_t> all(header_.shape);
  if (all.empty()) throw CorruptFile(path, ": a single number, wanted an array of records");
  int64_t bytes = static_cast<int64_t>(bytes_of(element()));
  for (size_t axis = 0; axis < all.size(); ++axis) {
    if (all[axis] == 0)
      throw CorruptFile(path, ": axis ", axis, " of shape ", all, " is 0, wanted at least 1");
    if (bytes > kMost_bytes / all[axis])
      throw CorruptFile(path, ": shape ", all, " is more than ", kMost_bytes, " bytes");
    bytes *= all[axis];
    if (axis > 0) elements_ *= all[axis];
  }
  const uint64_t wanted = data_ + static_cast<uint64_t>(bytes);
  if (file_.size_bytes() != wanted)
    throw CorruptFile(path, ": has ", file_.size_bytes(), " bytes, wanted ", wanted, " for shape ", all,
                      " of ", name_of(element()));
}

void NpyFile::read(int64_t first, int64_t count, void* into) const {
  const uint64_t record = static_cast<uint64_t>(elements_) * bytes_of(element());
  const auto bytes = static_cast<size_t>(static_cast<uint64_t>(count) * record);
  if (file_.read_at(data_ + static_cast<uint64_t>(first) * record, into, bytes) != bytes)
    throw sdk::IoError(path(),
                       " is no longer the file that was opened: others must not write to it meanwhile");
}

}  // namespace plait::npy
