#include "cli/try_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "cli/format_pipeline.h"
#include "cli/share_folder.h"
#include "pipeline/core_fields.h"

namespace plait::inline cli {
namespace {

namespace fs = std::filesystem;

// An error in the line, as one in a file is shown.
Status fault(Code code, const std::string& line, size_t offset, size_t length, const std::string& message,
             const std::string& hint = "") {
  const SourceText source{"line", line};
  Errors errors;
  errors.add({&source, offset, length}, message, hint);
  return {code, errors.status().message()};
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

// Where `mark` is in no brackets and no quotes, from `from` on; npos when nowhere.
size_t find_outside(const std::string& text, char mark, size_t from) {
  int depth = 0;
  char quote = 0;
  for (size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (depth == 0 && c == mark) {
      return i;
    } else if (std::strchr("([{", c)) {
      ++depth;
    } else if (std::strchr(")]}", c)) {
      --depth;
    }
  }
  return std::string::npos;
}

// A stretch of the line without the blanks around it.
struct Part {
  std::string text;
  size_t offset = 0;
};

Part part_of(const std::string& line, size_t begin, size_t end) {
  const size_t first = std::min(line.find_first_not_of(" \t\n", begin), end);
  return {trimmed(line.substr(begin, end - begin)), first};
}

// Parts of [begin, end) between the marks that are in no brackets and no quotes.
std::vector<Part> split(const std::string& line, char mark, size_t begin, size_t end) {
  std::vector<Part> parts;
  const std::string text = line.substr(0, end);
  for (size_t at; (at = find_outside(text, mark, begin)) != std::string::npos; begin = at + 1)
    parts.push_back(part_of(text, begin, at));
  parts.push_back(part_of(text, begin, end));
  return parts;
}

// Reads the line; the first fault is kept.
class ChainReader {
 public:
  explicit ChainReader(const std::string& line) : line_(line) {}

  Result<std::vector<TryElement>> run() {
    std::vector<TryElement> elements;
    for (const Part& part : split(line_, '!', 0, line_.size())) {
      PLAIT_ASSIGN(TryElement made, element(part));
      elements.push_back(std::move(made));
    }
    return elements;
  }

 private:
  Status usage(size_t offset, size_t length, const std::string& message, const std::string& hint = "") const {
    return fault(Code::kUsage, line_, offset, length, message, hint);
  }

  Result<TryElement> element(const Part& part) const {
    if (part.text.empty())
      return usage(part.offset, 1, "an element is missing",
                   "as in: fashion_mnist ! convolution(filters=32) ! relu ! dense(10)");
    const size_t open = part.text.find('(');
    if (open != std::string::npos) PLAIT_TRY(check_end(part, open));
    PLAIT_ASSIGN(TryElement made,
                 name(part_of(line_, part.offset, part.offset + std::min(open, part.text.size()))));
    if (open == std::string::npos) return made;
    const size_t begin = part.offset + open + 1, end = part.offset + part.text.size() - 1;
    if (part_of(line_, begin, end).text.empty()) return made;
    for (const Part& field : split(line_, ',', begin, end)) PLAIT_TRY(this->field(field, made));
    return made;
  }

  Status check_end(const Part& part, size_t open) const {
    const size_t from = part.offset + open;
    const size_t close = find_outside(line_.substr(0, part.offset + part.text.size()), ')', from + 1);
    if (close == std::string::npos) return usage(from, 1, "this ( is never closed");
    if (close + 1 == part.offset + part.text.size()) return {};
    return usage(close + 1, part.offset + part.text.size() - close - 1, "\")\" ends an element",
                 "the next begins after a !");
  }

  Result<TryElement> name(Part words) const {
    TryElement made;
    if (const size_t colon = words.text.find(':'); colon != std::string::npos) {
      made.block = trimmed(words.text.substr(0, colon));
      words = part_of(line_, words.offset + colon + 1, words.offset + words.text.size());
    }
    made.offset = words.offset;
    made.name = words.text;
    if (made.name.empty()) return usage(words.offset, 1, "the name of a plugin is missing");
    if (const size_t blank = made.name.find(' '); blank != std::string::npos)
      return usage(words.offset + blank, 1, "elements are joined by \"!\"");
    if (const size_t equals = made.name.find('='); equals != std::string::npos)
      return usage(words.offset, made.name.size(), "\"" + made.name + "\" is no element",
                   "a field of the job is changed by --set " + made.name);
    if (made.name.front() == '[' && made.name.back() == ']')
      made.name = made.name.substr(1, made.name.size() - 2);
    return made;
  }

  Status field(const Part& part, TryElement& into) const {
    const size_t equals = find_outside(part.text, '=', 0);
    const bool named = equals != std::string::npos;
    const std::string value = named ? trimmed(part.text.substr(equals + 1)) : part.text;
    if (value.empty()) return usage(part.offset, part.text.size(), "a value is missing");
    if (const size_t second = find_outside(value, '=', 0); second != std::string::npos)
      return usage(part.offset, part.text.size(), "one field has one value", "fields are parted by commas");
    into.fields.emplace_back(named ? trimmed(part.text.substr(0, equals)) : "", value);
    return {};
  }

  const std::string& line_;
};

// Numbers, quotes, lists and braces as they are; text for a field of text gets quotes.
std::string value_text(const plait_field* field, const std::string& value) {
  const bool is_text = field && field->kind == PLAIT_FIELD_STRING;
  return is_text && !is_string(value) && value[0] != '[' && value[0] != '$' ? quote(value) : value;
}

const plait_field* find_field(const std::vector<const plait_field*>& fields, const std::string& name) {
  for (const plait_field* field : fields)
    if (name == field->name) return field;
  return nullptr;
}

const plait_field* field_without_name(const std::vector<const plait_field*>& fields) {
  for (const plait_field* field : fields)
    if (field->flags & PLAIT_FIELD_REQUIRED) return field;
  return fields.empty() ? nullptr : fields[0];
}

Result<std::string> fields_text(const TryElement& element, const std::vector<const plait_field*>& fields,
                                const std::string& line) {
  std::string text;
  bool named = true;
  for (const auto& [name, value] : element.fields) {
    const plait_field* field = name.empty() ? field_without_name(fields) : find_field(fields, name);
    if (name.empty() && (!field || !named))
      return fault(Code::kInvalid, line, element.offset, element.name.size(),
                   fmt::format("which field of {} is {}?", element.name, value), "write FIELD=" + value);
    named = named && !name.empty();
    text += fmt::format("{}: {} ", field ? field->name : name.c_str(), value_text(field, value));
  }
  return text;
}

const CoreBlock* block_named(const std::string& name) {
  for (const CoreBlock& block : core_blocks())
    if (name == block.name) return &block;
  return nullptr;
}

const CoreBlock* block_of_kind(const std::string& kind) {
  for (const CoreBlock& block : core_blocks())
    if (block.plugin_kind && kind == block.plugin_kind) return &block;
  return nullptr;
}

// Names of the files that pipeline_named finds.
std::vector<std::string> pipeline_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const std::string& folder : {std::string("pipelines"), share_path("pipelines")})
    for (const char* inner : {"", "/data"})
      for (const auto& entry : fs::directory_iterator(folder + inner, error))
        if (entry.path().extension() == ".txtpb") names.push_back(entry.path().stem());
  return names;
}

std::string block_names(const std::vector<const TypeEntry*>& entries, const std::string& name) {
  std::string text;
  for (const TypeEntry* entry : entries) {
    const CoreBlock* block = block_of_kind(entry->type->kind);
    if (block != nullptr) text += (text.empty() ? "" : " or ") + std::string(block->name) + ":" + name;
  }
  return text;
}

// Of the kind that goes into the block that the line names; where it names none, of any.
Result<const TypeEntry*> find_type(const Registry& registry, const TryElement& element,
                                   const std::string& line) {
  std::vector<const TypeEntry*> found = registry.named(element.name);
  const CoreBlock* block = element.block.empty() ? nullptr : block_named(element.block);
  if (block != nullptr && block->plugin_kind != nullptr)
    if (const TypeEntry* fits = registry.find(block->plugin_kind, element.name)) return fits;
  if (found.size() > 1 && element.block.empty())
    return fault(Code::kInvalid, line, element.offset, element.name.size(),
                 fmt::format("\"{}\" is of the kinds {} and {}", element.name, found[0]->type->kind,
                             found[1]->type->kind),
                 "write " + block_names(found, element.name));
  if (!found.empty()) return found.front();
  std::vector<std::string> names = element.offset == 0 ? pipeline_names() : std::vector<std::string>();
  for (const auto& [type, entry] : registry.types()) names.insert(names.end(), {type.id, entry.short_name()});
  for (const CoreBlock& core : core_blocks()) names.push_back(core.name);
  const std::string near = did_you_mean(element.name, names);
  return fault(Code::kInvalid, line, element.offset, element.name.size(),
               fmt::format("\"{}\" is neither a plugin nor a pipeline file", element.name),
               near.empty() ? "plait inspect lists the plugins" : "did you mean \"" + near + "\"?");
}

// A file as it grows: top-level fields in order.
class Draft {
 public:
  Draft(const Registry& registry, const std::string& line) : registry_(registry), line_(line) {
    file_.kind = FormatNode::Kind::kMessage;
    file_.is_open = true;
  }

