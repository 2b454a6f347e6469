// Sources that open a file which a person names alone: which they are, and how they are told of it
// (plait/given_file.h). By the file's ending: endings.h.
#pragma once
#include <plait/given_file.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "registry/config.h"
#include "registry/parts.h"
#include "registry/registry.h"

namespace plait::inline registry {

// Whether the first row of a table is a heading; kAuto: the source finds out.
enum class Heading { kAuto, kYes, kNo };

// Those whose files begin as `bytes` do; else, of those that no beginning tells, those of lines where `wanted`
// is bytes of one variable axis, and those of tables where it is not. Of several a person has to choose.
std::vector<const TypeEntry*> sources_for_bytes(const Registry& registry, std::string_view bytes,
                                                const PartSpec& wanted);

// How `source`, which names endings, is told of a file.
class FileFields {
 public:
  explicit FileFields(const TypeEntry& source);

  // The defaults of the type, with `path` as the file, a part of the name and element type of `part` as far
  // as the source has fields and choices for them, and a heading found out, where there can be one.
  Result<std::shared_ptr<plait_config>> config(const std::string& path, const PartSpec& part) const;
  bool has_part() const;
  // Whether there is a field of the type of elements, and this is a choice of it.
  bool has_dtype(uint32_t dtype) const;
  // False where the source has no such field.
  bool set_shape(plait_config& config, const std::vector<int64_t>& shape) const;
  bool set_heading(plait_config& config, Heading heading) const;
  // Rows of numbers, or lines, whose part is then what was asked for, or is refused when the file is opened.
  bool is_settled_unseen() const;

 private:
  const plait_type& type_;
  const plait_source_rules* rules_;
};

}  // namespace plait::inline registry
