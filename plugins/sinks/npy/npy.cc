// One array as NumPy keeps it.
#include <plait/sdk.hpp>

#include <bit>
#include <string>
#include <string_view>

using namespace plait::sdk;

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as the machine has them");

// Null: NumPy has no such type.
const char* type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::f16:
      return "<f2";
    case DType::u8:
      return "|u1";
    case DType::i32:
      return "<i4";
    case DType::i64:
      return "<i8";
    default:
      return nullptr;
  }
}

// Of version 1.0: its length is one of 16 bits, which eight axes do not come near.
std::string head_of(const SinkArray& array) {
  std::string extents = "(";
  for (const int64_t extent : array.shape()) extents += std::to_string(extent) + ", ";
  std::string header = std::string("{'descr': '") + type_of(array.dtype()) +
                       "', 'fortran_order': False, 'shape': " + extents + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');  // the data begin at a multiple of 64
  header += '\n';
  const auto size = static_cast<uint16_t>(header.size());
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(size & 0xFF);
  head += static_cast<char>(size >> 8);
  return head + header;
}

struct Npy {
  static constexpr const char* endings[] = {".npy"};

  static void describe(Describe<Npy>& d) {
    d.doc("one array as NumPy keeps it: numpy.load reads it");
    d.details(
        "Shapes: any; f32, f64, f16, u8, i32 and i64, little endian, in C order. Refused: several arrays, "
        "bf16, pairs.\n"
        "Source: NumPy enhancement proposal 1, format version 1.0.");
  }

  void check_arrays(const SinkArrays& arrays) const {
    if (arrays.size() != 1) throw Error("a .npy file holds one array, got ", arrays.size());
    if (type_of(arrays[0].dtype()) == nullptr)
      throw Error("NumPy has no type for ", arrays[0].tensor(), " ", arrays[0].name());
  }
  void write_arrays(Context&, const SinkArrays& arrays, ByteWriter& out) const {
    out.write(head_of(arrays[0]));
    out.write(arrays[0].bytes());
  }
};

}  // namespace

PLAIT_PLUGIN("plait.npy_sink", "1.0.0", "Apache-2.0", sink<Npy>("plait.npy"));
