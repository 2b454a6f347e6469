// One top-level entry of a pipeline file as a message of the job's type: each value is read as its field
// wants it, and keeps the field of the tree that it was written in, which knows its place.
#pragma once
#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <vector>

#include "pipeline/schema_builder.h"
#include "pipeline/syntax.h"

namespace plait::inline pipeline {

// Beside a message: what each of its values was written as. Borrows the tree.
class WrittenFields {
 public:
  struct Written {
    const Field* field;
    std::unique_ptr<WrittenFields> inside;  // of a message
  };
  void add(const pb::FieldDescriptor* descriptor, Written written) {
    fields_[descriptor].push_back(std::move(written));
  }
  // `index`: of a repeated field, else 0. It must have been written.
  const Written& at(const pb::FieldDescriptor* descriptor, int index) const {
    return fields_.at(descriptor).at(static_cast<size_t>(index));
  }

 private:
  std::map<const pb::FieldDescriptor*, std::vector<Written>> fields_;
};

class TypedBlock {
 public:
  // `field` as check_names left it; it outlives the block.
  // Errors: a value of another type than its field has. It is left out.
  TypedBlock(const Schema& schema, const Field& field, Errors& errors);

  const pb::Message& message() const { return *message_; }
  const WrittenFields& tree() const { return tree_; }

 private:
  std::unique_ptr<pb::Message> message_;
  WrittenFields tree_;
};

}  // namespace plait::inline pipeline
