#include "train/kept_records.h"

#include <cstring>

#include "mapreduce/spill_file.h"
#include "registry/shape_text.h"

namespace plait::inline train {

// The tables of a source type made at run time. A configuration's type leads back to the body, whose first
// member it is.
struct KeptRecords::Body {
  plait_type type{};
  plait_source_ops ops{};
  plait_implementation implementation{};
  TypeEntry entry{};
  PluginSpec spec;
  std::vector<PartSpec> parts;
  std::vector<uint64_t> part_bytes;
  uint64_t row_bytes = 0;
  uint32_t classes = 0;
  int64_t rows = 0;
  std::vector<std::byte> memory;
  std::unique_ptr<SpillFile> file;

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
    info->n_classes = of(self).classes;
    for (const PartSpec& part : of(self).parts) {
      const plait_tensor_spec spec = part.raw();
      if (builder->part(builder, &spec) != PLAIT_OK) return PLAIT_FAILED;
    }
    return PLAIT_OK;
  }

  static int read(const void* self, plait_context* context, int64_t index, const plait_sample_call* call) {
    const Body& body = of(self);
    uint64_t at = static_cast<uint64_t>(index) * body.row_bytes;
    for (size_t i = 0; i < body.parts.size(); at += body.part_bytes[i++]) {
      auto* to = static_cast<std::byte*>(call->outputs[i]->data);
      if (body.file == nullptr) {
        std::memcpy(to, body.memory.data() + at, body.part_bytes[i]);
      } else if (const Status got = body.file->read(at, {to, body.part_bytes[i]}); !got) {
        context->fail(context, PLAIT_ERROR_IO, {got.message().data(), got.message().size()});
        return PLAIT_FAILED;
      }
    }
    return PLAIT_OK;
  }

  void make_tables(const Location& where) {
    type.struct_size = sizeof type;
    type.kind = "source";
    type.id = "plait.kept";
    type.doc = "records that were computed before";
    ops = {sizeof ops, 0, open, close, describe, read, nullptr, nullptr};
    implementation = {sizeof implementation, 0, type.id, PLAIT_HOST_DEVICE, &ops, type.kind};
    entry.type = &type;
    entry.file = nullptr;
    entry.implementations[PLAIT_HOST_DEVICE] = &implementation;
    spec.entry = &entry;
    spec.config = std::make_shared<plait_config>();
    spec.config->type = &type;
    spec.where = where;
  }
};

KeptRecords::KeptRecords(std::vector<PartSpec> parts, uint32_t classes, bool in_file, const Location& where)
    : body_(std::make_unique<Body>()) {
  for (const PartSpec& part : parts) body_->part_bytes.push_back(byte_count(part));
  for (const uint64_t bytes : body_->part_bytes) body_->row_bytes += bytes;
  body_->parts = std::move(parts);
  body_->classes = classes;
  if (in_file) body_->file = std::make_unique<SpillFile>();
  body_->make_tables(where);
}

KeptRecords::~KeptRecords() = default;
uint64_t KeptRecords::row_bytes() const { return body_->row_bytes; }
int64_t KeptRecords::count() const { return body_->rows; }
const PluginSpec& KeptRecords::spec() const { return body_->spec; }

Status KeptRecords::append(const std::vector<std::span<const std::byte>>& parts, int64_t count) {
  std::vector<std::byte> rows(body_->row_bytes * static_cast<uint64_t>(count));
  std::byte* to = rows.data();
  for (int64_t row = 0; row < count; ++row)
    for (size_t i = 0; i < parts.size(); ++i) {
      const uint64_t bytes = body_->part_bytes[i];
      std::memcpy(to, parts[i].data() + static_cast<uint64_t>(row) * bytes, bytes);
      to += bytes;
    }
  body_->rows += count;
  if (body_->file != nullptr) return body_->file->append(rows).status();
  if (body_->memory.empty())
    body_->memory = std::move(rows);
  else
    body_->memory.insert(body_->memory.end(), rows.begin(), rows.end());
  return {};
}

}  // namespace plait::inline train