  // Everything but layers, and what reads layers by their names.
  Status begin_with(const std::string& path) {
    PLAIT_ASSIGN(const std::string text, SystemFiles().read(path));
    PLAIT_ASSIGN(file_, format_tree({path, text}));
    if (!file_.inner.empty()) file_.inner[0].before.clear();  // what the file says of itself
    without_layers(file_.inner);
    return {};
  }

  Status add(const TryElement& element) {
    const CoreBlock* own = element.block.empty() ? block_named(element.name) : nullptr;
    if (own && registry_.named(element.name).empty()) return add_core(element, *own);
    PLAIT_ASSIGN(const TypeEntry* entry, find_type(registry_, element, line_));
    const CoreBlock* block =
        element.block.empty() ? block_of_kind(entry->type->kind) : block_named(element.block);
    if (!block || !block->plugin_kind || std::strcmp(block->plugin_kind, entry->type->kind) != 0)
      return fault(Code::kInvalid, line_, element.offset, element.name.size(),
                   fmt::format("{} is of the kind {}, which does not go into \"{}\"", element.name,
                               entry->type->kind, element.block));
    const std::vector<const plait_field*> fields(entry->type->fields,
                                                 entry->type->fields + entry->type->n_fields);
    PLAIT_ASSIGN(const std::string inside, fields_text(element, fields, line_));
    const std::string id = entry->short_name();
    const std::string name = is_identifier(id) ? id : "[" + id + "]";
    const bool first = !block->repeated || !added_.count(block->name);
    // The line's losses and metrics take the place of the file's; layers and steps on the samples are added
    // to them.
    const bool replaces = first && (!block->repeated || std::strcmp(block->name, "loss") == 0);
    if (replaces) remove(block->name);
    if (std::strcmp(block->name, "optimizer") == 0) remove("schedule");
    added_.insert(block->name);
    return append(fmt::format("{} {{ {} {{ {}}} }}\n", block->name, name, inside));
  }

