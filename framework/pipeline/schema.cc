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

std::string value_line(const plait_field& field, int number) {
  const std::string type = field.kind == PLAIT_FIELD_STRING ? "string" : "int64";
  return "    optional " + type + " " + field.name + " = " + std::to_string(number) + ";  // " +
         describe(field) + "\n";
}

// The fields of a message that may be written more than once, in a message "Repeat" of their own.
std::string repeat_text(const Schema& schema, const pb::Descriptor* message) {
  std::string inside;
  for (int i = 0; i < message->field_count(); ++i)
    if (message->field(i)->is_repeated()) inside += "  " + field_line(schema, message->field(i)) + "\n";
  if (inside.empty()) return "";
  int number = message->field_count();
  const auto repeat_line = [](const char* indent, int at) {
    return std::string(indent) + "repeated Repeat repeat = " + std::to_string(at) +
           ";  // its fields stand in its place, count times\n";
  };
  const std::string own = repeat_line("  ", ++number);
  std::string text = own + "  message Repeat {\n" + inside + repeat_line("    ", number);
  for (const plait_field* field : core_repeat()) text += value_line(*field, ++number);
  if (message == schema.job())
    text += "    repeated string include = " + std::to_string(++number) + ";  // as above\n";
  return text + "  }\n";
}

// What the reader of a file takes out before there are types.
std::string reader_text(int number) {
  return "  repeated string include = " + std::to_string(number) +
         ";  // a file whose fields stand in its place, relative to this one\n"
         "  repeated Var var = " +
         std::to_string(number + 1) +
         ";  // $name, ${name * 2} and \"$name/file\" stand for its value\n"
         "  message Var {\n    optional string name = 1;\n"
         "    optional string value = 2;  // a text, number, true, false or $expression\n"
         "    optional string doc = 3;\n  }\n";
}

std::string message_text(const Schema& schema, const pb::Descriptor* message) {
  const MessageMeaning& meaning = schema.meaning(message);
  std::string text = "\nmessage " + message->name() + " {";
  text += meaning.plugin_kind ? std::string("  // with at most one ") + meaning.plugin_kind + "\n" : "\n";
  for (int i = 0; i < message->field_count(); ++i) text += field_line(schema, message->field(i)) + "\n";
  text += repeat_text(schema, message);
  if (message == schema.job()) text += reader_text(message->field_count() + 10);
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
