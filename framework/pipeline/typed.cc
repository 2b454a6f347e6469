#include "pipeline/typed.h"

#include <google/protobuf/io/tokenizer.h>

#include <algorithm>

#include "registry/config.h"

namespace plait {
namespace {

constexpr size_t kMaxParsedWords = 1'000'000;

class FirstError final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber, const std::string& text) override {
    if (at < 0) at = line, message = text;
  }
  int at = -1;
  std::string message;
};

// What is wrong with a value that protobuf refused.
std::string refusal(const plait_field& field, const std::string& text) {
  const auto value = parse_value(field, text);
  if (!value) return value.status().message();
  return std::string(field.name) + ": " + text + " is written as a text, wanted without quotes";
}

}  // namespace

TypedBlock::TypedBlock(const Schema& schema, const Field& field, Errors& errors) {
  size_t bad_word = 0, parsed_words = 0;
  for (;;) {
    words_.clear();
    write(schema, schema.job(), field);
    if (parse(schema, bad_word)) return;
    parsed_words += words_.size();
    const Word& word = words_[std::min(bad_word, words_.size() - 1)];
    refused_.push_back(word.field);
    const FieldMeaning& meaning = schema.meaning(word.descriptor);
    if (meaning.field && !word.field->is_message)
      errors.add(scalar_place(*word.field),
                 schema.meaning(word.descriptor->containing_type()).title + ": " +
                     refusal(*meaning.field, scalar_text(word.field->scalar)),
                 describe(*meaning.field));
    else
      errors.add(word.place, words_error_);
    // All is parsed again for each: in a large block the first mistakes are enough.
    if (word.field == &field || errors.is_full() || parsed_words > kMaxParsedWords) {
      message_ = schema.make(schema.job());
      tree_ = std::make_unique<pb::TextFormat::ParseInfoTree>();
      return;
    }
  }
}

bool TypedBlock::parse(const Schema& schema, size_t& bad_word) {
  std::string text;
  for (const Word& word : words_) text += word.text + "\n";
  message_ = schema.make(schema.job());
  tree_ = std::make_unique<pb::TextFormat::ParseInfoTree>();
  FirstError error;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(tree_.get());
  parser.SetRecursionLimit(2 * kMaxDepth);
  if (parser.ParseFromString(text, message_.get())) return true;
  bad_word = repaired(error.at, error.message);
  words_error_ = error.message;
  return false;
}

// protobuf reports what is wrong with a boolean at the word behind it, perhaps in another field: go back to
// the field that the message names.
size_t TypedBlock::repaired(int line, const std::string& message) const {
  const size_t at = std::clamp<int>(line, 0, static_cast<int>(words_.size()) - 1);
  const std::string mark = "field \"";
  const size_t begin = message.find(mark);
  if (begin == std::string::npos) return at;
  const std::string name =
      message.substr(begin + mark.size(), message.find('"', begin + mark.size()) - begin - mark.size());
  for (size_t i = at + 1; i > 0; --i)
    if (words_[i - 1].descriptor->name() == name) return i - 1;
  return at;
}

void TypedBlock::word(const std::string& text, const Place& place, const Field& field,
                      const pb::FieldDescriptor* descriptor) {
  words_.push_back({text, place, &field, descriptor});
}

void TypedBlock::write(const Schema& schema, const pb::Descriptor* message, const Field& field) {
  if (std::find(refused_.begin(), refused_.end(), &field) != refused_.end()) return;
  const pb::FieldDescriptor* descriptor = schema.find(message, field.name.text, field.bracketed);
  const std::string name =
      descriptor->is_extension() ? "[" + descriptor->full_name() + "]" : descriptor->name();
  word(name, field.name.place, field, descriptor);
  if (!field.is_message) {
    word(":", field.name.place, field, descriptor);
    for (const Token& token : field.scalar) word(token.text, token.place, field, descriptor);
    return;
  }
  word("{", field.name.place, field, descriptor);
  for (const Field& nested : field.fields) write(schema, descriptor->message_type(), nested);
  word("}", field.end, field, descriptor);
}

Place TypedBlock::name_place(const pb::TextFormat::ParseLocation& location) const {
  if (words_.empty()) return {};
  return words_[std::clamp<int>(location.line, 0, words_.size() - 1)].place;
}

Place TypedBlock::last_place(const pb::TextFormat::ParseLocation& end) const {
  return name_place({end.column == 0 ? end.line - 1 : end.line, 0});
}

Place TypedBlock::value_place(const pb::TextFormat::ParseLocation& location) const {
  if (words_.empty()) return {};
  const Word& word = words_[std::clamp<int>(location.line, 0, words_.size() - 1)];
  return word.field->is_message ? word.place : scalar_place(*word.field);
}

}  // namespace plait
