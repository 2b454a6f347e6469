// Values are read as protobuf's own parser of text format reads them: the same ones, and no others.
#include "pipeline/typed.h"

#include <doctest/doctest.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include "pipeline/check_names.h"
#include "pipeline/pipeline.pb.h"
#include "pipeline/reader.h"
#include "pipeline/test_plugins.h"

namespace plait::inline pipeline {
namespace {

const Schema& schema() {
  static const auto built = Schema::build(test_registry());
  return **built;
}

// A layer whose field wants an integer, a number, true or false, or a text, with `value` in it.
struct Kind {
  const char* type;
  const char* field;
  std::string text(const std::string& type_name, const std::string& value) const {
    return "layer { " + type_name + " { " + field + ": " + value + " } }";
  }
  std::string written(const std::string& value) const {
    return text(std::string(type).starts_with("acme.") ? "[" + std::string(type) + "]" : type, value);
  }
  // The same for a parser that knows the types by the schema's own names.
  std::string of_schema(const std::string& value) const {
    const auto* layer = schema().job()->FindFieldByName("layer")->message_type();
    const auto* plugin = schema().find(layer, type, false);
    return text("[" + plugin->full_name() + "]", value);
  }
};
// Knows the schema's extensions.
class Finder final : public pb::TextFormat::Finder {
 public:
  const pb::FieldDescriptor* FindExtension(pb::Message* message, const std::string& name) const override {
    for (const auto& [id, field] : schema().meaning(message->GetDescriptor()).plugins)
      if (field->full_name() == name) return field;
    return nullptr;
  }
  pb::MessageFactory* FindExtensionFactory(const pb::FieldDescriptor*) const override {
    return &schema().factory();
  }
};

const Kind kInteger{"convolution", "filters"}, kNumber{"acme.swish", "beta"}, kFlag{"acme.mask", "scaled"};

struct Typed {
  explicit Typed(const std::string& text) : reader({}, errors) {
    fields = check_names(schema(), schema().job(), reader.read_text("t.txtpb", text), errors);
    if (fields.size() == 1) block = std::make_unique<TypedBlock>(schema(), fields[0], errors);
  }
  Errors errors;
  Reader reader;
  std::vector<Field> fields;
  std::unique_ptr<TypedBlock> block;  // null: the text is no block at all
};

class Silent final : public pb::io::ErrorCollector {
 public:
  void AddError(int, pb::io::ColumnNumber, const std::string&) override {}
};

const char* const kWords[] = {"0",
                              "1",
                              "2",
                              "-1",
                              "- 1",
                              "--1",
                              "+1",
                              "007",
                              "-017",
                              "09",
                              "0x1f",
                              "-0x1F",
                              "0x",
                              "1.",
                              ".5",
                              "-.5",
                              "1.5",
                              "1.5f",
                              "1F",
                              "1e3",
                              "1E-3",
                              "1e+400",
                              "1e",
                              "1e-400",
                              "-1e-400",
                              "0.1",
                              "123456789012345678901234567890",
                              "inf",
                              "-inf",
                              "Infinity",
                              "nan",
                              "true",
                              "True",
                              "t",
                              "false",
                              "False",
                              "f",
                              "TRUE",
                              "yes",
                              "-true",
                              "9223372036854775807",
                              "9223372036854775808",
                              "-9223372036854775808",
                              "-9223372036854775809",
                              "\"1\"",
                              "'a' \"b\"",
                              "1.2.3",
                              "0.0",
                              "-0",
                              "00",
                              "00.5",
                              "0x1",
                              "01",
                              "0x2",
                              "0X",
                              "0.",
                              "0e1",
                              "1x",
                              "08.5",
                              "16777217",
                              "1e5f",
                              "infinityf",
                              "-nan"};

}  // namespace

TEST_CASE("what is a value, and which, is as protobuf has it") {
  for (const Kind& kind : {kInteger, kNumber, kFlag}) {
    for (const std::string word : kWords) {
      CAPTURE(kind.field);
      CAPTURE(word);
      const Typed typed(kind.written(word));
      const auto wanted = schema().make_job();
      pb::TextFormat::Parser parser;
      Silent silent;
      const Finder finder;
      parser.RecordErrorsTo(&silent);
      parser.SetFinder(&finder);
      const bool is_good = parser.ParseFromString(kind.of_schema(word), wanted.get());
      CHECK(typed.errors.any() == !is_good);
      if (!is_good || typed.errors.any()) continue;
      pb::util::MessageDifferencer same;
      same.set_float_comparison(pb::util::MessageDifferencer::EXACT);
      const bool is_nan = word.find("nan") != std::string::npos;
      CHECK((is_nan || same.Compare(*wanted, typed.block->message())));
    }
  }
}

TEST_CASE("texts follow each other, escapes and all") {
  const Typed typed("layer { name: \"a \" 'b\\x41' \"\\303\\274\" relu {} }");
  const auto wanted = schema().make_job();
  REQUIRE(pb::TextFormat::ParseFromString("layer { name: \"a bA\\303\\274\" }", wanted.get()));
  REQUIRE(typed.block != nullptr);
  CHECK(static_cast<const job::Pipeline&>(typed.block->message()).layer(0).name() ==
        static_cast<const job::Pipeline&>(*wanted).layer(0).name());
}

TEST_CASE("a value of another type is told with its place and left out, and the others stay") {
  const Typed typed("layer { convolution { filters: \"3\" kernel: [1, x, 5] stride: true } name: \"c\" }");
  const std::string told = typed.errors.status().message();
  REQUIRE(typed.block != nullptr);
  for (const char* part :
       {"t.txtpb:1:32: error: convolution: filters: 3 is written as a text, wanted without quotes",
        "t.txtpb:1:48: error: convolution: kernel: got \"x\", wanted an integer",
        "t.txtpb:1:62: error: convolution: stride: got \"true\", wanted an integer"})
    CHECK_MESSAGE(told.find(part) != std::string::npos, told);
  CHECK(typed.errors.count() == 3);
  const auto* layer = schema().job()->FindFieldByName("layer");
  const auto* convolution = schema().find(layer->message_type(), "convolution", false);
  const auto* kernel = convolution->message_type()->FindFieldByName("kernel");
  const WrittenFields& inside = *typed.block->tree().at(layer, 0).inside->at(convolution, 0).inside;
  CHECK(scalar_text(inside.at(kernel, 0).field->scalar) == "1");
  CHECK(scalar_text(inside.at(kernel, 1).field->scalar) == "5");
}

TEST_CASE("many mistakes in one block are told in one go") {
  std::string kernels;
  for (int i = 0; i < 100'000; ++i) kernels += " kernel: x";
  const Typed typed("layer { convolution {" + kernels + " } }");
  CHECK(typed.errors.is_full());
}

}  // namespace plait::inline pipeline
