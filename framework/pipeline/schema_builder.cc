#include "pipeline/schema_builder.h"

#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "pipeline/lexer.h"
#include "registry/config.h"

namespace plait::inline pipeline {

using Proto = pb::FieldDescriptorProto;

namespace {

constexpr const char* kPackage = "plait.schema";
constexpr int kFirstExtension = 1'000'000;

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

// First all messages and fields are written down as a FileDescriptorProto, then the pool makes descriptors of
// them, then the notes about what each stands for are tied to the descriptors.
class SchemaBuilder {
 public:
  explicit SchemaBuilder(const Registry& registry) : registry_(registry), schema_(new Schema(registry)) {}

  Result<std::unique_ptr<Schema>> run() {
    file_.set_name("pipeline.proto");
    file_.set_package(kPackage);
    file_.set_syntax("proto2");
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
    bool extension = false;
  };
  struct MessageNote {
    std::string name, title;
    const char* plugin_kind;
  };

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

  void add_job() {
    auto* job = message("Pipeline", "the job");
    for (const plait_field* scalar : core_scalars()) add_value(job, *scalar);
    for (const CoreBlock& block : core_blocks()) {
      const std::string name = std::string("Block_") + block.name;
      field(job, block.name, Proto::TYPE_MESSAGE, block.repeated)->set_type_name(full(name));
      FieldMeaning meaning;
      meaning.block = &block;
      meaning.written = block.name;
      notes_.push_back({"Pipeline", block.name, meaning});
    }
    for (const CoreBlock& block : core_blocks()) {
      auto* made = message(std::string("Block_") + block.name, block.name, block.plugin_kind);
      for (const plait_field* value : block.fields) add_value(made, *value);
      if (block.plugin_kind) add_plugins(made, block.plugin_kind);
    }
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

  void add_holder_of(const char* kind) { add_plugins(message(std::string("Any_") + kind, kind, kind), kind); }

  // A field for each plugin of the kind that has a short name, an extension for the others and for those
  // whose short name is an own field of the message.
  void add_plugins(pb::DescriptorProto* in, const char* kind) {
    std::set<std::string> taken;
    for (const Proto& own : in->field()) taken.insert(own.name());
    for (const auto& [type, entry] : registry_.types()) {
      const std::string &id = type.id, name = entry.short_name();
      if (kind != type.kind) continue;
      const bool extension = name == id || taken.count(name) || name == "repeat" || !is_identifier(name);
      FieldMeaning meaning;
      meaning.plugin = &entry;
      meaning.written = extension ? "[" + id + "]" : name;
      const std::string field_name = extension ? in->name() + "__" + flat(id) : name;
      (extension ? add_extension(in, field_name) : field(in, field_name, Proto::TYPE_MESSAGE, false))
          ->set_type_name(full(type_message(entry)));
      notes_.push_back({in->name(), field_name, meaning, extension});
    }
    auto* range = in->add_extension_range();
    range->set_start(kFirstExtension);
    range->set_end(pb::FieldDescriptor::kMaxNumber + 1);
  }

  Proto* add_extension(pb::DescriptorProto* in, const std::string& name) {
    auto* made = file_.add_extension();
    made->set_name(name);
    made->set_number(kFirstExtension + file_.extension_size());
    made->set_type(Proto::TYPE_MESSAGE);
    made->set_label(Proto::LABEL_OPTIONAL);
    made->set_extendee(full(in->name()));
    return made;
  }

  void tie() {
    const auto find = [&](const std::string& name) {
      return schema_->pool_.FindMessageTypeByName(std::string(kPackage) + "." + name);
    };
    for (const MessageNote& note : messages_)
      schema_->messages_[find(note.name)] = {note.title, note.plugin_kind, {}, {}};
    for (const FieldNote& note : notes_) {
      const pb::Descriptor* message = find(note.message);
      const auto* field = note.extension
                              ? schema_->pool_.FindExtensionByName(std::string(kPackage) + "." + note.field)
                              : message->FindFieldByName(note.field);
      schema_->fields_[field] = note.meaning;
      MessageMeaning& owner = schema_->messages_[message];
      if (note.meaning.plugin)
        owner.plugins[note.meaning.plugin->type->id] = field;
      else
        owner.fields.push_back(field);
    }
    schema_->job_ = find("Pipeline");
  }

  const Registry& registry_;
  std::unique_ptr<Schema> schema_;
  pb::FileDescriptorProto file_;
  std::vector<FieldNote> notes_;
  std::vector<MessageNote> messages_;
  std::vector<const char*> kinds_;
  std::set<std::string> known_kinds_;
};

Result<std::unique_ptr<Schema>> Schema::build(const Registry& registry) {
  return SchemaBuilder(registry).run();
}

std::unique_ptr<pb::Message> Schema::make(const pb::Descriptor* type) const {
  return std::unique_ptr<pb::Message>(factory_.GetPrototype(type)->New());
}

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
