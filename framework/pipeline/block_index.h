// Where the fields of a job are, by name: as many changes as there are layers read the list of them once.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/schema_builder.h"
#include "pipeline/syntax.h"

namespace plait::inline pipeline {

// What "[12]" selects, written as a person counts; none: a name alone.
std::optional<size_t> number_of_block(const std::string& selector);

// Puts `made` where the first of the fields `old` (sorted) is, at the end where there is none; those go.
void replace_fields(std::vector<Field>& fields, const std::vector<size_t>& old, std::vector<Field> made);

// Of the fields of the job itself. All changes of their number and names go through it.
class BlockIndex {
 public:
  BlockIndex(const Schema& schema, std::vector<Field>& fields) : schema_(schema), fields_(fields) {}
  ~BlockIndex() { settle(); }
  BlockIndex(const BlockIndex&) = delete;
  BlockIndex& operator=(const BlockIndex&) = delete;

  // Places in the list, in its order, of all that are this field of the schema.
  const std::vector<size_t>& all(const pb::FieldDescriptor* field);
  // Of those among them that are called so, or are this one of them, counted from 0.
  std::vector<size_t> select(const pb::FieldDescriptor* field, const std::string& name_or_number);
  void replace(const std::vector<size_t>& old, std::vector<Field> made);
  void remove(const pb::FieldDescriptor* field, const std::vector<size_t>& old);
  // What is called by its field `name` may be called otherwise now.
  void renamed(const pb::FieldDescriptor* field, size_t at);
  // After it the list has no removed fields any more.
  void settle();

 private:
  struct Blocks {
    std::vector<size_t> all;
    std::unordered_map<std::string, std::set<size_t>> by_name;
  };
  Blocks& read(const pb::FieldDescriptor* field);
  void forget();

  const Schema& schema_;
  std::vector<Field>& fields_;
  size_t read_ = 0;  // so many fields are in the index
  std::map<const pb::FieldDescriptor*, Blocks> blocks_;
  std::vector<std::string> names_;  // as they are in by_name
  std::set<size_t> gone_;           // removed, and still in the list
};

}  // namespace plait::inline pipeline
