#include "pipeline/schema_builder.h"

#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "pipeline/lexer.h"
#include "pipeline/pipeline.pb.h"
#include "registry/config.h"

namespace plait::inline pipeline {

using Proto = pb::FieldDescriptorProto;

namespace {

constexpr const char* kPackage = "plait.plugins";
constexpr int kFirstPlugin = 1000;  // numbers below are pipeline.proto's

std::string full(const std::string& message) { return std::string(".") + kPackage + "." + message; }

// "acme.swish" -> "acme_swish"
std::string flat(std::string id) {
  for (char& c : id)
    if (c == '.' || c == '-') c = '_';
  return id;
}

// Types of several kinds may share an id.
std::string type_message(const TypeEntry& entry) {
  return std::string("Type_") + entry.type->kind + "_" + flat(entry.type->id);
}

Proto::Type scalar_type(uint32_t kind) {
  switch (kind) {
    case PLAIT_FIELD_BOOL:
      return Proto::TYPE_BOOL;
    case PLAIT_FIELD_I64:
      return Proto::TYPE_INT64;
    case PLAIT_FIELD_F64:
      return Proto::TYPE_DOUBLE;
    default:
      return Proto::TYPE_STRING;  // enums too: their names are checked with better words than protobuf's
  }
}

class ErrorText final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string& element, const pb::Message*, ErrorLocation,
                const std::string& message) override {
    if (text.empty()) text = element + ": " + message;
  }
  std::string text;
};

}  // namespace

// The compiled messages mean what the tables of core_fields say. Types of plugins are written down as a
// FileDescriptorProto first, then the pool makes descriptors of them, then the notes about what each means
// are tied to the descriptors.
class SchemaBuilder {
 public:
  explicit SchemaBuilder(const Registry& registry) : registry_(registry), schema_(new Schema(registry)) {}

  Result<std::unique_ptr<Schema>> run() {
    schema_->job_ = job::Pipeline::descriptor();
    file_.set_name("plugins.proto");
    file_.set_package(kPackage);
    file_.set_syntax("proto2");
    file_.add_dependency(schema_->job_->file()->name());
    add_job();
    for (const auto& entry : registry_.types()) add_plugin(entry.second);
    for (size_t i = 0; i < kinds_.size(); ++i) add_holder_of(kinds_[i]);
    ErrorText errors;
    if (schema_->pool_.BuildFileCollectingErrors(file_, &errors) == nullptr)
      return {Code::kPlugin, "the loaded plugins make no schema: " + errors.text};
    tie();
    return std::move(schema_);
  }

 private:
  struct FieldNote {
    std::string message, field;
    FieldMeaning meaning;
  };
  struct PluginNote {
    std::string extension;  // full name
    FieldMeaning meaning;
  };
  struct MessageNote {
    std::string name, title;
    const char* plugin_kind;
  };

  // ---- compiled messages

  void add_job() {
    const pb::Descriptor* job = schema_->job_;
    schema_->order_.push_back(job);
    schema_->messages_[job].title = "the job";
    for (const plait_field* scalar : core_scalars()) add_meaning(job, scalar->name, scalar);
    for (const CoreBlock& block : core_blocks()) add_meaning(job, block.name, nullptr, &block);
    for (const CoreBlock& block : core_blocks())
      add_core(job, block.name, block.plugin_kind, block.fields.data(), block.fields.size());
  }

  // The message in a field of a compiled one, and those in it. Of a message in several fields the title is
  // the name of the first.
  void add_core(const pb::Descriptor* in, const char* name, const char* kind,
                const plait_field* const* fields, size_t n_fields) {
    const pb::Descriptor* message = in->FindFieldByName(name)->message_type();
    if (!schema_->messages_.try_emplace(message, MessageMeaning{name, kind, {}, {}}).second) return;
    schema_->order_.push_back(message);
    std::set<std::string> taken;
    for (size_t i = 0; i < n_fields; ++i) {
      add_meaning(message, fields[i]->name, fields[i]);
      taken.insert(fields[i]->name);
    }
    if (kind != nullptr) add_plugins(message->full_name(), message->name(), kind, taken);
    for (size_t i = 0; i < n_fields; ++i)
      if (fields[i]->kind == PLAIT_FIELD_MESSAGE || fields[i]->kind == PLAIT_FIELD_CHILD)
        add_core(message, fields[i]->name, fields[i]->child_kind, fields[i]->fields, fields[i]->n_fields);
  }

