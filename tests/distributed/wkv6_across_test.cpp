#include <rwkv/distributed/wkv6_across.hpp>
#include "../ops/wkv6_problem.hpp"
#include "counted_ranks.hpp"
#include "keep_promise.hpp"
#include "stretches.hpp"

// WKV-5 and 6 of a text whose stretches lie on several ranks, beside their reference and one process.
namespace {

using namespace wkv6_test;
using namespace across_test;

/// What a rank does with its part of a problem, whose decays are those of WKV-6, or of WKV-5: of the first token.
template <bool Still, class T, dim_t H, dim_t N>
void run_rank(auto& ranks, Problem<T, H, N>& p, Numbers<T>& w, Numbers<compute_of<T>>& dw) {
  using B = Cpu<T>;
  Scratch<B> scratch;
  const Seq s = p.seq;
  const auto both = [&](const auto& in, const auto& d) {
    wkv6_across_forward(ranks, scratch, in, {p.y.data(), s}, {p.last.data(), s}, {p.starts.data(), s});
    wkv6_across_backward(ranks, scratch, in, {p.starts.data(), s}, {p.dy.data(), s}, d, {p.dstate.data(), s});
  };
  const auto in = inputs<B>(p);
  const auto d = gradients<B>(p);
  if constexpr (Still)
    both(wkv6::Signals<B, H, N, Tensor<B, H * N>, Tensor<B, H * N>>{in.r, in.k, in.v, {w.data(), s}, in.u},
         wkv6::Signals<B, H, N, Tensor<Accum<B>, H * N>, Tensor<Accum<B>, H * N>>{d.r, d.k, d.v, {dw.data(), s}, d.u});
  else
    both(in, d);
}

/// Forward and backward on as many threads as there are stretches. WKV-5's gradient of the decays stays in d[1], in the
/// first token's row.
template <bool Still, class T, dim_t H, dim_t N>
void run_across(Problem<T, H, N>& p, const Cuts& cuts) {
  const std::size_t size = cuts.size() - 1;
  std::vector<Problem<T, H, N>> parts;
  for (std::size_t r = 0; r < size; ++r) {
    Problem<T, H, N> mine{{p.seq.batch, cuts[r + 1] - cuts[r]}};
    for (std::size_t i = 0; i < 4; ++i) mine.in[i] = tokens(p.in[i], p.seq, cuts[r], cuts[r + 1]);
    mine.dy = tokens(p.dy, p.seq, cuts[r], cuts[r + 1]), mine.u = p.u, mine.last = p.state, mine.dstate = p.dlast;
    if (r > 0) spoil(mine.last);
    if (r + 1 < size) spoil(mine.dstate);
    parts.push_back(mine);
  }
  Numbers<T> w(p.in[1].begin(), p.in[1].begin() + H * N);
  std::vector<Numbers<compute_of<T>>> dw(size, Numbers<compute_of<T>>(H * N));
  run_counted(ranks_of(cuts), p.seq.batch * H * N * N, [&](auto& ranks) {
    const auto r = static_cast<std::size_t>(ranks.rank());
    run_rank<Still>(ranks, parts[r], w, dw[r]);
  });
  for (std::size_t r = 0; r < size; ++r) {
    put_tokens(parts[r].y, p.y, p.seq, cuts[r], cuts[r + 1]);
    for (std::size_t i = 0; i < 4; ++i)
      if (!Still || i != 1) put_tokens(parts[r].d[i], p.d[i], p.seq, cuts[r], cuts[r + 1]);
    for (std::size_t c = 0; c < H * N; ++c) {
      p.du[c] += parts[r].du[c];
      if (Still) p.d[1][c] += dw[r][c];
    }
  }
  p.last = parts.back().last, p.dstate = parts.front().dstate;
}

/// Every token's decays are the first one's.
template <class P>
P still(P p, std::size_t width) {
  for (std::size_t i = width; i < p.in[1].size(); ++i) p.in[1][i] = p.in[1][i - width];
  return p;
}
/// The gradient of those, in the first token's row.
template <class P>
P summed(P p, std::size_t width) {
  for (std::size_t i = width; i < p.d[1].size(); ++i) p.d[1][i % width] += p.d[1][i], p.d[1][i] = 0;
  return p;
}

TEST_CASE("wkv6 across 4 ranks keeps its promise over 65536 tokens" * doctest::test_suite("accuracy")) {
  std::mt19937 random(73);
  constexpr Seq seq{1, 65536};
  const auto check = [&](const std::string& what, const auto& p, auto finer, double allowed) {
    keep_promise<decltype(finer)>(
        what, p, [](auto& q, const Cuts& cuts) { run_across<false>(q, cuts); }, allowed);
  };
  check("float, drawn", random_problem<float, 1, 8>(seq, random), double{}, 1e-5);
  check("float, slow decays", random_problem<float, 1, 8>(seq, random, -12, -6), double{}, 1e-5);
  check("double, slow decays", random_problem<double, 1, 8>(seq, random, -12, -6), static_cast<long double>(0), 1e-12);
}

TEST_CASE("wkv5 and wkv6 across any ranks are their reference, wherever the text is cut") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  constexpr std::size_t width = 24;
  for (int i = 0; i < 20; ++i) {
    const Cuts cuts = random_cuts(random);
    const Seq seq{1 + dim_t(random() % 3), cuts.back()};
    INFO(in_words(cuts) << ", " << seq.batch << " sequences");
    auto six = random_problem<double, 2, 12>(seq, random);
    auto five = still(six, width);
    auto less = six.template as<float>();
    const auto want_six = expected<double>(six), want_five = summed(expected<double>(five), width);
    const auto want_less = expected<double>(less);
    run_across<false>(six, cuts), check_same(six, want_six, 1e-12);
    run_across<true>(five, cuts), check_same(five, want_five, 1e-11);
    run_across<false>(less, cuts), check_same(less, want_less, 1e-5);
  }
}

}  // namespace
