#include "registry/stage_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "registry/config.h"
#include "registry/shape_text.h"

namespace plait::inline registry {
namespace {

constexpr char kFrom[] = "from", kArray[] = "array";

plait_field text_field(const char* name, uint32_t flags, const char* doc) {
  plait_field field{};
  field.struct_size = sizeof field;
  field.kind = PLAIT_FIELD_STRING;
  field.flags = flags;
  field.name = name;
  field.doc = doc;
  field.low = -INFINITY;
  field.high = INFINITY;
  return field;
}

// An opened one.
class StageRows {
 public:
  static int open(plait_context* context, const plait_config* config, void** self) {
    auto rows = std::make_unique<StageRows>();
    const ConfigField& from = *config->find(kFrom);
    rows->from_ = from.stages.front();
    Status status = rows->choose(arrays_of_rows(*config));
    if (status) status = rows->take_rows();
    if (!status) {
      const std::string stage = stage_of_rows(*config);
      return fail(context,
                  (stage.empty() ? "the network" : "stage \"" + stage + "\"") + ": " + status.message());
    }
    *self = rows.release();
    return PLAIT_OK;
  }
  static void close(void* self) { delete static_cast<StageRows*>(self); }

  static int describe(const void* self, plait_context*, plait_source_info* info,
                      const plait_parts_builder* builder) {
    const auto& rows = *static_cast<const StageRows*>(self);
    info->random_access = 1;
    info->count = rows.count_;
    for (const PartSpec& part : rows.parts_) {
      const plait_tensor_spec spec = part.raw();
      if (builder->part(builder, &spec) != PLAIT_OK) return PLAIT_FAILED;
    }
    return PLAIT_OK;
  }

  static int read(const void* self, plait_context* context, int64_t index, const plait_sample_call* call) {
    const auto& rows = *static_cast<const StageRows*>(self);
    if (!rows.from_->has_values()) return fail(context, "the stage has not run yet");
    for (size_t i = 0; i < rows.arrays_.size(); ++i) {
      const uint64_t bytes = rows.row_bytes_[i];
      std::memcpy(call->outputs[i]->data,
                  rows.from_->arrays()[rows.arrays_[i]].bytes.data() + static_cast<uint64_t>(index) * bytes,
                  bytes);
    }
    return PLAIT_OK;
  }

 private:
  static int fail(plait_context* context, const std::string& text) {
    context->fail(context, PLAIT_ERROR_INVALID, {text.data(), text.size()});
    return PLAIT_FAILED;
  }
  const StageArrays::Array& array(size_t i) const { return from_->arrays()[arrays_[i]]; }

  Status choose(const std::vector<std::string>& names) {
    const std::vector<StageArrays::Array>& all = from_->arrays();
    for (const std::string& name : names) {
      const StageArrays::Array* const found = from_->find(name);
      if (found == nullptr)
        return {Code::kInvalid, fmt::format("there is no array \"{}\", only: {}", name, from_->text())};
      const auto number = static_cast<size_t>(found - all.data());
      if (std::ranges::find(arrays_, number) == arrays_.end()) arrays_.push_back(number);
    }
    for (size_t i = 0; names.empty() && i < all.size(); ++i) arrays_.push_back(i);
    return {};
  }

  Status take_rows() {
    if (arrays_.empty()) return {Code::kInvalid, "there is no array"};
    for (size_t i = 0; i < arrays_.size(); ++i) {
      if (array(i).spec.shape.empty())
        return {Code::kInvalid, fmt::format("array {} is a single number, wanted rows, each a record; name "
                                            "those that are wanted, as in: array: \"...\"",
                                            part_text(array(i).spec))};
      if (array(i).spec.shape.front() != array(0).spec.shape.front())
        return {Code::kInvalid, fmt::format("arrays of different numbers of rows: {}; name those that are "
                                            "wanted, as in: array: \"...\"",
                                            from_->text())};
      PartSpec part = array(i).spec;
      part.shape.erase(part.shape.begin());
      row_bytes_.push_back(byte_count(part));
      parts_.push_back(std::move(part));
    }
    count_ = from_->has_values() ? array(0).spec.shape.front() : 0;
    return {};
  }

  std::shared_ptr<const StageArrays> from_;
  std::vector<size_t> arrays_;
  std::vector<PartSpec> parts_;  // without the first extent
  std::vector<uint64_t> row_bytes_;
  int64_t count_ = 0;
};

struct RowsType {
  plait_field from = text_field(kFrom, PLAIT_FIELD_STAGE, "whose arrays they are");
  plait_field array = text_field(kArray, PLAIT_FIELD_REPEATED, "of that stage");
  const plait_field* fields[2] = {&from, &array};
  plait_type type{};
  plait_source_ops ops{};
  plait_implementation implementation{};
  TypeEntry entry{};

  RowsType() {
    type.struct_size = sizeof type;
    type.kind = "source";
    type.id = "from";  // as a file says it
    type.doc = "the rows of a stage's arrays";
    type.fields = fields;
    type.n_fields = 2;
    ops = {sizeof ops,      0,       StageRows::open, StageRows::close, StageRows::describe,
           StageRows::read, nullptr, nullptr};
    implementation = {sizeof implementation, 0, type.id, PLAIT_HOST_DEVICE, &ops, type.kind};
    entry.type = &type;
    entry.implementations[PLAIT_HOST_DEVICE] = &implementation;
  }
};

const RowsType& rows_type() {
  static const RowsType made;
  return made;
}

}  // namespace

const TypeEntry& stage_rows() { return rows_type().entry; }

std::shared_ptr<plait_config> stage_rows_config(const std::string& stage, std::shared_ptr<StageArrays> from,
                                                const std::vector<std::string>& arrays) {
  auto config = std::make_shared<plait_config>();
  config->type = stage_rows().type;
  config->fields.push_back({&rows_type().from, {stage}, false, {std::move(from)}});
  ConfigField& array = config->fields.emplace_back(ConfigField{&rows_type().array, {}, arrays.empty()});
  array.values.assign(arrays.begin(), arrays.end());
  return config;
}

std::string stage_of_rows(const plait_config& config) {
  return std::get<std::string>(config.find(kFrom)->values.front());
}

std::vector<std::string> arrays_of_rows(const plait_config& config) {
  std::vector<std::string> names;
  for (const ConfigValue& value : config.find(kArray)->values) names.push_back(std::get<std::string>(value));
  return names;
}

}  // namespace plait::inline registry
