#include "golden_numbers.hpp"
#include "wkv6_problem.hpp"

// WKV-6 beside its reference, its derivatives, itself in pieces and the golden numbers.
namespace {

using namespace wkv6_test;

constexpr wkv6::OverTime ways[] = {wkv6::OverTime::sequential, wkv6::OverTime::chunked, wkv6::OverTime::scan};

/// Every way on the processor, and where there are no lanes.
template <class T, dim_t H, dim_t N>
void check(Problem<T, H, N> p, double allowed) {
  INFO(H << " heads of " << N << ", " << p.seq.batch << " sequences of " << p.seq.time);
  const auto want = expected<double>(p);
  for (const wkv6::OverTime how : ways) {
    INFO("way " << int(how));
    run(p, how);
    check_same(p, want, allowed);
  }
  INFO("no lanes");
  run_on<Plain<T>>(p, wkv6::OverTime::automatic, wkv6::OverTime::automatic);
  check_same(p, want, allowed);
}

TEST_CASE("wkv6 is its reference, gradients included, at any length and size of a head") {
  std::mt19937 random(1);
  for (const dim_t time : {1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 49, 97}) {
    check(random_problem<double, 2, 20>({2, time}, random), 1e-12);
    check(random_problem<double, 2, 64>({1, time}, random), 1e-12);
    check(random_problem<float, 2, 64>({1, time}, random), 1e-5);
  }
  check(random_problem<double, 3, 1>({2, 37}, random), 1e-12);
  check(random_problem<float, 2, 20>({3, 50}, random), 1e-5);
}

TEST_CASE("wkv6 is its reference where decays lie anywhere from e^-60 to 1") {
  std::mt19937 random(3);
  const std::pair<double, double> ranges[] = {{-40, -30}, {4, 4.1}, {-16, 4.1}, {-1, 1}};
  for (const auto& [from, to] : ranges) {
    check(random_problem<double, 2, 20>({2, 70}, random, from, to), 1e-12);
    check(random_problem<float, 2, 20>({2, 70}, random, from, to), 1e-5);
  }
}

TEST_CASE("wkv6 is its reference with signals of any size") {
  std::mt19937 random(5);
  for (const double size : {1e-12, 1e6, 1e10})
    for (int i : {0, 2, 3}) {
      auto p = random_problem<float, 2, 20>({2, 50}, random);
      for (float& x : p.in[i]) x *= float(size);
      check(p, 1e-5);
    }
}

TEST_CASE("wkv6 of a decay that is no number is no number after it, on every machine") {
  std::mt19937 random(6);
  constexpr std::size_t row = 2 * 20;
  auto p = random_problem<float, 2, 20>({1, 40}, random);
  std::fill_n(&p.in[1][21 * row], row, NAN);
  const auto check_tokens = [](const auto& q) {
    for (std::size_t i = 0; i < q.y.size(); ++i) CHECK(std::isfinite(q.y[i]) == (i < 22 * row));
  };
  for (const wkv6::OverTime how : ways) run(p, how), check_tokens(p);
  run_on<Plain<float>>(p, wkv6::OverTime::automatic, wkv6::OverTime::automatic);
  check_tokens(p);
}

TEST_CASE("wkv5 is wkv6 with the same decays for all tokens") {
  std::mt19937 random(8);
  using B = Cpu<double>;
  constexpr dim_t H = 2, N = 20, C = H * N;
  auto p = random_problem<double, H, N>({2, 150}, random);
  for (std::size_t i = C; i < p.y.size(); ++i) p.in[1][i] = p.in[1][i - C];
  const auto run_still = [&](auto machine, wkv6::OverTime how) {
    using M = decltype(machine);
    run(p, how);
    auto q = p;
    const Seq s = p.seq;
    Numbers<double> dw(C, 1.), du(C, 2.), sums(C);
    using Signal = Tensor<M, Batch, Time, C>;
    const auto of = [&](auto& x) { return Signal{x.data(), s}; };
    using Signals = wkv6::Signals<M, H, N, Tensor<M, C>, Tensor<M, C>>;
    const Signals in{of(q.in[0]), of(q.in[2]), of(q.in[3]), {q.in[1].data(), s}, {q.u.data(), s}};
    const Signals d{of(q.d[0]), of(q.d[2]), of(q.d[3]), {dw.data(), s}, {du.data(), s}};
    Scratch<M> scratch;
    q.last = q.state, q.dstate = q.dlast;
    wkv6_forward(scratch, in, of(q.y), {q.last.data(), s}, {q.starts.data(), s}, how);
    wkv6_backward(scratch, in, {q.starts.data(), s}, of(q.dy), d, {q.dstate.data(), s}, how);
    for (std::size_t i = 0; i < p.y.size(); ++i) sums[i % C] += p.d[1][i];
    for (dim_t c = 0; c < C; ++c) {
      CHECK(dw[c] - 1 == doctest::Approx(sums[c]).epsilon(1e-10));
      CHECK(du[c] - 2 == doctest::Approx(p.du[c]).epsilon(1e-10));
    }
    q.du = p.du;
    check_same(q, p, 1e-12);
  };
  for (const wkv6::OverTime how : ways) run_still(B{}, how);
  run_still(Plain<double>{}, wkv6::OverTime::automatic);
}

double loss(Problem<double, 2, 3> p, wkv6::OverTime how) {
  Scratch<Cpu<double>> scratch;
  p.last = p.state;
  wkv6_forward(scratch, inputs<Cpu<double>>(p), {p.y.data(), p.seq}, {p.last.data(), p.seq}, {}, how);
  double sum = 0;
  for (std::size_t i = 0; i < p.y.size(); ++i) sum += p.dy[i] * p.y[i];
  for (std::size_t i = 0; i < p.last.size(); ++i) sum += p.dlast[i] * p.last[i];
  return sum;
}

TEST_CASE("wkv6's gradients are derivatives, the first state's included" * doctest::test_suite("accuracy")) {
  std::mt19937 random(7);
  for (const wkv6::OverTime how : ways) {
    auto p = random_problem<double, 2, 3>({2, 35}, random);
    run(p, how);
    const auto check = [&](const auto& of, const Numbers<double>& d) {
      for (std::size_t i = 0; i < d.size(); ++i) {
        auto up = p, down = p;
        const double h = 1e-5;
        of(up)[i] += h, of(down)[i] -= h;
        CHECK(d[i] == doctest::Approx((loss(up, how) - loss(down, how)) / (2 * h)).epsilon(1e-6));
      }
    };
    for (std::size_t i = 0; i < p.in.size(); ++i)
      check(
          [&](auto& q) -> auto& { return q.in[i]; }, p.d[i]);
    check(
        [](auto& q) -> auto& { return q.state; }, p.dstate);
  }
}

TEST_CASE("wkv6 in pieces that carry the state on is wkv6 in one") {
  std::mt19937 random(11);
  constexpr dim_t H = 2, N = 20;
  for (const wkv6::OverTime how : ways) {
    auto whole = random_problem<double, H, N>({1, 75}, random), joined = whole;
    run(whole, how);
    const dim_t cuts[] = {0, 1, 18, 34, 34, 66, 75};
    std::vector<Problem<double, H, N>> pieces;
    const auto copy = [&](std::size_t i, auto&& of, bool to_piece) {
      auto &piece = of(pieces[i]), &all = of(joined);
      const auto first = all.begin() + cuts[i] * H * N;
      to_piece ? std::copy_n(first, piece.size(), piece.begin()) : std::copy_n(piece.begin(), piece.size(), first);
    };
    auto state = whole.state;
    for (std::size_t i = 0; i + 1 < std::size(cuts); ++i) {
      pieces.emplace_back(Seq{1, cuts[i + 1] - cuts[i]});
      for (std::size_t j = 0; j < 4; ++j)
        copy(
            i, [&](auto& p) -> auto& { return p.in[j]; }, true);
      copy(
          i, [](auto& p) -> auto& { return p.dy; }, true);
      pieces[i].state = state, pieces[i].u = whole.u;
      run(pieces[i], how);
      state = pieces[i].last;
      copy(
          i, [](auto& p) -> auto& { return p.y; }, false);
    }
    joined.last = state, state = whole.dlast;
    for (std::size_t i = pieces.size(); i-- > 0;) {
      pieces[i].dlast = state;
      run(pieces[i], how);
      state = pieces[i].dstate;
      for (std::size_t c = 0; c < joined.du.size(); ++c) joined.du[c] += pieces[i].du[c];
      for (std::size_t j = 0; j < 4; ++j)
        copy(
            i, [&](auto& p) -> auto& { return p.d[j]; }, false);
    }
    joined.dstate = state;
    check_same(joined, whole, 1e-12);
  }
}

TEST_CASE("wkv6's ways over time agree, and any goes back after any other") {
  std::mt19937 random(13);
  auto sequential = random_problem<double, 2, 20>({2, 300}, random);
  run(sequential, wkv6::OverTime::sequential);
  for (const wkv6::OverTime forward : ways)
    for (const wkv6::OverTime backward : ways) {
      auto mixed = sequential;
      run_on<Cpu<double>>(mixed, forward, backward);
      check_same(mixed, sequential, 1e-12);
    }
}

TEST_CASE("wkv6 in blocks of time side by side is its reference at any length, gradients and states included" *
          doctest::test_suite("accuracy")) {
  std::mt19937 random(14);
  const std::pair<double, double> ranges[] = {{-6, 2}, {-16, -4}, {4, 4.1}};
  for (const dim_t time : {127, 128, 129, 257, 521, 1021, 4243})
    for (const auto& range : ranges) {
      INFO(time << " tokens, decays e^-e^" << range.first << " to e^-e^" << range.second);
      auto p = random_problem<double, 2, 20>({1, time}, random, range.first, range.second);
      run(p, wkv6::OverTime::scan), check_same(p, expected<double>(p), 1e-12);
      auto q = random_problem<float, 1, 64>({1, time}, random, range.first, range.second);
      run(q, wkv6::OverTime::scan), check_same(q, expected<double>(q), 1e-5);
    }
}

TEST_CASE("wkv6 goes over time in blocks where there is but one head, and time is long") {
  std::mt19937 random(15);
  const auto same = [&](auto p, wkv6::OverTime how) {
    auto q = p;
    run(p), run(q, how);
    check_same(p, q, 0);
  };
  same(random_problem<float, 1, 20>({1, 1024}, random), wkv6::OverTime::scan);
  same(random_problem<float, 1, 20>({1, 1023}, random), wkv6::OverTime::chunked);
  same(random_problem<float, 2, 20>({1, 1024}, random), wkv6::OverTime::chunked);
  same(random_problem<float, 1, 20>({2, 1024}, random), wkv6::OverTime::chunked);
}

TEST_CASE("wkv6 of no tokens leaves the state and its gradient as they are") {
  std::mt19937 random(17);
  auto p = random_problem<float, 2, 20>({3, 0}, random);
  for (const wkv6::OverTime how : ways) {
    run(p, how);
    CHECK(p.last == p.state);
    CHECK(p.dstate == p.dlast);
  }
}

TEST_CASE("wkv6 without a way back keeps nothing") {
  std::mt19937 random(19);
  using B = Cpu<float>;
  for (const wkv6::OverTime how : ways) {
    auto p = random_problem<float, 2, 20>({2, 50}, random), q = p;
    run(p, how);
    Scratch<B> scratch;
    q.last = q.state;
    wkv6_forward(scratch, inputs<B>(q), {q.y.data(), q.seq}, {q.last.data(), q.seq}, {}, how);
    CHECK(q.y == p.y);
    CHECK(q.last == p.last);
  }
}

TEST_CASE("wkv6 gives the same bits with any number of threads") {
  const auto with = [](int threads) {
    set_threads(threads);
    std::mt19937 random(29);
    std::vector<Numbers<float>> copies;
    for (const wkv6::OverTime how : ways) {
      auto p = random_problem<float, 2, 20>({4, 300}, random);
      run(p, how);
      each_result(p, [&](const char*, auto& x) { copies.push_back(x); });
    }
    return copies;
  };
  const auto one = with(1);
  for (int threads : {2, 3}) CHECK(with(threads) == one);
  set_threads(0);
}

TEST_CASE("wkv6 of bf16 signals computes in float and rounds what it gives") {
  std::mt19937 random(31);
  auto p = random_problem<bf16, 2, 20>({1, 50}, random);
  auto want = p.as<float>();
  for (const wkv6::OverTime how : ways) {
    run(p, how), run(want, how);
    check_same(p, want, 0x1p-8);
    CHECK(difference<2, 20>(p.last, want.last, p.seq, true) < 1e-6);
    CHECK(difference<2, 20>(p.dstate, want.dstate, p.seq, true) < 1e-6);
  }
}

TEST_CASE("wkv6 gives the golden numbers") {
  auto golden = test::golden_numbers<Numbers<double>>("wkv6");
  constexpr dim_t H = 2, N = 3;
  Problem<double, H, N> in({1, 35});
  for (std::size_t i = 0; i < 4; ++i) in.in[i] = golden[std::string(1, "rwkv"[i])];
  in.u = golden["u"], in.state = golden["state"], in.dy = golden["dy"], in.dlast = golden["dlast"];
  auto want = in;
  want.y = golden["y"], want.last = golden["last"], want.du = golden["du"], want.dstate = golden["dstate"];
  for (std::size_t i = 0; i < 4; ++i) want.d[i] = golden[names[1 + i]];
  check_same(expected<double>(in), want, 1e-10);
  for (const wkv6::OverTime how : ways) {
    auto p = in;
    auto q = in.as<float>();
    run(p, how), run(q, how);
    check_same(p, want, 1e-10), check_same(q, want, 1e-5);
  }
}

}  // namespace
