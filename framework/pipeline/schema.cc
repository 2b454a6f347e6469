#include "pipeline/schema.h"

#include "pipeline/schema_builder.h"

namespace plait {
namespace {

std::string field_line(const Schema& schema, const pb::FieldDescriptor* field) {
  const FieldMeaning& meaning = schema.meaning(field);
  std::string comment;
  if (meaning.field)
    comment = describe(*meaning.field);
  else
    comment = meaning.plugin ? meaning.plugin->type->doc : meaning.block->doc;
  const std::string type = field->message_type() ? field->message_type()->name() : field->type_name();
  return std::string("  ") + (field->is_repeated() ? "repeated " : "optional ") + type + " " + field->name() +
         " = " + std::to_string(field->number()) + ";  // " + comment +
         (field->is_extension() ? "; written " + meaning.written : "");
}

std::string message_text(const Schema& schema, const pb::Descriptor* message) {
  const MessageMeaning& meaning = schema.meaning(message);
  std::string text = "\nmessage " + message->name() + " {";
  text += meaning.plugin_kind ? std::string("  // with at most one ") + meaning.plugin_kind + "\n" : "\n";
  for (int i = 0; i < message->field_count(); ++i) text += field_line(schema, message->field(i)) + "\n";
  for (int i = 0; i < message->extension_range_count(); ++i)
    text += "  extensions " + std::to_string(message->extension_range(i)->start) + " to max;\n";
  return text + "}\n";
}

}  // namespace

std::string schema_proto(const Registry& registry) {
  const auto schema = Schema::build(registry);
  if (!schema) return "// " + schema.status().message() + "\n";
  const pb::FileDescriptor* file = (*schema)->file();
  std::string text =
      "// What a pipeline file may say with the plugins that are loaded now. Numbers mean nothing.\n"
      "syntax = \"proto2\";\npackage " +
      file->package() + ";\n";
  for (int i = 0; i < file->message_type_count(); ++i) text += message_text(**schema, file->message_type(i));
  for (int i = 0; i < file->extension_count(); ++i) {
    const pb::FieldDescriptor* extension = file->extension(i);
    text += "\nextend " + extension->containing_type()->name() + " {\n" + field_line(**schema, extension) +
            "\n}\n";
  }
  return text;
}

}  // namespace plait
