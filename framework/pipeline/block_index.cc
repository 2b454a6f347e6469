#include "pipeline/block_index.h"

#include <algorithm>
#include <iterator>

namespace plait::inline pipeline {
namespace {

// One pass, however many they are.
void erase_fields(std::vector<Field>& fields, const std::vector<size_t>& sorted) {
  if (sorted.empty()) return;
  size_t to = sorted.front(), next = 0;
  for (size_t from = to; from < fields.size(); ++from) {
    if (next < sorted.size() && sorted[next] == from)
      ++next;
    else
      fields[to++] = std::move(fields[from]);
  }
  fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(to), fields.end());
}

}  // namespace

std::optional<size_t> number_of_block(const std::string& selector) {
  const bool is_number = !selector.empty() && selector.size() < 10 &&
                         selector.find_first_not_of("0123456789") == std::string::npos &&
                         (selector == "0" || selector[0] != '0');
  return is_number ? std::optional(std::stoul(selector)) : std::nullopt;
}

void replace_fields(std::vector<Field>& fields, const std::vector<size_t>& old, std::vector<Field> made) {
  const size_t at = old.empty() ? fields.size() : old.front();
  if (old.size() == 1 && made.size() == 1) {
    fields[at] = std::move(made.front());
    return;
  }
  erase_fields(fields, old);
  fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(at), std::make_move_iterator(made.begin()),
                std::make_move_iterator(made.end()));
}

BlockIndex::Blocks& BlockIndex::read(const pb::FieldDescriptor* field) {
  for (; read_ < fields_.size(); ++read_) {
    const Field& one = fields_[read_];
    Blocks& blocks = blocks_[schema_.find(schema_.job(), one.name.text, one.bracketed)];
    names_.push_back(one.text_of("name"));
    blocks.all.push_back(read_);
    blocks.by_name[names_.back()].insert(read_);
  }
  return blocks_[field];
}

void BlockIndex::forget() {
  read_ = 0;
  blocks_.clear();
  names_.clear();
}

const std::vector<size_t>& BlockIndex::all(const pb::FieldDescriptor* field) {
  settle();
  return read(field).all;
}

std::vector<size_t> BlockIndex::select(const pb::FieldDescriptor* field, const std::string& name_or_number) {
  const std::optional<size_t> number = number_of_block(name_or_number);
  if (number) settle();
  const Blocks& blocks = read(field);
  std::set<size_t> found;
  if (const auto named = blocks.by_name.find(name_or_number); named != blocks.by_name.end())
    found = named->second;
  if (number && *number < blocks.all.size()) found.insert(blocks.all[*number]);
  return {found.begin(), found.end()};
}

void BlockIndex::replace(const std::vector<size_t>& old, std::vector<Field> made) {
  const bool keeps_places = old.empty() || (old.size() == 1 && made.size() == 1);
  if (!keeps_places) settle();
  replace_fields(fields_, old, std::move(made));
  if (!keeps_places) forget();
}

void BlockIndex::remove(const pb::FieldDescriptor* field, const std::vector<size_t>& old) {
  Blocks& blocks = read(field);
  for (const size_t at : old) blocks.by_name[names_[at]].erase(at);
  gone_.insert(old.begin(), old.end());
}

void BlockIndex::renamed(const pb::FieldDescriptor* field, size_t at) {
  if (at >= read_) return;
  std::string name = fields_[at].text_of("name");
  if (name == names_[at]) return;
  Blocks& blocks = blocks_[field];
  blocks.by_name[names_[at]].erase(at);
  blocks.by_name[name].insert(at);
  names_[at] = std::move(name);
}

void BlockIndex::settle() {
  if (gone_.empty()) return;
  erase_fields(fields_, {gone_.begin(), gone_.end()});
  gone_.clear();
  forget();
}

}  // namespace plait::inline pipeline