  void add_meaning(const pb::Descriptor* message, const char* name, const plait_field* field,
                   const CoreBlock* block = nullptr) {
    const pb::FieldDescriptor* descriptor = message->FindFieldByName(name);
    FieldMeaning& meaning = schema_->fields_[descriptor];
    meaning.field = field;
    meaning.block = block;
    meaning.written = name;
    schema_->messages_.at(message).fields.push_back(descriptor);
  }

  // ---- types of plugins

  pb::DescriptorProto* message(const std::string& name, const std::string& title,
                               const char* kind = nullptr) {
    auto* made = file_.add_message_type();
    made->set_name(name);
    messages_.push_back({name, title, kind});
    return made;
  }

  Proto* field(pb::DescriptorProto* in, const std::string& name, Proto::Type type, bool repeated) {
    auto* made = in->add_field();
    made->set_name(name);
    made->set_number(in->field_size());
    made->set_type(type);
    made->set_label(repeated ? Proto::LABEL_REPEATED : Proto::LABEL_OPTIONAL);
    return made;
  }

  void add_plugin(const TypeEntry& entry) {
    auto* made = message(type_message(entry), entry.short_name());
    for (uint32_t i = 0; i < entry.type->n_fields; ++i) add_value(made, *entry.type->fields[i]);
  }

  void add_value(pb::DescriptorProto* in, const plait_field& value) {
    const bool repeated = value.flags & PLAIT_FIELD_REPEATED;
    const std::string owner = in->name();
    FieldMeaning meaning;
    meaning.field = &value;
    meaning.written = value.name;
    notes_.push_back({owner, value.name, meaning});
    if (value.kind == PLAIT_FIELD_MESSAGE) {
      const std::string name = owner + "_" + value.name + "_";
      field(in, value.name, Proto::TYPE_MESSAGE, repeated)->set_type_name(full(name));
      auto* nested = message(name, value.name);
      for (uint32_t i = 0; i < value.n_fields; ++i) add_value(nested, *value.fields[i]);
    } else if (value.kind == PLAIT_FIELD_CHILD) {
      field(in, value.name, Proto::TYPE_MESSAGE, repeated)->set_type_name(full(holder(value.child_kind)));
    } else {
      field(in, value.name, scalar_type(value.kind), repeated);
    }
  }

  // The message that holds a child plugin of a kind; made once, at the end.
  std::string holder(const char* kind) {
    if (known_kinds_.insert(kind).second) kinds_.push_back(kind);
    return std::string("Any_") + kind;
  }

  void add_holder_of(const char* kind) {
    auto* made = message(std::string("Any_") + kind, kind, kind);
    auto* range = made->add_extension_range();
    range->set_start(kFirstPlugin);
    range->set_end(pb::FieldDescriptor::kMaxNumber + 1);
    add_plugins(std::string(kPackage) + "." + made->name(), made->name(), kind, {});
  }

  // An extension of the message for each plugin of the kind, written by its short name where that is not
  // `taken` by an own field.
  void add_plugins(const std::string& message, const std::string& prefix, const char* kind,
                   const std::set<std::string>& taken) {
    for (const auto& [type, entry] : registry_.types()) {
      const std::string &id = type.id, name = entry.short_name();
      if (kind != type.kind) continue;
      const bool by_id = name == id || taken.count(name) || name == "repeat" || !is_identifier(name);
      FieldMeaning meaning;
      meaning.plugin = &entry;
      meaning.written = by_id ? "[" + id + "]" : name;
      const std::string extension = prefix + "__" + flat(id);
      add_extension(message, extension)->set_type_name(full(type_message(entry)));
      plugin_notes_.push_back({std::string(kPackage) + "." + extension, meaning});
    }
  }