  std::string text() const { return format_text(file_); }

 private:
  // Also in repeats; one that has only made layers goes too.
  static void without_layers(std::vector<FormatNode>& nodes) {
    std::erase_if(nodes, [](const FormatNode& node) { return node.name == "layer"; });
    for (FormatNode& node : nodes) {
      if (node.name == "loss" || node.name == "metric")
        std::erase_if(node.inner, [](const FormatNode& field) { return field.name == "input"; });
      if (node.name == "repeat") without_layers(node.inner);
    }
    std::erase_if(nodes, [](const FormatNode& node) {
      return node.name == "repeat" &&
             std::none_of(node.inner.begin(), node.inner.end(), [](const FormatNode& field) {
               return field.kind == FormatNode::Kind::kMessage || field.name == "include";
             });
    });
  }

  Status add_core(const TryElement& element, const CoreBlock& block) {
    PLAIT_ASSIGN(const std::string inside, fields_text(element, block.fields, line_));
    PLAIT_ASSIGN(const FormatNode made,
                 format_tree({"the line", fmt::format("{} {{ {}}}\n", block.name, inside)}));
    for (FormatNode& node : file_.inner) {
      if (node.name != block.name) continue;
      for (const FormatNode& field : made.inner[0].inner) {
        std::erase_if(node.inner, [&](const FormatNode& old) { return old.name == field.name; });
        node.inner.push_back(field);
      }
      return {};
    }
    file_.inner.push_back(made.inner[0]);
    return {};
  }

  void remove(const std::string& name) {
    std::erase_if(file_.inner, [&](const FormatNode& node) { return node.name == name; });
  }
  // Layers come together, before what reads them.
  Status append(const std::string& text) {
    PLAIT_ASSIGN(FormatNode made, format_tree({"the line", text}));
    FormatNode& node = made.inner[0];
    auto place = file_.inner.end();
    if (node.name == "layer") {
      place = std::find_if(file_.inner.begin(), file_.inner.end(), [](const FormatNode& other) {
        return other.name == "loss" || other.name == "metric";
      });
      node.blank_before = !added_layer_;
      added_layer_ = true;
    }
    file_.inner.insert(place, std::move(node));
    return {};
  }

  const Registry& registry_;
  const std::string& line_;
  FormatNode file_;
  std::set<std::string> added_;
  bool added_layer_ = false;
};

}  // namespace

Result<std::vector<TryElement>> parse_chain(const std::string& line) { return ChainReader(line).run(); }

std::string pipeline_named(const std::string& name) {
  std::error_code error;
  if (fs::is_regular_file(name, error)) return name;
  for (const std::string& folder : {std::string("pipelines"), share_path("pipelines")})
    for (const char* inner : {"/", "/data/"})
      if (const std::string path = folder + inner + name + ".txtpb"; fs::is_regular_file(path, error))
        return path;
  return "";
}

Result<std::string> pipeline_of(const Registry& registry, const std::vector<TryElement>& elements,
                                const std::string& line) {
  Draft draft(registry, line);
  const std::string file = elements[0].block.empty() ? pipeline_named(elements[0].name) : "";
  if (!file.empty()) PLAIT_TRY(draft.begin_with(file));
  for (size_t i = file.empty() ? 0 : 1; i < elements.size(); ++i) PLAIT_TRY(draft.add(elements[i]));
  return draft.text();
}

}  // namespace plait::inline cli
