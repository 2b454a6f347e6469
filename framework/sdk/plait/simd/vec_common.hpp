// What follows from the functions of a Vec, for every instruction set. See ../simd.hpp.
namespace PLAIT_SIMD {

constexpr size_t kParts = kWidth / 4;  // fours in a Vec

// body(i, lanes) over [0, n) in steps of a Vec; the last has fewer lanes.
template <class Body>
inline void each(size_t n, Body body) {
  size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) body(i, kWidth);
  if (i < n) body(i, n - i);
}

// e^x to about 1 unit in the last place; 0 below -87, e^88 above 88.
// Source: Cody and Waite 1980 (reduction by ln 2 in two parts); a Taylor polynomial of degree 7 on [-ln 2 /
// 2, ln 2 / 2].
inline Vec exp(Vec x) {
  const Vec low = set(-87.0f);
  const Vec bounded = max(low, min(set(88.0f), x));  // NaN stays
  const Vec whole = round_whole(mul(bounded, set(1.44269504f)));
  Vec r = fma(whole, set(-0.693359375f), bounded);
  r = fma(whole, set(2.12194440e-4f), r);
  Vec p = set(1.0f / 5040);
  p = fma(p, r, set(1.0f / 720));
  p = fma(p, r, set(1.0f / 120));
  p = fma(p, r, set(1.0f / 24));
  p = fma(p, r, set(1.0f / 6));
  p = fma(p, r, set(0.5f));
  p = fma(p, r, set(1.0f));
  p = fma(p, r, set(1.0f));
  return where_above(low, x, zero(), mul(p, exp2_whole(whole)));
}

// By e^2x, and near zero, where that would cancel, by the Taylor polynomial of degree 9.
inline Vec tanh(Vec x) {
  const Vec one = set(1.0f), square = mul(x, x);
  const Vec far = sub(one, div(set(2.0f), add(exp(add(x, x)), one)));
  Vec p = set(62.0f / 2835);
  p = fma(p, square, set(-17.0f / 315));
  p = fma(p, square, set(2.0f / 15));
  p = fma(p, square, set(-1.0f / 3));
  const Vec near = fma(mul(p, square), x, x);
  return where_above(square, set(0.09f), far, near);
}
inline Vec sigmoid(Vec x) { return div(set(1.0f), add(set(1.0f), exp(sub(zero(), x)))); }

// y = f(x), and f'(x) as it follows from y.
inline Vec activate(const plait::sdk::Activation& f, Vec x) {
  using Kind = plait::sdk::Activation::Kind;
  if (f.kind == Kind::kIdentity) return x;
  if (f.kind == Kind::kRelu && f.alpha == 0) return max(zero(), x);
  if (f.kind == Kind::kRelu) return where_above(x, zero(), x, mul(x, set(f.alpha)));
  if (f.kind == Kind::kTanh) return tanh(x);
  if (f.kind == Kind::kSigmoid) return sigmoid(x);
  return fma(x, set(f.alpha), set(f.beta));
}
inline Vec slope(const plait::sdk::Activation& f, Vec y) {
  using Kind = plait::sdk::Activation::Kind;
  if (f.kind == Kind::kIdentity) return set(1.0f);
  if (f.kind == Kind::kRelu) return where_above(y, zero(), set(1.0f), set(f.alpha));
  if (f.kind == Kind::kTanh) return sub(set(1.0f), mul(y, y));
  if (f.kind == Kind::kSigmoid) return sub(y, mul(y, y));
  return set(f.alpha);
}

}  // namespace PLAIT_SIMD
