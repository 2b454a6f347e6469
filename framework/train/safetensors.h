// A safetensors file: tensors of any type by name, as bytes.
//
// u64 N (little endian), N bytes of JSON {"name": {"dtype": "F32", "shape": [...], "data_offsets": [b, e]},
// "__metadata__": {"key": "text"}}, then the data; offsets count from the data's beginning.
// Source: https://github.com/huggingface/safetensors (format)
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace plait::inline train {

struct StoredTensor {
  std::string name;
  std::string dtype;  // as written: "F32", "BF16", "I64"
  std::vector<int64_t> shape;
  std::string_view bytes;  // of the file
};

struct StoredTensors {
  std::vector<StoredTensor> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Files are not trusted; `place` names the file in messages. Borrows from `bytes`. Time and memory grow with
// the header's length (n log n). A dtype that is not known here is no mistake: its bytes are passed over.
// Fails with: kCorrupt when header or offsets break the format: a header over 100 MB or longer than the file,
// JSON of another form or deeper than 8 levels, a name twice, over a million tensors or 64 extents, a shape
// that does not match its bytes, overlaps, gaps, bytes that belong to no tensor.
Result<StoredTensors> read_safetensors(std::string_view bytes, const std::string& place);

// What comes before the data of tensors that lie there one after the other: of each name, dtype, shape, and
// the number of its bytes.
struct TensorHead {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t bytes = 0;
};
std::string safetensors_head(const std::vector<TensorHead>& tensors);

// The values as f32: of F32, and of F16 and BF16, which f32 holds exactly, and F64, rounded.
// Fails with: kUnsupported for other types; kNumeric for a number of F64 beyond f32.
Result<std::vector<float>> f32_values(const StoredTensor& tensor);

// A name of a stranger as messages show it: printable, and no longer than a line.
std::string short_name(const std::string& name);

}  // namespace plait::inline train
