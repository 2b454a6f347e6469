#include "pipeline/overrides.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipeline/block_index.h"

namespace plait::inline pipeline {
namespace {

constexpr size_t kMaxNames = 40;                 // in a hint
constexpr size_t kMostLooked = size_t{1} << 24;  // fields of blocks, of all changes together

// "layer[c1]" or "[acme.swish]" of a path.
struct Segment {
  std::string name;
  bool bracketed = false;
  std::optional<std::string> selector;
  Place place;
  Place selector_place;
};

struct Override {
  std::vector<Segment> path;
  bool append = false;
  size_t value = 0;  // where the value begins in the text
};

// Reads "a.b[c].[d.e]" up to "=", "+=" or the end.
class PathReader {
 public:
  PathReader(const SourceText& source, Errors& errors)
      : source_(source), text_(source.text), errors_(errors) {}

  bool run(Override& out) {
    do {
      Segment segment;
      if (!read(segment)) return false;
      out.path.push_back(segment);
    } while (accept('.'));
    out.append = accept('+');
    const bool has_value = accept('=');
    out.value = at_;
    if (out.append ? has_value : has_value || at_ == text_.size()) return true;
    return fail("expected \".\", \"=\" or \"+=\"");
  }

 private:
  bool accept(char c) { return at_ < text_.size() && text_[at_] == c && (++at_, true); }
  bool fail(const std::string& message) {
    errors_.add({&source_, at_, 1}, message,
                "as in: --set train.shards=4, --set 'layer[name].type.field=64'");
    return false;
  }

  bool read(Segment& segment) {
    const size_t begin = at_;
    segment.bracketed = accept('[');
    const char* end_marks = segment.bracketed ? "]=" : ".[=+] ";
    segment.name = text_.substr(at_, std::min(text_.find_first_of(end_marks, at_), text_.size()) - at_);
    segment.place = {&source_, begin, segment.name.size() + 2 * segment.bracketed};
    at_ += segment.name.size();
    if (segment.name.empty()) return fail("expected the name of a field");
    if (segment.bracketed) return accept(']') || fail("\"]\" is missing");
    return !accept('[') || selector(segment);
  }

  bool selector(Segment& segment) {
    const size_t end = text_.find(']', at_);
    if (end == std::string::npos) return fail("\"]\" is missing");
    segment.selector = text_.substr(at_, end - at_);
    if (is_string(*segment.selector)) segment.selector = unquote(*segment.selector);
    segment.selector_place = {&source_, at_, end - at_};
    at_ = end + 1;
    return true;
  }

  const SourceText& source_;
  const std::string& text_;
  Errors& errors_;
  size_t at_ = 0;
};

class Editor {
 public:
  Editor(const Schema& schema, Variables& variables, std::vector<Field>& fields, Errors& errors)
      : schema_(schema), variables_(variables), fields_(fields), index_(schema, fields), errors_(errors) {}

  void set(const SourceText& source) {
    Override change;
    if (!PathReader(source, errors_).run(change)) return;
    if (change.value == 0 || source.text[change.value - 1] != '=')
      return errors_.add({&source, source.text.size(), 1}, "\"=\" and a value are missing");
    if (!may_change(change.path.front())) return;
    index_.settle();
    std::vector<Field>* place = &fields_;
    const pb::Descriptor* message = schema_.job();
    use_ = ReducerUse::kAny;
    for (size_t i = 0; i + 1 < change.path.size(); ++i)
      if (!descend(change.path[i], place, message)) return;
    assign(source, change, *place, message);
    if (block_ && change.path.size() == 2) index_.renamed(block_field_, *block_);
  }

  void remove(const SourceText& source) {
    Override change;
    if (!PathReader(source, errors_).run(change)) return;
    if (change.value != source.text.size() || source.text.back() == '=')
      return errors_.add({&source, change.value, 1}, "--del takes a path without a value");
    if (!may_change(change.path.front())) return;
    std::vector<Field>* place = &fields_;
    const pb::Descriptor* message = schema_.job();
    use_ = ReducerUse::kAny;
    for (size_t i = 0; i + 1 < change.path.size(); ++i)
      if (!descend(change.path[i], place, message)) return;
    const Segment& last = change.path.back();
    const pb::FieldDescriptor* field = find(last, message);
    if (field == nullptr) return;
    const std::vector<size_t> found = select(last, field, *place, message);
    if (found.empty() && !last.selector)
      errors_.add(last.place, "the job does not write \"" + last.name + "\"");
    if (found.empty()) return;
    if (place == &fields_) return index_.remove(field, found);
    replace_fields(*place, found, {});
    if (change.path.size() == 2) index_.renamed(block_field_, *block_);
  }

