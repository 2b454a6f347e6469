#include <doctest/doctest.h>
#include <plait/sdk/testing_optimizer.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Test {
  TestHost host;
  Entry entry = linked("plait.muon");
  OptimizerTest optimizer;
  Test(std::vector<int64_t> shape, double rate, double momentum, bool nesterov, double decay)
      : optimizer(host, entry, settings(rate, momentum, nesterov, decay), count(shape),
                  {rate, momentum, decay}) {
    optimizer.shape = std::move(shape);
  }
  static size_t count(const std::vector<int64_t>& shape) {
    size_t all = 1;
    for (const int64_t extent : shape) all *= static_cast<size_t>(extent);
    return all;
  }
  Settings settings(double rate, double momentum, bool nesterov, double decay) {
    Settings s(entry);
    s.set("rate", rate).set("momentum", momentum).set("nesterov", nesterov).set("weight_decay", decay);
    s.add("by_sgd", "last.weight");
    return s;
  }
};

using Matrix = std::vector<std::vector<double>>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<double>(b[0].size()));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t k = 0; k < b.size(); ++k)
      for (size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix transposed(const Matrix& a) {
  Matrix t(a[0].size(), std::vector<double>(a.size()));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a[0].size(); ++j) t[j][i] = a[i][j];
  return t;
}

// The source's iteration as it is written there, in double and without a transposition: for a tall matrix
// too.
Matrix newton_schulz(Matrix x) {
  double squares = 0;
  for (const auto& row : x)
    for (const double value : row) squares += value * value;
  for (auto& row : x)
    for (double& value : row) value /= std::sqrt(squares);
  for (int step = 0; step < 5; ++step) {
    const Matrix a = product(x, transposed(x)), aa = product(a, a);
    Matrix b = a;
    for (size_t i = 0; i < a.size(); ++i)
      for (size_t j = 0; j < a.size(); ++j) b[i][j] = -4.7750 * a[i][j] + 2.0315 * aa[i][j];
    const Matrix bx = product(b, x);
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t j = 0; j < x[0].size(); ++j) x[i][j] = 3.4445 * x[i][j] + bx[i][j];
  }
  return x;
}

TEST_CASE("the source's steps in double: wide, tall, square, and kernels flattened to [filters, rest]") {
  for (const auto& [shape, rows] : std::vector<std::pair<std::vector<int64_t>, size_t>>{
           {{5, 9}, 5}, {{9, 5}, 9}, {{6, 6}, 6}, {{4, 3, 2, 2}, 4}, {{30, 2, 3}, 30}, {{1, 7}, 1}}) {
    for (const bool nesterov : {false, true}) {
      Test test(shape, 0.1, 0.9, nesterov, 0.02);
      OptimizerTest& o = test.optimizer;
      const size_t count = Test::count(shape), columns = count / rows;
      const double scale = std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(columns)));
      std::vector<double> w(count), v(count, 0);
      for (size_t i = 0; i < count; ++i) w[i] = o.weights.f32()[i];
      for (int step = 0; step < 3; ++step) {
        o.gradients.randomize(static_cast<uint64_t>(step) + 50);
        o.step();
        Matrix d(rows, std::vector<double>(columns));
        for (size_t i = 0; i < count; ++i) {
          v[i] = 0.9 * v[i] + o.gradients.f32()[i];
          d[i / columns][i % columns] = nesterov ? o.gradients.f32()[i] + 0.9 * v[i] : v[i];
        }
        const Matrix x = newton_schulz(d);
        for (size_t i = 0; i < count; ++i)
          w[i] = (1 - 0.1 * 0.02) * w[i] - 0.1 * scale * x[i / columns][i % columns];
      }
      double worst = 0;
      for (size_t i = 0; i < count; ++i) worst = std::max(worst, std::abs(w[i] - o.weights.f32()[i]));
      CAPTURE(shape.size());
      CAPTURE(rows);
      // The quintic's slope near 0 is 3.4445: five iterations make an error of 6e-8 in x up to 490 times as
      // large, of sums of a dozen products; the step's share of it is 0.1 times the scale, in three steps.
      CHECK(worst < 3 * 0.1 * scale * 490 * 12 * 6e-8);
    }
  }
}

TEST_CASE("what comes out is nearly orthogonal: singular values of about 1") {
  Test test({8, 20}, 1, 0, false, 0);
  OptimizerTest& o = test.optimizer;
  std::fill(o.weights.f32().begin(), o.weights.f32().end(), 0.0f);
  o.step();
  Matrix w(8, std::vector<double>(20));
  for (size_t i = 0; i < 160; ++i) w[i / 20][i % 20] = o.weights.f32()[i];
  const Matrix square = product(w, transposed(w));
  double trace = 0, outside = 0;
  for (size_t i = 0; i < 8; ++i)
    for (size_t j = 0; j < 8; ++j)
      (i == j ? trace : outside) += i == j ? square[i][i] : std::abs(square[i][j]);
  CHECK(trace / 8 > 0.5);
  CHECK(trace / 8 < 1.45);
  CHECK(outside / 56 < 0.1);
}

TEST_CASE("what is no matrix, or is named, moves by stochastic gradient descent with momentum") {
  for (const bool is_named : {false, true}) {
    Test test(is_named ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{2}, 0.5, 0.5, false, 0);
    OptimizerTest& o = test.optimizer;
    if (is_named) o.name = "last.weight";
    o.weights.fill({1, -2});
    o.gradients.fill({4, 0.5});
    o.step();  // rate 0.5 * 0.5
    CHECK(o.weights.f32()[0] == 0);
    CHECK(o.weights.f32()[1] == -2.125f);
    o.gradients.fill({0, 0});
    o.step();  // half of it again
    CHECK(o.weights.f32()[0] == -0.5f);
  }
}

TEST_CASE("gradients of zero, and of any size") {
  Test zeros({4, 10}, 0.1, 0.9, true, 0.01);
  CHECK(zeros.optimizer.keeps_zeros());
  for (const float size : {1e-30f, 1e18f}) {
    Test test({4, 10}, 0.1, 0.9, true, 0.01);
    for (float& g : test.optimizer.gradients.f32()) g *= size;
    test.optimizer.step();
    for (const float w : test.optimizer.weights.f32()) CHECK(std::isfinite(w));
  }
}

TEST_CASE("pieces do not matter") {
  Test one({40, 500}, 0.1, 0.9, true, 0.01), four({40, 500}, 0.1, 0.9, true, 0.01);
  four.host.lanes = 4;
  for (int i = 0; i < 3; ++i) one.optimizer.step(), four.optimizer.step();
  CHECK(one.optimizer.same_bits(four.optimizer));
}

}  // namespace
