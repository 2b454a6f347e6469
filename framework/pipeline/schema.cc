#include "pipeline/schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "pipeline/lexer.h"
#include "pipeline/schema_builder.h"

namespace plait::inline pipeline {
namespace {

std::string line(int depth, const std::string& text) {
  return std::string(2 * static_cast<size_t>(depth), ' ') + text + "\n";
}

std::string comment(const FieldMeaning& meaning) {
  if (meaning.field) return "  // " + describe(*meaning.field);
  return std::string("  // ") + (meaning.plugin ? meaning.plugin->type->doc : meaning.block->doc);
}

// Whether a choice's words can be values of a protobuf enum: then editors offer them.
bool has_words(const FieldMeaning& meaning) {
  const plait_field* field = meaning.field;
  return field && field->kind == PLAIT_FIELD_ENUM &&
         std::all_of(field->enum_names, field->enum_names + field->n_enum_names, is_identifier);
}

// Extensions by the parts of their ids: "acme.swish" is swish in the message acme, so that its full name is
// what is between the brackets in a pipeline file.
struct Scope {
  std::map<std::string, Scope> inside;
  std::string lines;  // "extend ... { optional Type name = number; }"
};

// "Train", "Stage_Evaluate", "Type_layer_acme_swish"
std::string name_of(const pb::Descriptor* message) {
  std::string name = message->full_name().substr(message->file()->package().size() + 1);
  std::ranges::replace(name, '.', '_');
  return name;
}

// Prints the schema for a text-format parser that is not ours. In it, a name between brackets extends one
// message; ours may be in several blocks (a source in source, validation and test). So blocks that hold
// plugins of one kind are printed as one message, with the fields of all of them.
class Printer {
 public:
  explicit Printer(const Schema& schema) : schema_(schema) {
    for (const pb::Descriptor* message : schema.messages()) add_message(message);
    for (const pb::Descriptor* message : schema.messages())
      for (const auto& [id, field] : schema.meaning(message).plugins)
        if (is_extension(field)) add_extension(field);
  }

  std::string text() const {
    std::string text =
        "// What a pipeline file may say with the plugins that are loaded now. Numbers below 1000 in "
        "messages\n"
        "// that are no Type_ are those of pipeline.proto; others mean nothing.\n"
        "// For editors that know text protos, a file begins with the lines\n"
        "//   # proto-file: the name of this file\n"
        "//   # proto-message: Pipeline\n"
        "syntax = \"proto2\";\n";
    for (const Message& message : messages_) text += message_text(message);
    return text + scope_text(extensions_, 0) + nameless_;
  }

 private:
  struct Message {
    std::string name;
    const char* plugin_kind;
    std::vector<const pb::FieldDescriptor*> fields;
  };

  // Whether a plugin is written between brackets.
  bool is_extension(const pb::FieldDescriptor* plugin) const {
    return schema_.meaning(plugin).written.starts_with('[');
  }

  void add_message(const pb::Descriptor* message) {
    const MessageMeaning& meaning = schema_.meaning(message);
    const std::string name =
        meaning.plugin_kind ? std::string("Any_") + meaning.plugin_kind : name_of(message);
    names_[message] = name;
    auto known = std::ranges::find(messages_, name, &Message::name);
    if (known == messages_.end()) known = messages_.insert(known, {name, meaning.plugin_kind, {}});
    for (const pb::FieldDescriptor* field : meaning.fields) add_field(field, known->fields);
    for (const auto& [id, field] : meaning.plugins)
      if (!is_extension(field)) add_field(field, known->fields);
  }

  void add_field(const pb::FieldDescriptor* field, std::vector<const pb::FieldDescriptor*>& into) const {
    const auto written = [&](const pb::FieldDescriptor* one) { return schema_.meaning(one).written; };
    if (std::ranges::find(into, written(field), written) == into.end()) into.push_back(field);
  }

  void add_extension(const pb::FieldDescriptor* extension) {
    const FieldMeaning& meaning = schema_.meaning(extension);
    const std::string id = meaning.plugin->type->id, in = names_.at(extension->containing_type());
    if (!extended_.insert({in, id}).second) return;
    std::vector<std::string> parts;
    std::istringstream words(id);
    for (std::string part; std::getline(words, part, '.');) parts.push_back(part);
    const std::string number = std::to_string(kFirstExtension + static_cast<int>(extended_.size()));
    const std::string type = names_.at(extension->message_type()), about = comment(meaning);
    const auto extend = [&](const std::string& name, const std::string& more) {
      return "extend " + in + " { optional " + type + " " + name + " = " + number + "; }" + about + more;
    };
    // An id that is no name in a .proto file is there under another; so is one that types of two kinds share,
    // for all but the first: a name extends one message.
    const bool is_name = parts.size() > 1 && std::ranges::all_of(parts, is_identifier);
    if (!is_name || !named_.emplace(id, in).second) {
      nameless_ += "\n" + line(0, extend(extension->name(), "; written " + meaning.written));
      return;
    }
    Scope* scope = &extensions_;
    for (size_t i = 0; i + 1 < parts.size(); ++i) scope = &scope->inside[parts[i]];
    scope->lines += extend(parts.back(), "") + "\n";
  }