  Proto* add_extension(const std::string& message, const std::string& name) {
    auto* made = file_.add_extension();
    made->set_name(name);
    made->set_number(kFirstPlugin + file_.extension_size());
    made->set_type(Proto::TYPE_MESSAGE);
    made->set_label(Proto::LABEL_OPTIONAL);
    made->set_extendee("." + message);
    return made;
  }

  void tie() {
    const pb::DescriptorPool& pool = schema_->pool_;
    const auto find = [&](const std::string& name) {
      return pool.FindMessageTypeByName(std::string(kPackage) + "." + name);
    };
    for (const MessageNote& note : messages_) {
      schema_->order_.push_back(find(note.name));
      schema_->messages_[find(note.name)] = {note.title, note.plugin_kind, {}, {}};
    }
    for (const FieldNote& note : notes_) {
      const pb::FieldDescriptor* field = find(note.message)->FindFieldByName(note.field);
      schema_->fields_[field] = note.meaning;
      schema_->messages_.at(field->containing_type()).fields.push_back(field);
    }
    for (const PluginNote& note : plugin_notes_) {
      const pb::FieldDescriptor* field = pool.FindExtensionByName(note.extension);
      schema_->fields_[field] = note.meaning;
      schema_->messages_.at(field->containing_type()).plugins[note.meaning.plugin->type->id] = field;
    }
  }

  const Registry& registry_;
  std::unique_ptr<Schema> schema_;
  pb::FileDescriptorProto file_;
  std::vector<FieldNote> notes_;
  std::vector<PluginNote> plugin_notes_;
  std::vector<MessageNote> messages_;
  std::vector<const char*> kinds_;
  std::set<std::string> known_kinds_;
};

Result<std::unique_ptr<Schema>> Schema::build(const Registry& registry) {
  return SchemaBuilder(registry).run();
}

std::unique_ptr<pb::Message> Schema::make_job() const { return std::make_unique<job::Pipeline>(); }

const pb::FieldDescriptor* Schema::find(const pb::Descriptor* message, const std::string& name,
                                        bool bracketed) const {
  const MessageMeaning& known = meaning(message);
  for (const pb::FieldDescriptor* field : known.fields)
    if (!bracketed && field->name() == name) return field;
  for (const auto& [id, field] : known.plugins)
    if (id == name || (!bracketed && meaning(field).written == name)) return field;
  return nullptr;
}

std::vector<std::string> Schema::names_in(const pb::Descriptor* message) const {
  std::vector<std::string> names;
  const MessageMeaning& known = meaning(message);
  for (const pb::FieldDescriptor* field : known.fields) names.push_back(field->name());
  for (const auto& entry : known.plugins) names.push_back(meaning(entry.second).written);
  return names;
}

std::string describe(const plait_field& field) {
  static const char* const kinds[] = {"",     "true or false", "integer", "number",
                                      "text", "choice",        "message", "plugin"};
  std::string text = std::string("(") + (field.flags & PLAIT_FIELD_REPEATED ? "list of " : "") +
                     (field.kind <= PLAIT_FIELD_CHILD ? kinds[field.kind] : "");
  if (field.kind == PLAIT_FIELD_CHILD) text += std::string(" of kind ") + field.child_kind;
  for (uint32_t i = 0; field.kind == PLAIT_FIELD_ENUM && i < field.n_enum_names; ++i)
    text += (i == 0 ? " of " : ", ") + std::string(field.enum_names[i]);
  if (field.default_text && *field.default_text) text += std::string(", default ") + field.default_text;
  if (field.flags & PLAIT_FIELD_REQUIRED) text += ", required";
  const std::string range = range_text(field);
  if (!range.empty()) text += ", " + range;
  if (field.unit) text += std::string(", ") + field.unit;
  return text + ": " + field.doc + ")";
}

}  // namespace plait::inline pipeline
