#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Doubles = std::vector<double>;

struct Found {
  Doubles mean, variance, components, total, transform, offset;
};

Settings settings() { return Settings(linked("plait.pca")).set("part", "x"); }

template <class V>
Found of(const std::vector<std::vector<V>>& records, DType dtype, const Settings& how) {
  TestHost host;
  AccumulatingTaskTest task(host, linked("plait.pca"), how,
                            {{"x", dtype, {static_cast<int64_t>(records[0].size())}}});
  do {
    RecordBytes bytes;
    for (const std::vector<V>& record : records) bytes.push_back({record_of(record)});
    task.map(bytes);
  } while (task.finish());
  return {task.output<double>("mean"),  task.output<double>("variance"),  task.output<double>("components"),
          task.output<double>("total"), task.output<double>("transform"), task.output<double>("offset")};
}

void check_near(const Doubles& got, const Doubles& wanted, double error = 1e-12) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(wanted[i]).epsilon(error));
}

// Mean (5, 1); along (3, 4) / 5 by -10, 0, 10, and across by 1 in the middle: variances 200 / 4 and 2 / 4.
template <class V>
std::vector<std::vector<V>> by_hand() {
  const auto at = [](double x, double y) { return std::vector<V>{static_cast<V>(x), static_cast<V>(y)}; };
  return {at(105 - 6, 101 - 8), at(105 + 6, 101 + 8), at(105 - 4, 101 + 3), at(105 + 4, 101 - 3)};
}

TEST_CASE("by hand, of every element type") {
  const auto check = [](auto zero, DType dtype) {
    using V = decltype(zero);
    const Found found = of(by_hand<V>(), dtype, settings());
    check_near(found.mean, {105, 101});
    check_near(found.variance, {50, 12.5});
    check_near(found.components, {0.6, 0.8, 0.8, -0.6});
    check_near(found.total, {62.5});
    CHECK(found.transform == found.components);
    check_near(found.offset, {-0.6 * 105 - 0.8 * 101, -0.8 * 105 + 0.6 * 101});
  };
  check(uint8_t{}, DType::u8);
  check(float{}, DType::f32);
  check(double{}, DType::f64);
  check(int32_t{}, DType::i32);
  check(int64_t{}, DType::i64);
}

TEST_CASE("fewer components, whitened") {
  const Found found = of(by_hand<double>(), DType::f64,
                         settings().set("components", 1).set("whiten", "pca").set("epsilon", 14));
  check_near(found.variance, {50});
  check_near(found.components, {0.6, 0.8});
  check_near(found.transform, {0.6 / 8, 0.8 / 8});
  check_near(found.offset, {-(0.6 * 105 + 0.8 * 101) / 8});
}

TEST_CASE("zca is symmetric, and what it makes has variances of 1 and is unrelated") {
  const auto records = by_hand<double>();
  const Found found = of(records, DType::f64, settings().set("whiten", "zca"));
  REQUIRE(found.transform.size() == 4);
  CHECK(found.transform[1] == found.transform[2]);
  double xx = 0, xy = 0, yy = 0;
  for (const auto& r : records) {
    const double x = found.transform[0] * r[0] + found.transform[1] * r[1] + found.offset[0];
    const double y = found.transform[2] * r[0] + found.transform[3] * r[1] + found.offset[1];
    xx += x * x / 4, xy += x * y / 4, yy += y * y / 4;
  }
  check_near({xx, yy}, {1, 1});
  CHECK(std::abs(xy) < 1e-12);
}

// By numpy 2.4: eigh of cov(x, bias=True), rows signed by their element of greatest magnitude; w its values:
// pca is rows / sqrt(w + epsilon), zca rows' / sqrt(w + epsilon) rows.
TEST_CASE("as numpy has it") {
  const std::vector<Doubles> records = {{3, 1, -2, 7}, {0, 5, 4, -1}, {8, 2, 2, 3},
                                        {-4, 6, 1, 0}, {5, -3, 9, 2}, {1, 1, -6, 4}};
  const Found plain = of(records, DType::f64, settings());
  check_near(plain.mean, {2.1666666666666665, 2.0, 1.3333333333333333, 2.5});
  check_near(plain.variance,
             {26.740263863741195, 20.289963612948487, 3.7765335626844436, 1.1376834050703297});
  check_near(plain.components,
             {0.4789925325508691, -0.3365681708788507, 0.8064707756375251, -0.08302353976059075,
              0.5755041258073263, -0.41594541852335404, -0.4605724836356673, 0.5325949655280744,
              0.6506395833846587, 0.7059800032599673, -0.11792444833707988, -0.25368128037852816,
              -0.12660682237655158, 0.4640080927718321, 0.35152766583112244, 0.8031783752848936});
  check_near(plain.total, {51.94444444444444});
  const auto whitened = [&](const char* how) {
    return of(records, DType::f64, settings().set("whiten", how).set("epsilon", 0.25));
  };
  check_near(whitened("pca").transform,
             {0.0921987806995381, -0.06478425626397068, 0.15523336405185814, -0.01598076925024538,
              0.12698388399518226, -0.09177756058655996, -0.1016244370990746, 0.11751605989646256,
              0.324246143559386, 0.3518250339093719, -0.05876763200566099, -0.12642202988642295,
              -0.10747610315456724, 0.393894900031356, 0.29841064616709956, 0.6818154053096623});
  const Found zca = whitened("zca");
  check_near(zca.transform,
             {0.34181686027701563, 0.09519197209238682, -0.060147031928990145, -0.10860135058583303,
              0.09519197209238679, 0.491130634384118, 0.08699979137893901, 0.18361479232778394,
              -0.06014703192899013, 0.086999791378939, 0.28382632939514335, 0.18757253914209523,
              -0.10860135058583303, 0.18361479232778394, 0.18757253914209523, 0.6436055337912703});
  check_near(zca.offset,
             {-0.5792877224150714, -1.7635472442931195, -0.8910474672938287, -1.9910372117205655});
}

