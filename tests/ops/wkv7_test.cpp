#include "golden_numbers.hpp"
#include "wkv7_problem.hpp"

// WKV-7 beside its reference, its derivatives, itself in pieces and the golden numbers.
namespace {

using namespace wkv7_test;

constexpr wkv7::OverTime both[] = {wkv7::OverTime::sequential, wkv7::OverTime::chunked};

/// Either way on the processor, and where there are no lanes.
template <class T, dim_t H, dim_t N>
void check(Problem<T, H, N> p, double allowed) {
  INFO(H << " heads of " << N << ", " << p.seq.batch << " sequences of " << p.seq.time);
  const auto want = expected<double>(p);
  for (const wkv7::OverTime how : both) {
    INFO("chunked " << (how == wkv7::OverTime::chunked));
    run(p, how);
    check_same(p, want, allowed);
  }
  INFO("no lanes");
  run_on<Plain<T>>(p, wkv7::OverTime::automatic, wkv7::OverTime::automatic);
  check_same(p, want, allowed);
}

TEST_CASE("wkv7 is its reference, gradients included, at any length and size of a head") {
  std::mt19937 random(1);
  for (const dim_t time : {1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 49, 97}) {
    check(random_problem<double, 2, 20>({2, time}, random), 1e-12);
    check(random_problem<double, 2, 64>({1, time}, random), 1e-12);
    check(random_problem<float, 2, 64>({1, time}, random), 1e-5);
  }
  check(random_problem<double, 3, 1>({2, 37}, random), 1e-12);
  check(random_problem<float, 2, 20>({3, 50}, random), 1e-5);
}

TEST_CASE("wkv7 is its reference at either end of the decays, and where they jump between them") {
  std::mt19937 random(3);
  for (const double shift : {-1e3, -20., 20., 1e3}) {
    check(random_problem<double, 2, 20>({2, 70}, random, 1, shift), 1e-12);
    check(random_problem<float, 2, 20>({2, 70}, random, 1, shift), 1e-5);
  }
  check(random_problem<double, 2, 20>({2, 70}, random, 1e3), 1e-12);
  check(random_problem<float, 2, 20>({2, 70}, random, 1e3), 1e-5);
}

TEST_CASE("wkv7 is its reference with signals of any size") {
  std::mt19937 random(5);
  for (const double size : {1e-12, 1e6, 1e10})
    for (int i : {0, 2, 3}) {  // a and b are bounded: what they make of a state may grow with every token
      auto p = random_problem<float, 2, 20>({2, 50}, random);
      for (float& x : p.in[i]) x *= float(size);
      check(p, 1e-5);
    }
}

TEST_CASE("wkv7 of a decay that is no number is no number from there on, on every machine") {
  std::mt19937 random(6);
  constexpr std::size_t row = 2 * 20;
  auto p = random_problem<float, 2, 20>({1, 40}, random);
  std::fill_n(&p.in[1][21 * row], row, NAN);
  const auto check_tokens = [](const auto& q) {
    for (std::size_t i = 0; i < q.y.size(); ++i) CHECK(std::isfinite(q.y[i]) == (i < 21 * row));
  };
  for (const wkv7::OverTime how : both) run(p, how), check_tokens(p);
  run_on<Plain<float>>(p, wkv7::OverTime::automatic, wkv7::OverTime::automatic);
  check_tokens(p);
}

double loss(Problem<double, 2, 3> p, wkv7::OverTime how) {
  Scratch<Cpu<double>> scratch;
  p.last = p.state;
  wkv7_forward(scratch, signals<Cpu<double>, double, 2, 3>(p.in, p.seq), {p.y.data(), p.seq}, {p.last.data(), p.seq},
               {}, how);
  double sum = 0;
  for (std::size_t i = 0; i < p.y.size(); ++i) sum += p.dy[i] * p.y[i];
  for (std::size_t i = 0; i < p.last.size(); ++i) sum += p.dlast[i] * p.last[i];
  return sum;
}

TEST_CASE("wkv7's gradients are derivatives, the first state's included" * doctest::test_suite("accuracy")) {
  std::mt19937 random(7);
  for (const wkv7::OverTime how : both) {
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

TEST_CASE("wkv7 in pieces that carry the state on is wkv7 in one") {
  std::mt19937 random(11);
  constexpr dim_t H = 2, N = 20;
  for (const wkv7::OverTime how : both) {
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
      for (std::size_t j = 0; j < 6; ++j)
        copy(
            i, [&](auto& p) -> auto& { return p.in[j]; }, true);
      copy(
          i, [](auto& p) -> auto& { return p.dy; }, true);
      pieces[i].state = state;
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
      for (std::size_t j = 0; j < 6; ++j)
        copy(
            i, [&](auto& p) -> auto& { return p.d[j]; }, false);
    }
    joined.dstate = state;
    check_same(joined, whole, 1e-12);
  }
}

TEST_CASE("wkv7's ways over time agree, and either goes back after either") {
  std::mt19937 random(13);
  auto sequential = random_problem<double, 2, 20>({2, 100}, random), mixed = sequential, other = sequential;
  run(sequential, wkv7::OverTime::sequential);
  run_on<Cpu<double>>(mixed, wkv7::OverTime::chunked, wkv7::OverTime::sequential);
  run_on<Cpu<double>>(other, wkv7::OverTime::sequential, wkv7::OverTime::chunked);
  check_same(mixed, sequential, 1e-12), check_same(other, sequential, 1e-12);
}

TEST_CASE("wkv7 of no tokens leaves the state and its gradient as they are") {
  std::mt19937 random(17);
  auto p = random_problem<float, 2, 20>({3, 0}, random);
  for (const wkv7::OverTime how : both) {
    run(p, how);
    CHECK(p.last == p.state);
    CHECK(p.dstate == p.dlast);
  }
}

TEST_CASE("wkv7 without a way back keeps nothing") {
  std::mt19937 random(19);
  using B = Cpu<float>;
  for (const wkv7::OverTime how : both) {
    auto p = random_problem<float, 2, 20>({2, 50}, random), q = p;
    run(p, how);
    Scratch<B> scratch;
    q.last = q.state;
    wkv7_forward(scratch, signals<B, float, 2, 20>(q.in, q.seq), {q.y.data(), q.seq}, {q.last.data(), q.seq}, {}, how);
    CHECK(q.y == p.y);
    CHECK(q.last == p.last);
  }
}

TEST_CASE("wkv7 gives the same bits with any number of threads") {
  const auto with = [](int threads) {
    set_threads(threads);
    std::mt19937 random(29);
    std::vector<Numbers<float>> copies;
    for (const wkv7::OverTime how : both) {
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

TEST_CASE("wkv7 of bf16 signals computes in float and rounds what it gives") {
  std::mt19937 random(31);
  auto p = random_problem<bf16, 2, 20>({1, 50}, random);
  auto want = p.as<float>();
  for (const wkv7::OverTime how : both) {
    run(p, how), run(want, how);
    check_same(p, want, 0x1p-8);
    CHECK(difference<2, 20>(p.last, want.last, p.seq, true) < 1e-6);
    CHECK(difference<2, 20>(p.dstate, want.dstate, p.seq, true) < 1e-6);
  }
}

TEST_CASE("wkv7 gives the golden numbers") {
  auto golden = test::golden_numbers<Numbers<double>>("wkv7");
  constexpr dim_t H = 2, N = 3;
  Problem<double, H, N> in({1, 35});
  for (std::size_t i = 0; i < 6; ++i) in.in[i] = golden[std::string(1, "rwkvab"[i])];
  in.state = golden["state"], in.dy = golden["dy"], in.dlast = golden["dlast"];
  auto want = in;
  want.y = golden["y"], want.last = golden["last"], want.dstate = golden["dstate"];
  for (std::size_t i = 0; i < 6; ++i) want.d[i] = golden[names[1 + i]];
  check_same(expected<double>(in), want, 1e-10);
  for (const wkv7::OverTime how : both) {
    auto p = in;
    auto q = in.as<float>();
    run(p, how), run(q, how);
    check_same(p, want, 1e-10), check_same(q, want, 1e-5);
  }
}

}  // namespace
