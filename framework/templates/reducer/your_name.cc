// A reducer: the mean of the shards without the largest and smallest of each weight.
// Source: Yin, Chen, Ramchandran, Bartlett 2018, "Byzantine-robust distributed learning".
#include <plait/sdk.hpp>

#include <algorithm>
#include <vector>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  int64_t trim = 1;

  static void describe(Describe<YourName>& d) {
    d.doc("mean of the shards without the extremes, element by element");
    d.field("trim", &YourName::trim).doc("shards left out at each end, as long as one is left").range(0, 1e6);
  }

  void combine(Context& c, std::span<const float* const> deltas, Out combined) const {
    const size_t shards = deltas.size(), cut = std::min(static_cast<size_t>(trim), (shards - 1) / 2);
    c.parallel_for(combined.size(), [&](uint64_t begin, uint64_t end) {
      std::vector<float> column(shards);
      for (uint64_t i = begin; i < end; ++i) {
        for (size_t k = 0; k < shards; ++k) {
          column[k] = deltas[k][i];
          if (column[k] != column[k]) throw NumericError("shard ", k, " has a NaN in its delta");
        }
        std::sort(column.begin(), column.end());
        double sum = 0;
        for (size_t k = cut; k < shards - cut; ++k) sum += column[k];
        combined[i] = static_cast<float>(sum / static_cast<double>(shards - 2 * cut));
      }
    });
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             reducer<your_vendor::YourName>("your_vendor.your_name"));
