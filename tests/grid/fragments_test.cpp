#include <doctest/doctest.h>

#include <array>
#include <vector>

#include <rwkv/testing/draw.hpp>
#include "host_grid.hpp"

// Products of fragments against plain ones. The numbers are small whole ones, so that every sum is exact.
using namespace rwkv;
using test::HostGrid;
using test::Turns;

namespace {
/// Numbers in bf16, on 16 bytes.
struct Matrix {
  int rows, columns;
  struct alignas(16) Eight {
    std::array<bf16, 8> at;
  };
  std::vector<Eight> eights = std::vector<Eight>(std::size_t(rows * columns / 8));
  bf16* data() { return eights[0].at.data(); }
  float operator()(int r, int c) const { return eights[std::size_t(r * columns + c) / 8].at[std::size_t(c % 8)]; }
};
Matrix drawn(int rows, int columns, testing::Draw& draw) {
  Matrix x{rows, columns};
  for (int i = 0; i < rows * columns; ++i) x.data()[i] = bf16(float(draw.below(3)) - 1);
  return x;
}
Matrix transposed(const Matrix& x) {
  Matrix y{x.columns, x.rows};
  for (int r = 0; r < x.rows; ++r)
    for (int c = 0; c < x.columns; ++c) y.data()[c * x.rows + r] = bf16(x(r, c));
  return y;
}
std::vector<float> product(const std::vector<float>& a, int rows, const Matrix& b) {
  std::vector<float> c(std::size_t(rows * b.columns));
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < b.columns; ++n)
      for (int k = 0; k < b.rows; ++k) c[std::size_t(r * b.columns + n)] += a[std::size_t(r * b.rows + k)] * b(k, n);
  return c;
}
std::vector<float> floats(const Matrix& x) {
  std::vector<float> y;
  for (int i = 0; i < x.rows * x.columns; ++i) y.push_back(x(i / x.columns, i % x.columns));
  return y;
}

constexpr int inner = 48;
/// Two warps, each of 16 rows of a (32 x inner): ab = a b, b (inner x 16), given as it is or by columns; abc = ab c,
/// c (16 x 16). Sloppy: what has been copied is not awaited.
template <bool ByColumns, bool Sloppy = false>
struct Chain {
  static constexpr int threads = 64;
  const bf16 *a, *b, *c;
  float *ab, *abc;
  struct Memory {
    alignas(16) bf16 a[32 * (inner + 8)], b[ByColumns ? 16 * (inner + 8) : inner * 24], c[16 * 24];
  };

  template <Block Here>
  void operator()(Here& here) const {
    static_assert(TensorBlock<Here>);
    auto& memory = here.template shared<Memory>();
    const int across = ByColumns ? inner : 16, first = here.thread() / warp * 16;
    load(here, memory.a, a, 32, inner), load(here, memory.b, b, 16 * inner / across, across);
    load(here, memory.c, c, 16, 16);
    if (!Sloppy) here.finish_copies();
    here.sync();
    SumFragment sums[2]{}, more[2]{};
    for (int k = 0; k < inner; k += 16) {
      const auto left = read_left(here, memory.a + first * (inner + 8) + k, inner + 8);
      const auto right =
          ByColumns ? read_right_by_columns(here, memory.b + k, inner + 8) : read_right(here, memory.b + k * 24, 24);
      for (int n = 0; n < 2; ++n) here.multiply(left, right[n], sums[n]);
    }
    const auto left = left_of(sums[0], sums[1]);
    const auto right = read_right(here, memory.c, 24);
    for (int n = 0; n < 2; ++n) {
      here.multiply(left, right[n], more[n]);
      for (int i = 0; i < 4; ++i) {
        const int at = (first + fragment_row(here.thread(), i)) * 16 + 8 * n + fragment_column(here.thread(), i);
        ab[at] = sums[n].at[i], abc[at] = more[n].at[i];
      }
    }
  }

 private:
  static void load(auto& here, bf16* to, const bf16* from, int rows, int columns) {
    for (int i = here.thread() * 8; i < rows * columns; i += threads * 8)
      here.start_copy(to + i / columns * (columns + 8) + i % columns, from + i, true);
  }
};

template <bool ByColumns, bool Sloppy = false>
std::array<std::vector<float>, 2> multiplied(Matrix a, const Matrix& b, Matrix c, Turns turns) {
  auto b_given = ByColumns ? transposed(b) : b;
  std::vector<float> ab(32 * 16), abc = ab;
  test::turns = turns;
  HostGrid<bf16>::launch(1, Chain<ByColumns, Sloppy>{a.data(), b_given.data(), c.data(), ab.data(), abc.data()});
  test::turns = Turns::ascending;
  return {ab, abc};
}
}  // namespace

TEST_CASE("fragments multiply as matrices do, and a product is a left matrix") {
  static_assert(TensorGrid<HostGrid<bf16>> && !TensorGrid<Cpu<bf16>>);
  testing::Draw draw(5);
  for (const Turns turns : {Turns::ascending, Turns::descending})
    for (int i = 0; i < 3; ++i) {
      const auto a = drawn(32, inner, draw), b = drawn(inner, 16, draw), c = drawn(16, 16, draw);
      const auto ab = product(floats(a), 32, b), abc = product(ab, 32, c);
      CHECK(multiplied<false>(a, b, c, turns) == std::array{ab, abc});
      CHECK(multiplied<true>(a, b, c, turns) == std::array{ab, abc});
    }
}
TEST_CASE("what has been copied is there only where it was awaited") {
  testing::Draw draw(7);
  const auto a = drawn(32, inner, draw), b = drawn(inner, 16, draw), c = drawn(16, 16, draw);
  const auto [ab, abc] = multiplied<false, true>(a, b, c, Turns::ascending);
  for (const float x : ab) CHECK(x != x);
}
TEST_CASE("a pair is two numbers rounded to nearest, ties to even") {
  testing::Draw draw(9);
  for (int i = 0; i < 100; ++i) {
    const float x = float(draw.normal()), y = float(draw.normal());
    CHECK(pair_of(x, y) == (bf16(x).bits | std::uint32_t(bf16(y).bits) << 16));
  }
  CHECK(pair_of(1 + 0x1p-8f, 1 + 0x3p-8f) == (bf16(1.f).bits | std::uint32_t(bf16(1 + 0x1p-6f).bits) << 16));
}