TEST_CASE(
    "many numbers with a mean far from 0: directions are at right angles, variances those of the data") {
  constexpr size_t kD = 37, kRecords = 90;
  std::vector<Doubles> records(kRecords, Doubles(kD));
  const Random random(5, 0);
  for (size_t r = 0; r < kRecords; ++r)
    for (size_t i = 0; i < kD; ++i)
      records[r][i] = 1e6 + static_cast<double>(i + 1) * random.uniform_at(r * kD + i);
  const Found found = of(records, DType::f64, settings());
  double total = 0;
  for (size_t k = 0; k < kD; ++k) {
    total += found.variance[k];
    if (k > 0) CHECK(found.variance[k] <= found.variance[k - 1]);
    for (size_t l = 0; l <= k; ++l) {
      double product = 0;
      for (size_t i = 0; i < kD; ++i) product += found.components[k * kD + i] * found.components[l * kD + i];
      CHECK(std::abs(product - (k == l)) < 1e-12);
    }
    double along = 0, square = 0;
    for (const Doubles& r : records) {
      double place = 0;
      for (size_t i = 0; i < kD; ++i) place += found.components[k * kD + i] * (r[i] - found.mean[i]);
      along += place / kRecords, square += place * place / kRecords;
    }
    CHECK(std::abs(along) < 1e-8);
    CHECK(square == doctest::Approx(found.variance[k]).epsilon(1e-9));
  }
  CHECK(total == doctest::Approx(found.total[0]).epsilon(1e-12));
}

TEST_CASE("what cannot be is refused") {
  TestHost host;
  const auto with = [&](const Settings& how, PartSpec part) {
    AccumulatingTaskTest(host, linked("plait.pca"), how, {part});
  };
  CHECK_THROWS_WITH(with(settings().set("components", 3), {"x", DType::u8, {2}}),
                    "got 3 components of 2 elements of part \"x\"");
  CHECK_THROWS_WITH(
      with(settings(), {"x", DType::f32, {3000}}),
      "part \"x\" is f32[3000], wanted f32, f64, u8, i32 or i64 of a fixed shape of 1 to 2048 elements");
}

TEST_CASE("a number that is none is refused, naming the record") {
  CHECK_THROWS_WITH(
      of<double>({{1, 2}, {3, 4}, {5, std::numeric_limits<double>::quiet_NaN()}}, DType::f64, settings()),
      "record 2: element 1 of part \"x\" is nan, wanted a finite number");
}

TEST_CASE("a direction without variance is not whitened by epsilon 0, though rounding leaves it a little") {
  const std::vector<Doubles> flat = {{1, 2}, {3, 2}};
  const auto refused = [](const std::vector<Doubles>& records, const Settings& how, const char* component) {
    CHECK_THROWS_WITH(of(records, DType::f64, how), doctest::Contains(component));
  };
  refused(flat, settings().set("whiten", "zca"), "component 1 has no variance to whiten by: ");
  std::vector<Doubles> line, plane;  // of 7 numbers, in one and in two directions
  const Random random(3, 0);
  for (size_t r = 0; r < 50; ++r) {
    const double x = 100 * random.uniform_at(r), y = random.uniform_at(1000 + r);
    line.push_back({x, 0.7 * x, 255 - x, x / 3, 0.1 * x, x, 2 - 0.3 * x});
    plane.push_back({x, 0.7 * x + y, 255 - x, x / 3 - y, 0.1 * x, x + 0.3 * y, 2 - 0.3 * x});
  }
  std::vector<Doubles> many;
  for (size_t r = 0; r < 3000; ++r) many.push_back({random.uniform_at(r), 0.7 * random.uniform_at(r)});
  refused(many, settings().set("whiten", "pca"), "component 1 has no variance to whiten by: ");
  for (const char* whiten : {"pca", "zca"}) {
    refused(line, settings().set("whiten", whiten), "component 1 has no variance to whiten by: ");
    refused(plane, settings().set("whiten", whiten), "component 2 has no variance to whiten by: ");
    CHECK(of(plane, DType::f64, settings().set("whiten", whiten).set("components", 2)).variance[1] > 0.01);
    CHECK(of(line, DType::f64, settings().set("whiten", whiten).set("epsilon", 1e-9)).variance.size() == 7);
  }
  CHECK(of(line, DType::f64, settings()).variance.size() == 7);  // turned only
}

}  // namespace
