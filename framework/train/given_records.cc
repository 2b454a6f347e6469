#include "train/given_records.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/regular_file.h"
#include "registry/shape_text.h"
#include "train/array_file.h"
#include "train/array_source.h"

namespace plait::inline train {

struct GivenRecords::Body {
  std::shared_ptr<StageArrays> arrays = std::make_shared<StageArrays>();
  std::unique_ptr<ArraySource> source;
};

namespace {

// Shape of all records as the part wants it, or as close as can be told.
bool fits(const std::vector<int64_t>& got, const std::vector<int64_t>& wanted) {
  if (got == wanted) return true;
  if (wanted.empty() || wanted.back() != 1) return false;
  return got == std::vector<int64_t>(wanted.begin(), wanted.end() - 1);
}

Status check(const Array& array, const PartSpec& part, const std::string& path, bool flat) {
  std::vector<int64_t> got(array.shape.begin() + 1, array.shape.end());
  int64_t elements = 1;
  for (int64_t extent : part.shape) elements *= extent;
  const bool good = flat ? got.front() == elements : fits(got, part.shape);
  if (!good) return {Code::kInvalid, path + ": records " + shape_words(got) + ", wanted " + part_text(part)};
  const size_t width = array.values.size() / static_cast<size_t>(array.shape.front());
  for (size_t i = 0; i < array.values.size(); ++i) {
    const float value = array.values[i];
    const bool can_be = part.dtype == PLAIT_F32 ? std::isfinite(value)
                                                : value >= 0 && value <= 255 && value == std::floor(value);
    if (can_be) continue;
    return {Code::kInvalid, path + ": record " + std::to_string(i / width) + ": number " +
                                std::to_string(i % width) + " is " + std::to_string(value) + ", wanted " +
                                (part.dtype == PLAIT_F32 ? "finite ones" : "whole ones of 0 to 255") +
                                " for " + part_text(part)};
  }
  return {};
}

// The numbers as the part has them; they were checked.
StageArrays::Array as_part(const Array& array, const PartSpec& part) {
  StageArrays::Array made{part, {}};
  made.spec.shape.insert(made.spec.shape.begin(), array.shape.front());
  made.bytes.resize(array.values.size() * dtype_bytes(part.dtype));
  if (part.dtype == PLAIT_F32) {
    std::memcpy(made.bytes.data(), array.values.data(), made.bytes.size());
  } else {
    std::ranges::transform(array.values, made.bytes.begin(),
                           [](float value) { return static_cast<std::byte>(static_cast<uint8_t>(value)); });
  }
  return made;
}

constexpr uint64_t kMostBytes = uint64_t{16} << 30, kMostPipedBytes = uint64_t{1} << 30;

Result<std::string> content_of(Files& files, const std::string& path, bool is_piped) {
  return is_piped ? read_file_or_pipe(path, kMostPipedBytes) : files.read(path, kMostBytes);
}

}  // namespace

Result<std::unique_ptr<GivenRecords>> GivenRecords::read(Files& files, const std::string& path,
                                                         const PartSpec& part, Heading heading,
                                                         std::string& note) {
  if (part.dtype != PLAIT_F32 && part.dtype != PLAIT_U8) {
    return Status(Code::kUnsupported,
                  "records of " + part_text(part) + " cannot be given in a file; f32 and u8 can");
  }
  const bool is_piped = is_stream(path), is_named_csv = path.ends_with(".csv");
  if (!is_piped && !is_named_csv && !path.ends_with(".npy")) {
    return Status(Code::kInvalid,
                  path + ": wanted a .npy or .csv file, - or a pipe of either, or test, or validation");
  }
  PLAIT_ASSIGN(const std::string bytes, content_of(files, path, is_piped));
  const bool csv = is_piped ? !is_npy(bytes) : is_named_csv;
  note.clear();
  PLAIT_ASSIGN(const Array array, csv ? read_csv(bytes, path, heading, &note) : read_npy(bytes, path));
  if (array.shape.size() < 2 || array.shape.front() < 1) {
    return Status(Code::kInvalid,
                  path + ": shape " + shape_words(array.shape) + ", wanted at least one record");
  }
  PLAIT_TRY(check(array, part, path, csv));
  auto body = std::make_unique<Body>();
  std::vector<StageArrays::Array> arrays;
  arrays.push_back(as_part(array, part));
  PLAIT_TRY(body->arrays->set(std::move(arrays)));
  PLAIT_ASSIGN(body->source, ArraySource::create(body->arrays, {}, {}));
  return std::unique_ptr<GivenRecords>(new GivenRecords(std::move(body)));
}

GivenRecords::GivenRecords(std::unique_ptr<Body> body) : body_(std::move(body)) {}
GivenRecords::~GivenRecords() = default;
int64_t GivenRecords::count() const { return body_->source->count(); }
const PluginSpec& GivenRecords::spec() const { return body_->source->spec(); }

}  // namespace plait::inline train
