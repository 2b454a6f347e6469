// Fields of one top-level entry, parsed by protobuf into a message of the job's type, with places.
#pragma once
#include <google/protobuf/text_format.h>

#include <memory>
#include <vector>

#include "pipeline/schema_builder.h"
#include "pipeline/syntax.h"

namespace plait {

// A message of the schema with what is needed to say where its values stand.
class TypedBlock {
 public:
  // `field` as check_names left it. Values that protobuf refuses are reported and left out.
  TypedBlock(const Schema& schema, const Field& field, Errors& errors);

  const pb::Message& message() const { return *message_; }
  const pb::TextFormat::ParseInfoTree& tree() const { return *tree_; }
  // Of the name, and of the value, that stand at a location of the tree.
  Place name_place(const pb::TextFormat::ParseLocation& location) const;
  Place last_place(
      const pb::TextFormat::ParseLocation& end) const;  // end: as protobuf has it, one word behind
  Place value_place(const pb::TextFormat::ParseLocation& location) const;

 private:
  // protobuf is given a word a line, so that its line numbers count words.
  struct Word {
    std::string text;
    Place place;
    const Field* field;  // whose name or value it is
    const pb::FieldDescriptor* descriptor;
  };
  void write(const Schema& schema, const pb::Descriptor* message, const Field& field);
  void word(const std::string& text, const Place& place, const Field& field,
            const pb::FieldDescriptor* descriptor);
  size_t repaired(int line, const std::string& message) const;
  bool parse(const Schema& schema, size_t& bad_word);

  std::vector<Word> words_;
  std::vector<const Field*> refused_;
  std::string words_error_;
  std::unique_ptr<pb::Message> message_;
  std::unique_ptr<pb::TextFormat::ParseInfoTree> tree_;
};

}  // namespace plait
