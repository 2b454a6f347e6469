#include "cli/number_option.h"

#include <doctest/doctest.h>

#include <string>
#include <typeinfo>
#include <vector>

#include "cli/command.h"

namespace plait::inline cli {
namespace {

namespace po = boost::program_options;

// What a command line is refused with; "" where it is not.
std::string refusal(const po::options_description& options, const std::string& word,
                    po::variables_map& given) {
  try {
    po::store(po::command_line_parser({word}).options(options).run(), given);
  } catch (const po::error& e) {
    return e.what();
  }
  return "";
}

struct OneOption {
  po::options_description options;
  po::variables_map given;
  explicit OneOption(const po::value_semantic* value) { options.add_options()("n", value, "a number"); }
  std::string refused(const std::string& text) { return refusal(options, "--n=" + text, given); }
};

TEST_CASE("whole numbers are taken within their range") {
  for (const std::string text : {"1", "+1", "7", "10"}) {
    OneOption n(whole_number(1, 10));
    CHECK(n.refused(text) == "");
    CHECK(n.given["n"].as<int>() == std::stoi(text));
  }
  for (const std::string text :
       {"0", "11", "-1", "99999999999", "1e1", "1.0", "+", "+-1", "1x", " 1", "0x1"}) {
    CAPTURE(text);
    OneOption n(whole_number(1, 10));
    CHECK(n.refused(text) == "--n: got \"" + text + "\", wanted a whole number from 1 to 10");
  }
  OneOption wide(whole_number(int64_t{0}, kMostSteps));
  CHECK(wide.refused("9007199254740993").find("from 0 to 9007199254740992") != std::string::npos);
  OneOption seed(any_seed());
  CHECK(seed.refused("-1") == "--n: got \"-1\", wanted a whole number from 0 to 18446744073709551615");
}

TEST_CASE("numbers are taken within their range, and none of them is infinite or not a number") {
  for (const std::string text : {"0", "0.5", "1e3", "1000"}) {
    OneOption n(number_from(0, 1000));
    CHECK(n.refused(text) == "");
    CHECK(n.given["n"].as<double>() == std::stod(text));
  }
  for (const std::string text : {"-0.1", "1001", "1e400", "inf", "nan", "x"}) {
    OneOption n(number_from(0, 1000));
    CHECK(n.refused(text) == "--n: got \"" + text + "\", wanted a number from 0 to 1000");
  }
  OneOption n(number_above(0, 60));
  CHECK(n.refused("0") == "--n: got \"0\", wanted a number above 0, at most 60");
  CHECK(n.refused("1e-9") == "");
}

TEST_CASE("a default is not asked, and what is got is shown as one line") {
  OneOption n(whole_number(1, 10)->default_value(0));
  po::store(po::command_line_parser(std::vector<std::string>()).options(n.options).run(), n.given);
  CHECK(n.given["n"].as<int>() == 0);
  CHECK(OneOption(whole_number(1, 2)).refused("\x1b[31m").find('\x1b') == std::string::npos);
}

TEST_CASE("every option of every command that is a number says its range") {
  int found = 0;
  for (const Command& command : all_commands())
    for (const auto& option : command.options.options()) {
      const auto* value = dynamic_cast<const po::typed_value_base*>(option->semantic().get());
      if (value == nullptr || value->value_type() == typeid(std::string) ||
          value->value_type() == typeid(bool) || value->value_type() == typeid(std::vector<std::string>))
        continue;
      CAPTURE(command.name);
      CAPTURE(option->long_name());
      po::variables_map given;
      const std::string said = refusal(command.options, "--" + option->long_name() + "=-1e400", given);
      CHECK(said.starts_with("--" + option->long_name() + ": got \"-1e400\", wanted a "));
      CHECK(said.find_first_of("0123456789", said.find("wanted")) != std::string::npos);
      ++found;
    }
  CHECK(found >= 20);
}

}  // namespace
}  // namespace plait::inline cli
