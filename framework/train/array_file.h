// Arrays in files that other programs write: NumPy's .npy.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace plait::inline train {

struct Array {
  std::vector<int64_t> shape;
  std::vector<float> values;  // last axis fastest
};

// Little-endian f32 or f64, or u8, in C order. Source: NumPy enhancement proposal 1 (format versions 1 to 3).
// Fails with: kCorrupt; kUnsupported for other element types and for Fortran order.
Result<Array> read_npy(std::string_view bytes, const std::string& place);
bool is_npy(std::string_view bytes);  // by its first bytes

// "[3, 28, 28]"
std::string shape_words(const std::vector<int64_t>& shape);

}  // namespace plait::inline train
