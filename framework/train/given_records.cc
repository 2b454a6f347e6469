#include "train/given_records.h"

#include <cmath>
#include <cstring>

#include "base/regular_file.h"
#include "train/array_file.h"

namespace plait {

// The tables of a source type made at run time. `type` comes first: a configuration's type leads back to the
// body.
struct GivenRecords::Body {
  plait_type type{};
  plait_source_ops ops{};
  plait_implementation implementation{};
  TypeEntry entry{};
  PluginSpec spec;
  PartSpec part;
  Array array;
  size_t record_elements = 1;

  static const Body& of(const void* self) { return *static_cast<const Body*>(self); }

  static int open(plait_context*, const plait_config* config, void** self) {
    *self = const_cast<plait_type*>(config->type);
    return PLAIT_OK;
  }
  static void close(void*) {}

  static int describe(const void* self, plait_context*, plait_source_info* info,
                      const plait_parts_builder* parts) {
    info->random_access = 1;
    info->count = of(self).array.shape.front();
    const plait_tensor_spec spec = of(self).part.raw();
    return parts->part(parts, &spec);
  }

  static int read(const void* self, plait_context*, int64_t index, const plait_sample_call* call) {
    const Body& body = of(self);
    const float* from = body.array.values.data() + static_cast<size_t>(index) * body.record_elements;
    void* to = call->outputs[0]->data;
    if (body.part.dtype == PLAIT_F32) std::memcpy(to, from, body.record_elements * sizeof(float));
    if (body.part.dtype != PLAIT_F32) {
      for (size_t i = 0; i < body.record_elements; ++i)
        static_cast<uint8_t*>(to)[i] = static_cast<uint8_t>(from[i]);
    }
    return PLAIT_OK;
  }

  void make_tables() {
    type.struct_size = sizeof type;
    type.kind = "source";
    type.id = "plait.given_records";
    type.doc = "records from a file that was given";
    ops = {sizeof ops, 0, open, close, describe, read, nullptr};
    implementation = {sizeof implementation, 0, type.id, PLAIT_HOST_DEVICE, &ops};
    entry.type = &type;
    entry.file = nullptr;
    entry.implementations[PLAIT_HOST_DEVICE] = &implementation;
    spec.entry = &entry;
    spec.config = std::make_shared<plait_config>();
    spec.config->type = &type;
  }
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
  auto body = std::make_unique<Body>();
  note.clear();
  PLAIT_ASSIGN(body->array, csv ? read_csv(bytes, path, heading, &note) : read_npy(bytes, path));
  if (body->array.shape.size() < 2 || body->array.shape.front() < 1) {
    return Status(Code::kInvalid,
                  path + ": shape " + shape_words(body->array.shape) + ", wanted at least one record");
  }
  PLAIT_TRY(check(body->array, part, path, csv));
  body->part = part;
  body->record_elements = body->array.values.size() / static_cast<size_t>(body->array.shape.front());
  body->make_tables();
  return std::unique_ptr<GivenRecords>(new GivenRecords(std::move(body)));
}

GivenRecords::GivenRecords(std::unique_ptr<Body> body) : body_(std::move(body)) {}
GivenRecords::~GivenRecords() = default;
int64_t GivenRecords::count() const { return body_->array.shape.front(); }
const PluginSpec& GivenRecords::spec() const { return body_->spec; }

}  // namespace plait
