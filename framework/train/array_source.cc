#include "train/array_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "registry/shape_text.h"

namespace plait::inline train {

// The tables of a source type made at run time. `type` comes first: a configuration's type leads back to the
// body.
struct ArraySource::Body {
  plait_type type{};
  plait_source_ops ops{};
  plait_implementation implementation{};
  TypeEntry entry{};
  PluginSpec spec;
  std::shared_ptr<const StageArrays> from;
  std::vector<const StageArrays::Array*> arrays;
  std::vector<PartSpec> parts;  // without the first extent
  std::vector<uint64_t> row_bytes;
  int64_t rows = 0;

  static const Body& of(const void* self) { return *static_cast<const Body*>(self); }

  static int open(plait_context*, const plait_config* config, void** self) {
    *self = const_cast<plait_type*>(config->type);
    return PLAIT_OK;
  }
  static void close(void*) {}

  static int describe(const void* self, plait_context*, plait_source_info* info,
                      const plait_parts_builder* builder) {
    info->random_access = 1;
    info->count = of(self).rows;
    for (const PartSpec& part : of(self).parts) {
      const plait_tensor_spec spec = part.raw();
      if (builder->part(builder, &spec) != PLAIT_OK) return PLAIT_FAILED;
    }
    return PLAIT_OK;
  }

  static int read(const void* self, plait_context*, int64_t index, const plait_sample_call* call) {
    const Body& body = of(self);
    for (size_t i = 0; i < body.arrays.size(); ++i) {
      const uint64_t bytes = body.row_bytes[i];
      std::memcpy(call->outputs[i]->data, body.arrays[i]->bytes.data() + static_cast<uint64_t>(index) * bytes,
                  bytes);
    }
    return PLAIT_OK;
  }

  void make_tables() {
    type.struct_size = sizeof type;
    type.kind = "source";
    type.id = "plait.arrays";
    type.doc = "the rows of arrays";
    ops = {sizeof ops, 0, open, close, describe, read, nullptr, nullptr};
    implementation = {sizeof implementation, 0, type.id, PLAIT_HOST_DEVICE, &ops, type.kind};
    entry.type = &type;
    entry.file = nullptr;
    entry.implementations[PLAIT_HOST_DEVICE] = &implementation;
    spec.entry = &entry;
    spec.config = std::make_shared<plait_config>();
    spec.config->type = &type;
  }

  Status choose(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const StageArrays::Array* found = from->find(name);
      if (found == nullptr)
        return {Code::kInvalid, fmt::format("there is no array \"{}\", only: {}", name, from->text())};
      if (std::ranges::find(arrays, found) == arrays.end()) arrays.push_back(found);
    }
    for (const StageArrays::Array& array : from->arrays())
      if (names.empty()) arrays.push_back(&array);
    return {};
  }

  Status take_rows() {
    const auto rows_of = [](const StageArrays::Array* array) { return array->spec.shape.front(); };
    for (const StageArrays::Array* array : arrays) {
      if (array->spec.shape.empty())
        return {Code::kInvalid, fmt::format("array {} is a single number, wanted rows, each a record; name "
                                            "those that are wanted, as in: array: \"...\"",
                                            part_text(array->spec))};
      if (rows_of(array) != rows_of(arrays.front()))
        return {Code::kInvalid, fmt::format("arrays of different numbers of rows: {}; name those that are "
                                            "wanted, as in: array: \"...\"",
                                            from->text())};
      PartSpec part = array->spec;
      part.shape.erase(part.shape.begin());
      row_bytes.push_back(byte_count(part));
      parts.push_back(std::move(part));
    }
    if (arrays.empty()) return {Code::kInvalid, "there is no array"};
    rows = from->has_values() ? rows_of(arrays.front()) : 0;
    return {};
  }
};

Result<std::unique_ptr<ArraySource>> ArraySource::create(std::shared_ptr<const StageArrays> from,
                                                         const std::vector<std::string>& arrays,
                                                         const Location& where) {
  auto body = std::make_unique<Body>();
  body->from = std::move(from);
  PLAIT_TRY(body->choose(arrays));
  PLAIT_TRY(body->take_rows());
  body->make_tables();
  body->spec.where = where;
  return std::unique_ptr<ArraySource>(new ArraySource(std::move(body)));
}

ArraySource::ArraySource(std::unique_ptr<Body> body) : body_(std::move(body)) {}
ArraySource::~ArraySource() = default;
int64_t ArraySource::count() const { return body_->rows; }
const PluginSpec& ArraySource::spec() const { return body_->spec; }

}  // namespace plait::inline train