 private:
  bool may_change(const Segment& first) {
    if (looked_ > kMostLooked) {
      if (!std::exchange(is_told_, true))
        errors_.add(first.place,
                    "the changes before this one have looked at " + std::to_string(looked_) +
                        " fields within blocks, wanted at most " + std::to_string(kMostLooked),
                    "write the values in the blocks themselves");
      return false;
    }
    if (first.bracketed || (first.name != "plugin" && first.name != "plugin_path")) return true;
    errors_.add(first.place, "\"" + first.name + "\" is read before any change of the job",
                first.name == "plugin" ? "say --plugin FILE, or write it in the file"
                                       : "say --plugin FOLDER, or write it in the file");
    return false;
  }

  const pb::FieldDescriptor* find(const Segment& segment, const pb::Descriptor* message) {
    const auto* field = schema_.find(message, segment.name, segment.bracketed);
    if (field == nullptr && segment.name == "repeat")
      errors_.add(segment.place, "what a repeat makes is changed, not the repeat",
                  "as in: --set 'layer[c2].frozen=true'; for its count: count: $depth, and --var depth=5");
    else if (field == nullptr && !segment.bracketed && begins_an_id(segment.name))
      errors_.add(segment.place, "unknown field \"" + segment.name + "\"",
                  "the whole id of a type is in brackets: [" + segment.name + ".NAME]");
    else if (field == nullptr)
      report_unknown(schema_, message, segment.name, segment.place, errors_, use_);
    return field;
  }

  // "acme" where there is a type acme.swish.
  bool begins_an_id(const std::string& word) const {
    return std::ranges::any_of(schema_.registry().types(),
                               [&](const auto& one) { return one.first.id.starts_with(word + "."); });
  }

  // Places of the fields that a segment means. Errors: a selector that selects nothing.
  std::vector<size_t> select(const Segment& segment, const pb::FieldDescriptor* wanted,
                             const std::vector<Field>& fields, const pb::Descriptor* message) {
    const bool is_job = &fields == &fields_;
    const std::vector<size_t> all = is_job ? std::vector<size_t>() : places_of(wanted, fields, message);
    if (!segment.selector) return is_job ? index_.all(wanted) : all;
    const std::vector<size_t> chosen =
        is_job ? index_.select(wanted, *segment.selector) : chosen_of(all, fields, *segment.selector);
    if (chosen.empty()) not_called(segment, is_job ? index_.all(wanted) : all, fields);
    return chosen;
  }

  std::vector<size_t> places_of(const pb::FieldDescriptor* wanted, const std::vector<Field>& fields,
                                const pb::Descriptor* message) {
    looked_ += fields.size();
    std::vector<size_t> all;
    const Token* last = nullptr;  // most lists are of one name
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field& one = fields[i];
      const bool is_known = last != nullptr && last->text == one.name.text && !one.bracketed;
      if (!is_known && schema_.find(message, one.name.text, one.bracketed) != wanted) continue;
      all.push_back(i);
      if (!one.bracketed) last = &one.name;
    }
    return all;
  }

  static std::vector<size_t> chosen_of(const std::vector<size_t>& all, const std::vector<Field>& fields,
                                       const std::string& selector) {
    std::vector<size_t> chosen;
    const std::optional<size_t> number = number_of_block(selector);
    for (size_t i = 0; i < all.size(); ++i)
      if (i == number || fields[all[i]].text_of("name") == selector) chosen.push_back(all[i]);
    return chosen;
  }

