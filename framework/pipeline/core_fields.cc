#include "pipeline/core_fields.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>

#include "base/status.h"
#include "pipeline/pipeline.pb.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

namespace pb = google::protobuf;

const job::About& about(const pb::FieldDescriptor& field) { return field.options().GetExtension(job::about); }

// Null: no plugin is in such a message.
const char* plugin_kind(const pb::Descriptor& message) {
  const pb::MessageOptions& options = message.options();
  return options.HasExtension(job::plugin_kind) ? options.GetExtension(job::plugin_kind).c_str() : nullptr;
}

// As a file writes it.
std::string default_text(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return value_text(field.default_value_bool());
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return value_text(int64_t{field.default_value_int64()});
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return value_text(field.default_value_double());
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name();
    default:
      return value_text(field.default_value_string());
  }
}

uint32_t kind_of_field(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return PLAIT_FIELD_BOOL;
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return PLAIT_FIELD_I64;
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return PLAIT_FIELD_F64;
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return PLAIT_FIELD_ENUM;
    case pb::FieldDescriptor::CPPTYPE_MESSAGE: {
      const pb::Descriptor& message = *field.message_type();
      return plugin_kind(message) && message.field_count() == 0 ? PLAIT_FIELD_CHILD : PLAIT_FIELD_MESSAGE;
    }
    default:
      assert(field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING && "a type that no field has");
      return PLAIT_FIELD_STRING;
  }
}

// The compiled descriptors as tables; they point into the descriptors, which stay for as long as the program.
class CoreTables {
 public:
  CoreTables() {
    const pb::Descriptor& job = *job::Pipeline::descriptor();
    for (int i = 0; i < job.field_count(); ++i) {
      const pb::FieldDescriptor& field = *job.field(i);
      if (const pb::Descriptor* message = field.message_type())
        blocks.push_back({field.name().c_str(), plugin_kind(*message), field.is_repeated(),
                          about(field).doc().c_str(), table(*message)});
      else
        scalars.push_back(made(field));
    }
    repeat = table(*job::Repeat::descriptor());
  }

  bool has(const plait_field& field) const {
    return std::ranges::any_of(fields_, [&](const plait_field& one) { return &one == &field; });
  }

  std::vector<const plait_field*> scalars, repeat;
  std::vector<CoreBlock> blocks;

 private:
  std::vector<const plait_field*> table(const pb::Descriptor& message) {
    std::vector<const plait_field*> fields;
    for (int i = 0; i < message.field_count(); ++i) fields.push_back(made(*message.field(i)));
    return fields;
  }

  const plait_field* made(const pb::FieldDescriptor& field) {
    plait_field& into = fields_.emplace_back();
    into.struct_size = sizeof into;
    into.kind = kind_of_field(field);
    into.name = field.name().c_str();
    into.flags = flags(field);
    into.low = -INFINITY;
    into.high = INFINITY;
    if (field.has_default_value()) into.default_text = texts_.emplace_back(default_text(field)).c_str();
    add_about(about(field), into);
    if (into.kind == PLAIT_FIELD_ENUM) add_choices(*field.enum_type(), into);
    if (into.kind == PLAIT_FIELD_CHILD) into.child_kind = plugin_kind(*field.message_type());
    if (into.kind == PLAIT_FIELD_MESSAGE) add_fields(*field.message_type(), into);
    return &into;
  }

  static uint32_t flags(const pb::FieldDescriptor& field) {
    const job::About& said = about(field);
    uint32_t flags = 0;
    if (field.is_repeated()) flags |= PLAIT_FIELD_REPEATED;
    if (field.is_required()) flags |= PLAIT_FIELD_REQUIRED;
    if (said.path()) flags |= PLAIT_FIELD_PATH;
    if (said.stage()) flags |= PLAIT_FIELD_STAGE;
    if (said.has_above()) flags |= PLAIT_FIELD_LOW_OPEN;
    if (said.has_below()) flags |= PLAIT_FIELD_HIGH_OPEN;
    return flags;
  }

  static void add_about(const job::About& said, plait_field& into) {
    into.doc = said.doc().c_str();
    if (said.has_unit()) into.unit = said.unit().c_str();
    if (said.has_least() || said.has_above()) into.low = said.has_above() ? said.above() : said.least();
    if (said.has_most() || said.has_below()) into.high = said.has_below() ? said.below() : said.most();
  }

  void add_choices(const pb::EnumDescriptor& choices, plait_field& into) {
    std::vector<const char*>& names = names_.emplace_back();
    for (int i = 0; i < choices.value_count(); ++i) names.push_back(choices.value(i)->name().c_str());
    into.enum_names = names.data();
    into.n_enum_names = static_cast<uint32_t>(names.size());
  }

  void add_fields(const pb::Descriptor& message, plait_field& into) {
    const std::vector<const plait_field*>& inside = inside_.emplace_back(table(message));
    into.fields = inside.data();
    into.n_fields = static_cast<uint32_t>(inside.size());
  }

  // What fields point to: these grow, and what is in them stays where it is.
  std::deque<plait_field> fields_;
  std::deque<std::string> texts_;
  std::deque<std::vector<const char*>> names_;
  std::deque<std::vector<const plait_field*>> inside_;
};

const CoreTables& tables() {
  static const CoreTables made;
  return made;
}

}  // namespace

const std::vector<const plait_field*>& core_scalars() { return tables().scalars; }
const std::vector<const plait_field*>& core_repeat() { return tables().repeat; }
const std::vector<CoreBlock>& core_blocks() { return tables().blocks; }

const CoreBlock& core_block(const char* name) {
  for (const CoreBlock& block : core_blocks())
    if (std::strcmp(block.name, name) == 0) return block;
  assert(false && "no such block");
  return core_blocks().front();
}

std::vector<std::string> blocks_of(const std::string& kind) {
  std::vector<std::string> found;
  for (const CoreBlock& block : core_blocks()) {
    if (block.plugin_kind != nullptr && kind == block.plugin_kind &&
        (found.size() != 1 || kind == block.name))
      found = {block.name};
    for (const plait_field* field : block.fields)
      if (found.empty() && field->child_kind != nullptr && kind == field->child_kind)
        found = {block.name, field->name};
  }
  return found;
}

bool is_core_field(const plait_field& field) { return tables().has(field); }

bool is_taken_name(const std::string& name, const std::string& kind) {
  if (name == "repeat") return true;
  for (const CoreBlock& block : core_blocks())
    for (const plait_field* field : block.fields)
      if (block.plugin_kind && kind == block.plugin_kind && name == field->name) return true;
  return false;
}

}  // namespace plait::inline pipeline
