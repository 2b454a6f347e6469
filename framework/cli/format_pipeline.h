// The one way to lay out a pipeline file. Comments stay, and what the file says stays the same.
//
// A block or list that the author wrote on one line stays on one where it fits; others are one field a
// line, two blanks deeper. At most one empty line is kept between fields. Commas and semicolons after fields,
// and colons before braces, are left out.
#pragma once
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/syntax.h"

namespace plait::inline cli {

// Columns that a line takes at most, where its parts allow.
constexpr size_t kLineColumns = 120;

// A comment as written, from its # on.
struct FormatComment {
  std::string text;
  bool blank_before = false;  // an empty line comes before it
};

// A field with the comments around it.
struct FormatNode {
  enum class Kind { kScalar, kMessage, kList };
  Kind kind = Kind::kScalar;
  std::vector<FormatComment> before;
  std::string name;                 // "layer", "[acme.swish]", "$width"; "" for an item of a list
  std::string value;                // of a scalar
  std::vector<FormatNode> inner;    // of a message or list
  std::vector<FormatComment> last;  // after the last of `inner`
  std::string opening_comment;      // on the line of the opening brace
  std::string trailing_comment;     // on the line of the end
  bool is_open = false;             // written over several lines
  bool blank_before = false;
};

// Fails with: kInvalid, with the errors of the file, when it is not of the form of a pipeline file.
Result<FormatNode> format_tree(const SourceText& source);
std::string format_text(const FormatNode& file);

// format_text(format_tree(source)).
// Laws: applied to its own result it changes nothing; the fields of the result are those of the source.
Result<std::string> format_pipeline(const SourceText& source);

// Whether two files say the same: names and values of all fields in order.
bool same_fields(const std::vector<Field>& a, const std::vector<Field>& b);

}  // namespace plait::inline cli