  void not_called(const Segment& segment, const std::vector<size_t>& all, const std::vector<Field>& fields) {
    std::vector<std::string> names;
    for (const size_t i : all) names.push_back(fields[i].text_of("name"));
    const std::string near = did_you_mean(*segment.selector, names);
    std::string hint = near.empty() ? "there are:" : "did you mean \"" + near + "\"?";
    for (size_t i = 0; near.empty() && i < std::min(names.size(), kMaxNames); ++i)
      hint += " " + (names[i].empty() ? std::to_string(i) : names[i]);
    if (near.empty() && names.size() > kMaxNames) hint += " ...";
    errors_.add(segment.selector_place, "no " + segment.name + " is called \"" + *segment.selector + "\"",
                names.empty() ? "the job has no " + segment.name : hint);
  }

  // Goes into a message, which is made when it is not there.
  bool descend(const Segment& segment, std::vector<Field>*& fields, const pb::Descriptor*& message) {
    const pb::FieldDescriptor* field = find(segment, message);
    if (field == nullptr) return false;
    if (field->type() != pb::FieldDescriptor::TYPE_MESSAGE)
      return errors_.add(segment.place, "\"" + segment.name + "\" is a value and has no fields"), false;
    const std::vector<size_t> found = select(segment, field, *fields, message);
    if (found.empty() && segment.selector) return false;
    if (found.size() > 1)
      return errors_.add(segment.place,
                         std::to_string(found.size()) + " blocks \"" + segment.name + "\": say which",
                         "as in: " + segment.name + "[name] or " + segment.name + "[0]"),
             false;
    if (found.empty() && !make(segment, field, *fields, message)) return false;
    const size_t at = found.empty() ? fields->size() - 1 : found[0];
    if (fields == &fields_) {
      block_ = at, block_field_ = field;
      use_ = reducer_use(message, true);  // of a job, whatever it writes
    } else {
      const auto is_train = [](const Field& one) { return one.name.text == "train"; };
      looked_ += fields->size();
      use_ = reducer_use(message, std::ranges::any_of(*fields, is_train));
    }
    Field& into = (*fields)[at];
    fields = &into.fields;
    message = field->message_type();
    return true;
  }

  bool make(const Segment& segment, const pb::FieldDescriptor* field, std::vector<Field>& fields,
            const pb::Descriptor* message) {
    const bool is_plugin = schema_.meaning(field).plugin != nullptr;
    for (size_t i = 0; is_plugin && i < fields.size(); ++i) {
      const Field& other = fields[i];
      const auto* written = schema_.find(message, other.name.text, other.bracketed);
      if (written && schema_.meaning(written).plugin)
        return errors_.add(segment.place,
                           "the job writes \"" + other.name.text + "\" here, not \"" + segment.name + "\"",
                           "replace the whole block, as in: --set 'optimizer=" + segment.name + "{ }'"),
               false;
    }
    Field made;
    made.name = {Token::Kind::kName, segment.name, segment.place, false, false};
    made.bracketed = segment.bracketed;
    made.is_message = true;
    fields.push_back(std::move(made));
    return true;
  }

  void assign(const SourceText& source, const Override& change, std::vector<Field>& fields,
              const pb::Descriptor* message) {
    const Segment& last = change.path.back();
    const pb::FieldDescriptor* field = find(last, message);
    if (field == nullptr) return;
    if (change.append && !field->is_repeated())
      return errors_.add(last.place, "\"" + last.name + "\" takes one value: write = instead of +=");
    std::vector<Field> made;
    if (!read_value(source, change, field, made)) return;
    std::vector<size_t> found;
    if (!change.append) found = select(last, field, fields, message);
    if (!change.append && last.selector && found.empty()) return;
    if (!change.append && field->message_type() && made.size() < found.size() && !last.selector)
      return errors_.add(last.place,
                         std::to_string(found.size()) + " blocks \"" + last.name + "\": say which",
                         "as in: " + last.name + "[name]=..., or += to add one");
    if (&fields != &fields_) return replace_fields(fields, found, std::move(made));
    index_.replace(found, std::move(made));
    if (found.size() == 1) index_.renamed(field, found[0]);
  }

