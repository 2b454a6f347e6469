// One of several augmenters, drawn for each sample.
#include <plait/sample_chain.hpp>

#include <algorithm>

using namespace plait::sdk;

namespace {

struct OneOf {
  static constexpr bool two_axes = true;  // whether its augmenters take them is asked of these

  std::vector<Child<Augmenter>> augmenter;
  std::vector<double> weight;
  double p = 1;

  static void describe(Describe<OneOf>& d) {
    d.doc("applies one of its augmenters, drawn for each sample");
    d.details(
        "Parts: every augmenter must make the same parts of those that go in; with p below 1, those "
        "themselves.");
    d.field("augmenter", &OneOf::augmenter).doc("one of these is applied");
    d.field("weight", &OneOf::weight).doc("how often, against the others; none: all alike").range(0, 1e9);
    d.field("p", &OneOf::p).doc("chance that any is applied").range(0, 1);
  }
  void validate() const {
    if (augmenter.empty()) throw Error("one_of has no augmenter to choose from");
    if (!weight.empty() && weight.size() != augmenter.size()) {
      throw Error("one_of has ", weight.size(), " weights for ", augmenter.size(), " augmenters");
    }
    if (!weight.empty() && total() <= 0) throw Error("the weights of one_of are all 0");
  }

  void infer(Context& c, Parts& parts) const {
    const Parts before = parts;
    augmenter.front().infer(c, parts);
    for (size_t i = 1; i < augmenter.size(); ++i) {
      Parts other = before;
      augmenter[i].infer(c, other);
      if (!same_parts(parts, other)) {
        throw Error(augmenter.front().id(), " and ", augmenter[i].id(),
                    " make different parts: one of them cannot stand for the other");
      }
    }
    if (p < 1 && !same_parts(before, parts)) {
      throw Error(augmenter.front().id(), " changes the kind of a part: p must be 1, got ", p);
    }
  }

  uint64_t workspace_bytes(Context& c, int64_t batch) const {
    return batch == 0 ? most_workspace(c, augmenter) : 0;
  }

  void apply(Context& c, SampleCall& call) const {
    const bool any = call.random().chance(p);
    const size_t place = draw(call.random().uniform());
    if (any) augmenter[place].apply(c, call, place);
  }

 private:
  double total() const {
    double sum = 0;
    for (const double share : weight) sum += share;
    return sum;
  }
  // Place whose share of [0, 1) holds `at`; one of weight 0 never.
  size_t draw(double at) const {
    if (weight.empty()) return static_cast<size_t>(at * static_cast<double>(augmenter.size()));
    double left = at * total();
    size_t last = 0;
    for (size_t i = 0; i < weight.size(); ++i) {
      if (weight[i] <= 0) continue;
      if (left < weight[i]) return i;
      left -= weight[i];
      last = i;
    }
    return last;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.one_of", "1.0.0", "Apache-2.0", augmenter<OneOf>("plait.one_of"));
