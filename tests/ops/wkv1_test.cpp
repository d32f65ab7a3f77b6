#include <doctest/doctest.h>

#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/random.hpp>
#include <rwkv/ops/wkv1.hpp>

using namespace rwkv;

namespace {
using B = Cpu<double>;
constexpr int H = 2;
constexpr dim_t D = 3, Window = 12, time = 4, C = H * D, kept = H * Window * D;
using Numbers = std::vector<double>;

Numbers normals(std::uint64_t seed, dim_t n) {
  Numbers x;
  for (dim_t i = 0; i < n; ++i) x.push_back(Random{seed}.normals(std::uint64_t(i))[0]);
  return x;
}

/// A call of sequences that begin at these places, and what becomes of it.
struct Call {
  Numbers seen;
  Seq seq{dim_t(seen.size()), time};
  dim_t tokens = seq.tokens() * C;
  Numbers k = normals(1, tokens), v = normals(2, tokens), dy = normals(3, tokens), y = dy, den = dy, dk = dy, dv = dy;
  Numbers past = normals(4, seq.batch*kept), sum = Numbers(std::size_t(seq.batch * C), 1), dpast = past, dsum = sum;
  Numbers weights = normals(5, 3 * H * Window), dweights = Numbers(weights.size());

  /// Sequence b of another call alone.
  static Call of(const Call& all, std::size_t b) {
    Call one{{all.seen[b]}};
    const auto take = [&](Numbers& to, const Numbers& from) {
      std::copy_n(from.begin() + std::ptrdiff_t(b * to.size()), to.size(), to.begin());
    };
    take(one.k, all.k), take(one.v, all.v), take(one.dy, all.dy);
    take(one.past, all.past), take(one.sum, all.sum), take(one.dpast, all.dpast), take(one.dsum, all.dsum);
    return one;
  }
  void run() {
    using Rows = Tensor<B, Batch, Time, C>;
    const auto weights_of = [](Numbers& x) {
      return TimeWeights<B, H, Window>{{x.data()}, {x.data() + H * Window}, {x.data() + 2 * H * Window}};
    };
    Numbers counted = seen, none(seen.size());
    Scratch<B> scratch;
    const Rows keys{k.data(), seq}, values{v.data(), seq}, divisors{den.data(), seq}, out{y.data(), seq};
    wkv1_forward<B, v1::Clamped>(
        scratch, weights_of(weights), keys, values,
        TimeWindow<B, H, D, Window>{{past.data(), seq}, {sum.data(), seq}, {counted.data(), seq}}, divisors, out);
    for (std::size_t b = 0; b < seen.size(); ++b) CHECK(counted[b] == seen[b] + double(time));
    wkv1_backward<B, v1::Clamped>(
        scratch, weights_of(weights), keys, values,
        TimeWindow<B, H, D, Window>{{past.data(), seq}, {}, {seen.data(), seq}}, divisors, out, Rows{dy.data(), seq},
        Rows{dk.data(), seq}, Rows{dv.data(), seq}, weights_of(dweights),
        TimeWindow<B, H, D, Window>{{dpast.data(), seq}, {dsum.data(), seq}, {none.data(), seq}});
  }
};
}  // namespace

TEST_CASE("sequences of a call that begin at different places are each mixed as if alone") {
  Call all{{5, 0, 0, 8, 5}};
  std::vector<Call> alone;
  for (std::size_t b = 0; b < all.seen.size(); ++b) alone.push_back(Call::of(all, b));
  all.run();
  Numbers dweights(all.dweights.size());
  for (std::size_t b = 0; b < alone.size(); ++b) {
    Call& one = alone[b];
    one.run();
    const auto same = [&](const Numbers& found, const Numbers& expected) {
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(found[b * expected.size() + i] == doctest::Approx(expected[i]).epsilon(1e-12));
    };
    same(all.y, one.y), same(all.den, one.den), same(all.past, one.past), same(all.sum, one.sum);
    same(all.dk, one.dk), same(all.dv, one.dv), same(all.dpast, one.dpast), same(all.dsum, one.dsum);
    for (std::size_t i = 0; i < dweights.size(); ++i) dweights[i] += one.dweights[i];
  }
  for (std::size_t i = 0; i < dweights.size(); ++i)
    CHECK(all.dweights[i] == doctest::Approx(dweights[i]).epsilon(1e-10));
}
