#include <doctest/doctest.h>

#include <vector>

#include <rwkv/eigen.hpp>

using namespace rwkv;

namespace {
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}

TEST_CASE("a tensor is a matrix with its tokens as rows, in the same memory") {
  std::vector<float> x(24), w(8), b{1, 2};
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = float(i) - 3;
  const View<float, Shape<Batch, Time, 4>> input{x.data(), {2, 3}};
  const View<const float, Shape<2, 4>> weight{w.data()};
  const View<const float, Shape<2>> bias{b.data()};

  CHECK(input.matrix().rows() == 6);
  CHECK(input.matrix().cols() == 4);
  CHECK(input.matrix()(5, 3) == 23);
  CHECK(weight.matrix().rows() == 2);
  CHECK(weight.matrix()(1, 0) == 1);
  CHECK(bias.matrix().rows() == 1);
  input.matrix()(2, 1) = -1;
  CHECK(x[9] == -1);

  std::vector<float> y(12), expected(12);
  const View<float, Shape<Batch, Time, 2>> output{y.data(), {2, 3}};
  output.matrix() = (input.matrix() * weight.matrix().transpose()).rowwise() + bias.matrix();
  for (dim_t t = 0; t < 6; ++t)
    for (dim_t o = 0; o < 2; ++o) {
      float sum = b[std::size_t(o)];
      for (dim_t i = 0; i < 4; ++i) sum += x[std::size_t(t * 4 + i)] * w[std::size_t(o * 4 + i)];
      CHECK(output.matrix()(t, o) == doctest::Approx(sum));
    }
}

TEST_CASE("heads lie side by side in a row, ids are a column, and a bf16 is Eigen's") {
  std::vector<float> x(60, 1);
  CHECK(View<float, Shape<Batch, Time, 2, 5>>{x.data(), {2, 3}}.matrix().cols() == 10);
  const std::vector<std::int32_t> ids{4, 5, 6};
  CHECK(TokenIds{ids.data(), {1, 3}}.matrix()(2, 0) == 6);
  std::vector<bf16> shorter(6, bf16(1.5f));
  const View<bf16, Shape<Batch, Time, 2>> half{shorter.data(), {1, 3}};
  CHECK(half.matrix().cast<float>().sum() == 9);
}

TEST_CASE("what is const stays so") {
  const auto writable = []<class M>(const M&) {
    return requires(M m) {
      m(0, 0) = 1;
    };
  };
  const View<float, Shape<3>> x;
  const View<const float, Shape<3>> y;
  CHECK(writable(x.matrix()));
  CHECK_FALSE(writable(y.matrix()));
}

TEST_CASE("a matrix of Eigen is a tensor where it has the size of one") {
  Rows m = Rows::Random(6, 4);
  const auto x = view_of<Shape<Batch, Time, 4>>(m, {2, 3});
  static_assert(std::is_same_v<decltype(x), const View<float, Shape<Batch, Time, 4>>>);
  CHECK(x.data == m.data());
  const auto& fixed = m;
  static_assert(std::is_same_v<decltype(view_of<Shape<6, 4>>(fixed)), View<const float, Shape<6, 4>>>);
  CHECK_THROWS_WITH_AS((view_of<Shape<Batch, Time, 4>>(m, {2, 2})),
                       "view_of: expected a matrix of 4 x 4 without gaps, found 6 x 4, rows 4 numbers apart", Error);
  auto part = m.leftCols(3);
  CHECK_THROWS_WITH_AS((view_of<Shape<6, 3>>(part)),
                       "view_of: expected a matrix of 6 x 3 without gaps, found 6 x 3, rows 4 numbers apart", Error);
}
