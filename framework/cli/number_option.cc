#include "cli/number_option.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/shown.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

// Boost names the option in what it is given: "--threads".
class NumberError : public po::error_with_option_name {
 public:
  NumberError(const std::string& got, const std::string& wanted)
      : po::error_with_option_name("%canonical_option%: got \"%got%\", wanted %wanted%") {
    m_substitutions["got"] = shown(got);
    m_substitutions["wanted"] = wanted;
  }
};

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class Number>
class NumberValue : public po::typed_value<Number> {
 public:
  using IsWanted = bool (*)(Number number, Number low, Number high);
  NumberValue(Number low, Number high, IsWanted is_wanted, std::string wanted)
      : po::typed_value<Number>(nullptr),
        low_(low),
        high_(high),
        is_wanted_(is_wanted),
        wanted_(std::move(wanted)) {}

  void xparse(boost::any& store, const std::vector<std::string>& words) const override {
    const std::string& text = po::validators::get_single_string(words);
    const std::optional<Number> number = number_in<Number>(text);
    if (!number || !is_wanted_(*number, low_, high_)) throw NumberError(text, wanted_);
    store = *number;
  }

 private:
  const Number low_, high_;
  const IsWanted is_wanted_;
  const std::string wanted_;
};

// Not true of NaN.
template <class Number>
bool is_within(Number number, Number low, Number high) {
  return low <= number && number <= high;
}

bool is_above(double number, double low, double high) { return low < number && number <= high; }

template <class Number>
po::typed_value<Number>* whole(Number least, Number most) {
  return new NumberValue<Number>(least, most, is_within,
                                 fmt::format("a whole number from {} to {}", least, most));
}

}  // namespace

po::typed_value<int>* whole_number(int least, int most) { return whole(least, most); }
po::typed_value<int64_t>* whole_number(int64_t least, int64_t most) { return whole(least, most); }
po::typed_value<uint64_t>* any_seed() { return whole(uint64_t{0}, std::numeric_limits<uint64_t>::max()); }

po::typed_value<double>* number_from(double least, double most) {
  return new NumberValue<double>(least, most, is_within,
                                 fmt::format("a number from {:g} to {:g}", least, most));
}

po::typed_value<double>* number_above(double bound, double most) {
  return new NumberValue<double>(bound, most, is_above,
                                 fmt::format("a number above {:g}, at most {:g}", bound, most));
}

}  // namespace plait::inline cli