  bool read_value(const SourceText& source, const Override& change, const pb::FieldDescriptor* field,
                  std::vector<Field>& made) {
    const Segment& last = change.path.back();
    const size_t before = errors_.count();
    std::vector<Token> tokens = value_tokens(source, change, field);
    if (errors_.count() > before) return false;
    Token name{Token::Kind::kName, last.name, last.place, true, false};
    Token colon{Token::Kind::kSymbol, ":", last.place, false, false};
    tokens.insert(tokens.begin(), {name, colon});
    made = parse_fields(tokens, errors_);
    if (errors_.count() == before && (made.empty() || made.back().name.text != last.name))
      errors_.add({&source, change.value, 1}, "one value for \"" + last.name + "\" is wanted");
    variables_.substitute(made, errors_);
    for (Field& one : made) one.bracketed = last.bracketed;
    return errors_.count() == before;
  }

  // The words of the value, made complete: text without quotes, "adam{rate:0.1}" for "{ adam { rate: 0.1 }
  // }".
  std::vector<Token> value_tokens(const SourceText& source, const Override& change,
                                  const pb::FieldDescriptor* field) {
    const size_t begin = std::min(source.text.find_first_not_of(" \t", change.value), source.text.size());
    const std::string value = source.text.substr(begin);
    if (value.empty() && field->type() != pb::FieldDescriptor::TYPE_STRING)
      errors_.add({&source, begin, 1}, "a value for \"" + change.path.back().name + "\" is missing");
    const Place all{&source, begin, std::max<size_t>(value.size(), 1)};
    if (field->type() == pb::FieldDescriptor::TYPE_STRING && !is_string(value) &&
        (value.empty() || value[0] != '['))
      return {{Token::Kind::kString, quote(value), all, false, false},
              {Token::Kind::kEnd, "", all, false, false}};
    std::vector<Token> tokens = lex_from(source, begin);
    if (field->type() != pb::FieldDescriptor::TYPE_MESSAGE || tokens.size() < 2 || tokens[0].is("{"))
      return tokens;
    const bool lone = tokens.size() == 2 || tokens[tokens.size() - 2].is("]");
    const auto symbol = [&](const char* text) {
      return Token{Token::Kind::kSymbol, text, all, false, false};
    };
    if (lone) tokens.insert(tokens.end() - 1, {symbol("{"), symbol("}")});
    tokens.insert(tokens.begin(), symbol("{"));
    tokens.insert(tokens.end() - 1, symbol("}"));
    return tokens;
  }

  std::vector<Token> lex_from(const SourceText& source, size_t begin) {
    std::vector<Token> tokens;
    for (Token& token : lex(source, errors_))
      if (token.place.offset >= begin) {
        token.from_variable = true;  // in a shell nobody likes to write quotes
        tokens.push_back(std::move(token));
      }
    return tokens;
  }

  const Schema& schema_;
  Variables& variables_;
  std::vector<Field>& fields_;  // of the job
  BlockIndex index_;
  Errors& errors_;
  size_t looked_ = 0;
  bool is_told_ = false;                              // that it is too much
  std::optional<size_t> block_;                       // of the job, that a path has gone into
  const pb::FieldDescriptor* block_field_ = nullptr;  // of block_
  ReducerUse use_ = ReducerUse::kAny;                 // of the block that a path has come to
};

}  // namespace

void apply_overrides(const Schema& schema, const std::vector<JobChange>& changes, Variables& variables,
                     std::deque<SourceText>& texts, std::vector<Field>& fields, Errors& errors) {
  Editor editor(schema, variables, fields, errors);
  variables.take_back_given();
  for (const JobChange& change : changes) {
    if (errors.is_full()) return;  // as many as are told
    const size_t equals = std::min(change.text.find('='), change.text.size());
    switch (change.kind) {
      case JobChange::Kind::kSet:
        editor.set(texts.emplace_back(SourceText{change.from.empty() ? "--set" : change.from, change.text}));
        break;
      case JobChange::Kind::kDelete:
        editor.remove(texts.emplace_back(SourceText{"--del", change.text}));
        break;
      case JobChange::Kind::kVariable:
        variables.give(change.text.substr(0, equals),
                       change.text.substr(std::min(equals + 1, change.text.size())));
        break;
    }
  }
}

}  // namespace plait::inline pipeline