  std::string type_of(const pb::FieldDescriptor* field) const {
    if (field->message_type()) return names_.at(field->message_type());
    return has_words(schema_.meaning(field)) ? field->name() + "_.Word" : field->type_name();
  }

  std::string field_line(const pb::FieldDescriptor* field, int number, int depth) const {
    const FieldMeaning& meaning = schema_.meaning(field);
    return line(depth, (field->is_repeated() ? "repeated " : "optional ") + type_of(field) + " " +
                           meaning.written + " = " + std::to_string(number) + ";" + comment(meaning));
  }

  // Of word i of a choice.
  static int number_of(const pb::FieldDescriptor* field, uint32_t i) {
    return field->enum_type() ? field->enum_type()->value(static_cast<int>(i))->number()
                              : static_cast<int>(i);
  }

  static std::string words_text(const pb::FieldDescriptor* field, const plait_field& choice) {
    std::string text = "message " + field->name() + "_ { enum Word {";
    for (uint32_t i = 0; i < choice.n_enum_names; ++i)
      text += std::string(" ") + choice.enum_names[i] + " = " + std::to_string(number_of(field, i)) + ";";
    return line(1, text + " } }");
  }

  // The fields of a message that may be written more than once, in a message "Repeat" of their own.
  std::string repeat_text(const Message& message, int& number) const {
    std::string inside;
    for (const pb::FieldDescriptor* field : message.fields)
      if (field->is_repeated()) inside += field_line(field, ++number, 2);
    if (inside.empty()) return "";
    const std::string own = "repeated Repeat repeat = " + std::to_string(++number) +
                            ";  // its fields are in its place, count times";
    std::string text = line(1, own) + line(1, "message Repeat {") + inside + line(2, own);
    for (const plait_field* field : core_repeat()) {
      const std::string type = field->kind == PLAIT_FIELD_STRING ? "string" : "int64";
      text += line(2, "optional " + type + " " + field->name + " = " + std::to_string(++number) + ";  // " +
                          describe(*field));
    }
    if (message.name == name_of(schema_.job()))
      text += line(2, "repeated string include = " + std::to_string(++number) + ";  // as above");
    return text + line(1, "}");
  }

  // What the reader of a file takes out before there are types.
  static std::string reader_text(int& number) {
    const int include = ++number, var = ++number;
    return line(1, "repeated string include = " + std::to_string(include) +
                       ";  // a file whose fields are in its place, relative to this one") +
           line(1, "repeated Var var = " + std::to_string(var) +
                       ";  // $name, ${name * 2} and \"$name/file\" stand for its value") +
           line(1, "message Var {") + line(2, "optional string name = 1;") +
           line(2, "optional string value = 2;  // a text, number, true, false or $expression") +
           line(2, "optional string doc = 3;") + line(1, "}");
  }

  std::string message_text(const Message& message) const {
    std::string text = "\nmessage " + message.name + " {";
    text += message.plugin_kind ? std::string("  // with at most one ") + message.plugin_kind + "\n" : "\n";
    int number = kFirstOther;
    for (const pb::FieldDescriptor* field : message.fields) {
      text += field_line(field, field->is_extension() ? ++number : field->number(), 1);
      if (const FieldMeaning& meaning = schema_.meaning(field); has_words(meaning))
        text += words_text(field, *meaning.field);
    }
    text += repeat_text(message, number);
    if (message.name == name_of(schema_.job())) text += reader_text(number);
    if (message.plugin_kind) text += line(1, "extensions " + std::to_string(kFirstExtension) + " to max;");
    return text + "}\n";
  }

  static std::string scope_text(const Scope& scope, int depth) {
    std::string text;
    std::istringstream lines(scope.lines);
    for (std::string extension; std::getline(lines, extension);) text += line(depth, extension);
    for (const auto& [name, inside] : scope.inside)
      text += (depth == 0 ? "\n" : "") + line(depth, "message " + name + " {") +
              scope_text(inside, depth + 1) + line(depth, "}");
    return text;
  }

  static constexpr int kFirstOther = 1'000, kFirstExtension = 1'000'000;
  const Schema& schema_;
  std::vector<Message> messages_;
  std::map<const pb::Descriptor*, std::string> names_;
  std::set<std::pair<std::string, std::string>> extended_;  // message and id
  std::map<std::string, std::string> named_;                // id: the message that it extends by its name
  Scope extensions_;
  std::string nameless_;
};

}  // namespace

std::string schema_proto(const Registry& registry) {
  const auto schema = Schema::build(registry);
  return schema ? Printer(**schema).text() : "// " + schema.status().message() + "\n";
}

}  // namespace plait::inline pipeline
