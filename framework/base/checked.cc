#include "base/checked.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace plait::inline base {

Status check_bytes(const std::string& what, uint64_t bytes) {
  if (bytes <= kMostBytes) return {};
  return {Code::kInvalid, fmt::format("{} {:.1f} TiB, more than any memory holds", what,
                                      static_cast<double>(bytes) / 0x1p40)};
}

Result<int64_t> checked_product(const std::string& what, const std::string& unit,
                                std::initializer_list<int64_t> factors) {
  int64_t product = 1;
  bool fits = true;
  for (int64_t factor : factors) fits = fits && !__builtin_mul_overflow(product, factor, &product);
  if (fits) return product;
  std::vector<int64_t> told;  // without the ones, which say nothing
  std::ranges::copy_if(factors, std::back_inserter(told), [](int64_t factor) { return factor != 1; });
  return Status(Code::kInvalid,
                fmt::format("{}: {} {} are more than 64 bits count", what, fmt::join(told, " x "), unit));
}

}  // namespace plait::inline base
