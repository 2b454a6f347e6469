// An IDX file: two zero bytes, the element type (0x08: u8), the number of dimensions, each dimension as a
// big-endian 32-bit number, the elements.
//
// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace plait::idx {

struct IdxFile {
  std::string path;  // as found: perhaps the twin with or without ".gz"
  std::vector<int64_t> shape;
  std::vector<uint8_t> elements;

  int64_t count() const { return shape.front(); }
  // Elements of one record.
  int64_t record_size() const;
};

// Reads all of it. `what` names its content in messages ("images").
// Fails with: NotFound, IoError; CorruptFile for a wrong magic number, element type or number of dimensions,
// a size of 0 or beyond 2^40 bytes, and data that are fewer or more than the dimensions say.
IdxFile read_idx(const std::string& path, const char* what, int low_rank, int high_rank);

}  // namespace plait::idx
