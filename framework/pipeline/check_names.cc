#include "pipeline/check_names.h"

#include <algorithm>

#include "base/shown.h"
#include "pipeline/core_fields.h"
#include "pipeline/paths.h"

namespace plait::inline pipeline {
namespace {

std::string article(const std::string& word) {
  return (std::string("aeiou").find(word[0]) == std::string::npos ? "a " : "an ") + word;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

class NameCheck {
 public:
  NameCheck(const Schema& schema, const pb::Descriptor* message, Errors& errors, ReducerUse use)
      : schema_(schema), message_(message), meaning_(schema.meaning(message)), errors_(errors), use_(use) {}

  std::vector<Field> run(std::vector<Field> fields) {
    std::vector<Field> good;
    inside_ = reducer_use(message_, trains(fields));
    for (Field& field : fields) {
      if (errors_.is_full()) break;
      if (field.is_unresolved()) {
        errors_.left_out(field.name.place);
        continue;
      }
      const auto* descriptor = schema_.find(message_, field.name.text, field.bracketed);
      if (descriptor == nullptr)
        report_unknown(schema_, message_, field.name.text, field.name.place, errors_, use_);
      else if (may_stand(field, descriptor) && adapt(field, descriptor))
        good.push_back(std::move(field));
    }
    return good;
  }

 private:
  static bool trains(const std::vector<Field>& fields) {
    return std::ranges::any_of(fields, [](const Field& field) { return field.name.text == "train"; });
  }

  bool fail(const Place& place, const std::string& message, const std::string& hint = "") {
    errors_.add(place, message, hint);
    return false;
  }

  // Once only, and one plugin only.
  bool may_stand(const Field& field, const pb::FieldDescriptor* descriptor) {
    const FieldMeaning& meaning = schema_.meaning(descriptor);
    const auto [first, is_first] = seen_.emplace(descriptor, field.name.place);
    if (!is_first && !descriptor->is_repeated() && field.in_list)
      return fail(scalar_place(field), "\"" + meaning.written + "\" takes one value, not a list");
    if (!is_first && !descriptor->is_repeated()) {
      const std::string of = message_ == schema_.job() ? "" : " in " + meaning_.title;
      return fail(field.name.place, "\"" + meaning.written + "\" is written twice" + of,
                  "first at " + location_of(first->second).text());
    }
    if (meaning.plugin == nullptr) return true;
    if (plugin_ == nullptr) plugin_ = descriptor;
    if (plugin_ == descriptor) return true;
    return fail(field.name.place, "\"" + meaning.written + "\" is a second " + meaning_.plugin_kind +
                                      " besides \"" + schema_.meaning(plugin_).written +
                                      "\"; only one is wanted here");
  }

  bool adapt(Field& field, const pb::FieldDescriptor* descriptor) {
    const FieldMeaning& meaning = schema_.meaning(descriptor);
    if (descriptor->type() != pb::FieldDescriptor::TYPE_MESSAGE)
      return adapt_scalar(field, descriptor, meaning);
    if (!field.is_message)
      return fail(scalar_place(field),
                  "\"" + meaning.written + "\" wants { ... }, got " + scalar_text(field.scalar),
                  "as in: " + meaning.written + " { }");
    field.fields =
        check_names(schema_, descriptor->message_type(), std::move(field.fields), errors_, inside_);
    return true;
  }

  bool adapt_scalar(Field& field, const pb::FieldDescriptor* descriptor, const FieldMeaning& meaning) {
    const std::string hint = describe(*meaning.field);
    if (field.is_message)
      return fail(field.name.place, "\"" + meaning.written + "\" wants a value, got { ... }", hint);
    if (descriptor->type() != pb::FieldDescriptor::TYPE_STRING &&
        descriptor->type() != pb::FieldDescriptor::TYPE_ENUM)
      return true;
    if (!is_good_text(field, meaning)) return false;
    const SourceText* const writer = writer_of(field.scalar);
    if (!as_text(field, meaning, hint)) return false;
    if (meaning.field->flags & PLAIT_FIELD_PATH) make_absolute(field, writer);
    return true;
  }

  bool as_text(Field& field, const FieldMeaning& meaning, const std::string& hint) {
    Token& token = field.scalar.front();
    const bool may_be_bare = meaning.field->kind == PLAIT_FIELD_ENUM && token.kind == Token::Kind::kName;
    if (token.from_variable || field.scalar.back().from_variable || may_be_bare) {
      if (token.kind != Token::Kind::kString) token.text = quote(scalar_text(field.scalar));
      token.kind = Token::Kind::kString;
      field.scalar.resize(1);
      return true;
    }
    if (token.kind == Token::Kind::kString) return true;
    const std::string got = scalar_text(field.scalar);
    return fail(scalar_place(field),
                "\"" + meaning.written + "\" of " + meaning_.title + " wants a text in quotes, got " + got,
                "write " + meaning.written + ": " + quote(got) + "  " + hint);
  }

  // Names and paths are one line. Texts of plugins may have several.
  bool is_good_text(const Field& field, const FieldMeaning& meaning) {
    const bool one_line = is_core_field(*meaning.field) || (meaning.field->flags & PLAIT_FIELD_PATH);
    const Unprintable bad =
        find_unprintable(scalar_text(field.scalar), one_line ? Blanks::kNone : Blanks::kText);
    return !bad ||
           fail(scalar_place(field), "\"" + meaning.written + "\" of " + meaning_.title +
                                         " is printable text in UTF-8, of one line; got a " + bad.what);
  }

  static void make_absolute(Field& field, const SourceText* writer) {
    Token& token = field.scalar.front();
    token.text = quote(absolute_path(scalar_text(field.scalar), writer));
    field.scalar.resize(1);
  }

  const Schema& schema_;
  const pb::Descriptor* message_;
  const MessageMeaning& meaning_;
  Errors& errors_;
  const ReducerUse use_;                  // of this block, where it is one of a reducer
  ReducerUse inside_ = ReducerUse::kAny;  // of those inside it
  std::map<const pb::FieldDescriptor*, Place> seen_;
  const pb::FieldDescriptor* plugin_ = nullptr;
};

// What is to be known of something that was perhaps meant.
std::string hint_for(const FieldMeaning& meaning) {
  const std::string text = "did you mean \"" + meaning.written + "\"? ";
  if (meaning.field) return text + describe(*meaning.field);
  return text + "(" + (meaning.plugin ? meaning.plugin->type->doc : meaning.block->doc) + ")";
}

// Names that can be written in `message`.
std::vector<std::string> fitting_names(const Schema& schema, const pb::Descriptor* message, ReducerUse use) {
  auto names = schema.names_in(message);
  const auto is_of_other_use = [&](const auto& entry) {
    const FieldMeaning& meaning = schema.meaning(entry.second);
    return meaning.plugin != nullptr && !fits(*meaning.plugin, use);
  };
  for (const auto& entry : schema.meaning(message).plugins)
    if (is_of_other_use(entry)) std::erase(names, schema.meaning(entry.second).written);
  return names;
}

std::string list_hint(const Schema& schema, const pb::Descriptor* message, ReducerUse use) {
  const auto names = fitting_names(schema, message, use);
  return names.empty() ? schema.meaning(message).title + " has no fields" : "possible here: " + joined(names);
}

std::string plugins_hint(const Schema& schema, const MessageMeaning& meaning, ReducerUse use) {
  std::vector<std::string> names;
  for (const auto& entry : meaning.plugins)
    if (const FieldMeaning& one = schema.meaning(entry.second);
        one.plugin == nullptr || fits(*one.plugin, use))
      names.push_back(one.written);
  return "possible here: " + joined(names);
}

struct Word {
  const char* name;
  std::string hint;
};

// What may be beside the fields of a message, and has been taken out where it was written right.
std::vector<Word> other_words(const Schema& schema, const pb::Descriptor* message, bool in_repeat) {
  std::vector<Word> words = {{"repeat", "(as in: repeat { count: 3 as: \"i\" ... })"}};
  if (message == schema.job()) {
    words.push_back({"var", "(as in: var { name: \"width\" value: 64 })"});
    words.push_back({"include", "(as in: include: \"network.txtpb\")"});
    words.push_back({"set", "(as in: set: \"train.shards=4\")"});
  }
  if (!in_repeat) return words;
  for (const plait_field* own : core_repeat()) words.push_back({own->name, "of repeat " + describe(*own)});
  return words;
}

std::string suggestion(const Schema& schema, const pb::Descriptor* message, const std::string& name,
                       bool in_repeat, ReducerUse use) {
  auto names = fitting_names(schema, message, use);
  for (std::string& candidate : names)
    if (candidate[0] == '[') candidate = candidate.substr(1, candidate.size() - 2);
  const std::vector<Word> others = other_words(schema, message, in_repeat);
  for (const Word& word : others) names.push_back(word.name);
  const std::string near = name == "repeat" ? name : did_you_mean(name, names);
  if (near.empty()) return list_hint(schema, message, use);
  for (const Word& word : others)
    if (near == word.name) return "did you mean \"" + near + "\"? " + word.hint;
  return hint_for(schema.meaning(schema.find(message, near, false)));
}

// A type that nobody defines may be in a library that did not load.
std::string failures_hint(const Registry& registry) {
  std::string text;
  for (const PluginFailure& failure : registry.failures())
    text += "\n    not loaded: " + failure.path + ": " + failure.reason.message();
  return text;
}

}  // namespace

std::vector<Field> check_names(const Schema& schema, const pb::Descriptor* message, std::vector<Field> fields,
                               Errors& errors, ReducerUse use) {
  return NameCheck(schema, message, errors, use).run(std::move(fields));
}

namespace {

// The kinds of which there is a type of this name: "a layer and an augmenter".
std::string kinds_text(const std::vector<const TypeEntry*>& entries) {
  std::string text;
  for (const TypeEntry* entry : entries) text += (text.empty() ? "" : " and ") + article(entry->type->kind);
  return text;
}

// "stage { ... combiner { name { } } }"
std::string in_its_block(const TypeEntry& entry, const std::string& name) {
  const std::vector<std::string> blocks = blocks_of(entry.type->kind);
  std::string text = name + " { }";
  for (size_t i = blocks.size(); i-- > 0;)
    text = blocks[i] + " { " + (i == 0 && blocks.size() > 1 ? "... " : "") + text + " }";
  return text;
}

}  // namespace

void report_unknown(const Schema& schema, const pb::Descriptor* message, const std::string& name,
                    const Place& place, Errors& errors, ReducerUse use) {
  const MessageMeaning& meaning = schema.meaning(message);
  const std::string quoted_name = "\"" + name + "\"";
  const std::vector<const TypeEntry*> others = schema.registry().named(name);
  if (meaning.plugin_kind == nullptr) {
    const std::string what = message == schema.job()
                                 ? "unknown field " + quoted_name
                                 : "unknown field " + quoted_name + " of " + meaning.title;
    const std::string hint =
        !others.empty() && message == schema.job()
            ? quoted_name + " is " + kinds_text(others) +
                  " and is written inside a block, as in: " + in_its_block(*others[0], name)
            : suggestion(schema, message, name, place.iteration != nullptr, use);
    return errors.add(place, what, hint);
  }
  const std::string kind = meaning.plugin_kind;
  if (!others.empty() && schema.registry().find(kind, name) == nullptr)
    return errors.add(place, quoted_name + " is " + kinds_text(others) + ", not " + article(kind),
                      plugins_hint(schema, meaning, use));
  const std::string own = meaning.fields.empty() ? "" : " or field of \"" + meaning.title + "\":";
  const std::string provider = schema.registry().who_would_provide(kind, name);
  const std::string hint =
      suggestion(schema, message, name, place.iteration != nullptr, use) + failures_hint(schema.registry());
  errors.add(place, "unknown " + kind + own + " " + quoted_name, provider.empty() ? hint : provider);
}

}  // namespace plait::inline pipeline
