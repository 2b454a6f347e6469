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

namespace plait {
namespace {

namespace fs = std::filesystem;

Status usage(const std::string& message) { return {Code::kUsage, "try: " + message}; }

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

// Where `mark` stands in no brackets and no quotes, from `from` on; npos when nowhere.
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

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at; (at = find_outside(text, mark, begin)) != std::string::npos; begin = at + 1)
    parts.push_back(trimmed(text.substr(begin, at - begin)));
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

Result<TryElement> parse_element(const std::string& text) {
  TryElement element;
  const size_t open = text.find('(');
  std::string name = trimmed(text.substr(0, open));
  if (open != std::string::npos && text.back() != ')')
    return usage("\"" + text + "\": \")\" is missing at its end");
  const size_t colon = name.find(':');
  if (colon != std::string::npos) {
    element.block = trimmed(name.substr(0, colon));
    name = trimmed(name.substr(colon + 1));
  }
  if (name.empty()) return usage("an element between two \"!\" is empty");
  if (name.find(' ') != std::string::npos) return usage("\"" + name + "\": elements are joined by \"!\"");
  element.name = name;
  if (open == std::string::npos) return element;
  const std::string inside = trimmed(text.substr(open + 1, text.size() - open - 2));
  if (inside.empty()) return element;
  for (const std::string& part : split(inside, ',')) {
    const size_t equals = find_outside(part, '=', 0);
    const bool named = equals != std::string::npos;
    element.fields.emplace_back(named ? trimmed(part.substr(0, equals)) : "",
                                named ? trimmed(part.substr(equals + 1)) : part);
    if (element.fields.back().second.empty()) return usage("\"" + text + "\": a value is missing");
  }
  return element;
}

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

Result<std::string> fields_text(const TryElement& element, const std::vector<const plait_field*>& fields) {
  std::string text;
  bool named = true;
  for (const auto& [name, value] : element.fields) {
    const plait_field* field = name.empty() ? field_without_name(fields) : find_field(fields, name);
    if (name.empty() && (!field || !named))
      return Status(Code::kInvalid,
                    fmt::format("try: {}: which field is {}? write FIELD={}", element.name, value, value));
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

Result<const TypeEntry*> find_type(const Registry& registry, const TryElement& element) {
  if (const TypeEntry* entry = registry.find(element.name)) return entry;
  std::vector<std::string> names;
  for (const auto& [id, entry] : registry.types()) names.insert(names.end(), {id, entry.short_name()});
  for (const CoreBlock& block : core_blocks()) names.push_back(block.name);
  const std::string near = did_you_mean(element.name, names);
  return {Code::kInvalid, fmt::format("try: \"{}\" is neither a plugin nor a pipeline file{}", element.name,
                                      near.empty() ? "" : "; did you mean \"" + near + "\"?")};
}

// A file as it grows: top-level fields in order.
class Draft {
 public:
  explicit Draft(const Registry& registry) : registry_(registry) {
    file_.kind = FormatNode::Kind::kMessage;
    file_.is_open = true;
  }

  // Everything but layers, and what reads layers by their names.
  Status begin_with(const std::string& path) {
    PLAIT_ASSIGN(const std::string text, SystemFiles().read(path));
    PLAIT_ASSIGN(file_, format_tree({path, text}));
    if (!file_.inner.empty()) file_.inner[0].before.clear();  // what the file says of itself
    std::erase_if(file_.inner, [](const FormatNode& node) { return node.name == "layer"; });
    for (FormatNode& node : file_.inner)
      if (node.name == "loss" || node.name == "metric")
        std::erase_if(node.inner, [](const FormatNode& field) { return field.name == "input"; });
    return {};
  }

  Status add(const TryElement& element) {
    const CoreBlock* own = element.block.empty() ? block_named(element.name) : nullptr;
    if (own && !registry_.find(element.name)) return add_core(element, *own);
    PLAIT_ASSIGN(const TypeEntry* entry, find_type(registry_, element));
    const CoreBlock* block =
        element.block.empty() ? block_of_kind(entry->type->kind) : block_named(element.block);
    if (!block || !block->plugin_kind || std::strcmp(block->plugin_kind, entry->type->kind) != 0)
      return {Code::kInvalid, fmt::format("try: {}: a {} does not go into \"{}\"", element.name,
                                          entry->type->kind, element.block)};
    const std::vector<const plait_field*> fields(entry->type->fields,
                                                 entry->type->fields + entry->type->n_fields);
    PLAIT_ASSIGN(const std::string inside, fields_text(element, fields));
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
  Status add_core(const TryElement& element, const CoreBlock& block) {
    PLAIT_ASSIGN(const std::string inside, fields_text(element, block.fields));
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
  // Layers stand together, before what reads them.
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
  FormatNode file_;
  std::set<std::string> added_;
  bool added_layer_ = false;
};

}  // namespace

Result<std::vector<TryElement>> parse_chain(const std::string& line) {
  std::vector<TryElement> elements;
  for (const std::string& part : split(line, '!')) {
    PLAIT_ASSIGN(TryElement element, parse_element(part));
    elements.push_back(std::move(element));
  }
  return elements;
}

std::string pipeline_named(const std::string& name) {
  std::error_code error;
  if (fs::is_regular_file(name, error)) return name;
  for (const std::string& folder : {std::string("pipelines"), share_path("pipelines")})
    for (const char* inner : {"/", "/data/"})
      if (const std::string path = folder + inner + name + ".txtpb"; fs::is_regular_file(path, error))
        return path;
  return "";
}

Result<std::string> pipeline_of(const Registry& registry, const std::vector<TryElement>& elements) {
  Draft draft(registry);
  const std::string file = elements[0].block.empty() ? pipeline_named(elements[0].name) : "";
  if (!file.empty()) PLAIT_TRY(draft.begin_with(file));
  for (size_t i = file.empty() ? 0 : 1; i < elements.size(); ++i) PLAIT_TRY(draft.add(elements[i]));
  return draft.text();
}

}  // namespace plait
