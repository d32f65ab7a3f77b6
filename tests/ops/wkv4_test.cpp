#include "golden_numbers.hpp"
#include "wkv4_problem.hpp"

// WKV-4 beside its definition, its derivatives, itself in pieces and the golden numbers.
namespace {

using namespace wkv4_test;

/// The definition: y_t is an average with weights e^logit over the past before the sequence and tokens 0 ... t, so
/// every gradient is that of a softmax. O(T^2), nothing of the recurrence but the scale e^pp that p.last names.
template <dim_t C>
void define(Problem<long double, C>& p) {
  using R = long double;
  const dim_t T = p.seq.time;
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c) {
      const auto at = [&](dim_t t) { return (b * T + t) * C + c; };
      const auto row = [&](dim_t r) { return (b * 3 + r) * C + c; };
      const R w = -std::exp(p.time_decay[c]), u = p.time_first[c];
      const R aa = p.state[row(0)], bb = p.state[row(1)], pp = p.state[row(2)];
      const R top = p.last[row(2)];
      R daa = 0, dbb = 0, dpp = 0, dw = 0;
      for (dim_t t = 0; t < T; ++t) p.dk[at(t)] = p.dv[at(t)] = 0;
      for (dim_t t = 0; t <= T; ++t) {  // t = T stands for the last state
        const R past = t * w + pp, self = t < T ? u + p.k[at(t)] : 0;
        R scale = t < T ? std::max(past, self) : top, num = 0, den = 0;
        const auto logit = [&](dim_t s) { return s == t ? self : (t - 1 - s) * w + p.k[at(s)]; };
        if (t < T)
          for (dim_t s = 0; s < t; ++s) scale = std::max(scale, logit(s));
        const R of_past = std::exp(past - scale);
        num = of_past * aa, den = of_past * bb;
        for (dim_t s = 0; s <= std::min(t, T - 1); ++s)
          num += std::exp(logit(s) - scale) * p.v[at(s)], den += std::exp(logit(s) - scale);
        if (t < T)
          p.y[at(t)] = num / den;
        else
          p.last[row(0)] = num, p.last[row(1)] = den;
        const R dnum = t < T ? p.dy[at(t)] / den : p.dlast[row(0)], dden = t < T ? -dnum * num / den : p.dlast[row(1)];
        for (dim_t s = 0; s <= std::min(t, T - 1); ++s) {
          const R e = std::exp(logit(s) - scale), dlogit = e * (dnum * p.v[at(s)] + dden);
          p.dv[at(s)] += e * dnum;
          p.dk[at(s)] += dlogit;
          (s == t ? p.dtime_first[c] : dw) += s == t ? dlogit : (t - 1 - s) * dlogit;
        }
        const R dlogit = of_past * (dnum * aa + dden * bb);
        daa += of_past * dnum, dbb += of_past * dden, dpp += dlogit, dw += t * dlogit;
      }
      p.dtime_decay[c] += w * dw;
      p.dstate[row(0)] = daa, p.dstate[row(1)] = dbb, p.dstate[row(2)] = dpp;
    }
}

template <class T, dim_t C>
void check_against_definition(Seq seq, std::mt19937& random, double tolerance, double key = 4) {
  INFO(C << " channels, " << seq.batch << " sequences of " << seq.time);
  auto p = random_problem<T, C>(seq, random, key);
  run(p);
  auto want = p.template as<long double>();
  define(want);
  check_same(p, want, tolerance);
}

TEST_CASE("wkv4 is its definition, gradients included") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto some = [&](dim_t most) { return 1 + dim_t(random() % most); };
  for (int i = 0; i < 8; ++i) {
    check_against_definition<double, 1>({some(4), some(100)}, random, 1e-12);
    check_against_definition<double, 11>({some(3), some(100)}, random, 1e-12);
    check_against_definition<double, 70>({some(3), some(70)}, random, 1e-12);
    check_against_definition<float, 11>({some(3), some(100)}, random, 1e-5);
    check_against_definition<float, 70>({some(3), some(70)}, random, 1e-5);
    check_against_definition<double, 11>({some(3), some(50)}, random, 1e-12, 80);
    check_against_definition<float, 11>({some(3), some(50)}, random, 2e-4, 80);
  }
  for (dim_t time : {1, 2, 31, 32, 33, 63, 64, 65, 96}) check_against_definition<double, 11>({2, time}, random, 1e-12);
}

/// The loss whose gradients `dy` and `dlast` are, the last state at the scale e^pp it had unperturbed.
template <dim_t C>
double loss(Problem<double, C> p, const Numbers<double>& pp) {
  run(p);
  double sum = 0;
  for (std::size_t i = 0; i < p.y.size(); ++i) sum += p.dy[i] * p.y[i];
  for (dim_t b = 0; b < p.seq.batch; ++b)
    for (dim_t c = 0; c < C; ++c)
      for (dim_t j = 0; j < 2; ++j)
        sum += p.dlast[(b * 3 + j) * C + c] * p.last[(b * 3 + j) * C + c] *
               std::exp(p.last[(b * 3 + 2) * C + c] - pp[(b * 3 + 2) * C + c]);
  return sum;
}

TEST_CASE("wkv4's gradients are derivatives") {
  std::mt19937 random(7);
  auto p = random_problem<double, 5>({2, 35}, random);
  run(p);
  const auto check = [&](Numbers<double> Problem<double, 5>::*x, Numbers<double> Problem<double, 5>::*dx) {
    for (std::size_t i = 0; i < (p.*x).size(); ++i) {
      if ((p.*x)[i] < -1e37) continue;
      auto up = p, down = p;
      const double h = 1e-5;
      (up.*x)[i] += h, (down.*x)[i] -= h;
      CHECK((p.*dx)[i] == doctest::Approx((loss(up, p.last) - loss(down, p.last)) / (2 * h)).epsilon(1e-6));
    }
  };
  using P = Problem<double, 5>;
  check(&P::time_decay, &P::dtime_decay), check(&P::time_first, &P::dtime_first);
  check(&P::k, &P::dk), check(&P::v, &P::dv), check(&P::state, &P::dstate);
}

/// Tokens [first, end) of every sequence, as a problem of their own.
template <class T, dim_t C>
Problem<T, C> part(const Problem<T, C>& p, dim_t first, dim_t end) {
  Problem<T, C> q{{p.seq.batch, end - first}};
  q.time_decay = p.time_decay, q.time_first = p.time_first, q.state = p.state, q.dlast = p.dlast;
  for (auto x : {&Problem<T, C>::k, &Problem<T, C>::v, &Problem<T, C>::dy})
    for (dim_t b = 0; b < p.seq.batch; ++b)
      std::copy_n((p.*x).begin() + (b * p.seq.time + first) * C, (end - first) * C,
                  (q.*x).begin() + b * (end - first) * C);
  return q;
}

TEST_CASE("wkv4 in two calls is one call") {
  std::mt19937 random(17);
  for (dim_t time : {0, 1, 20, 32, 50, 77}) {
    CAPTURE(time);
    auto whole = random_problem<double, 11>({2, 77}, random);
    auto head = part(whole, 0, time), tail = part(whole, time, 77);
    run(whole);
    run(head);
    tail.state = head.last;
    run(tail);
    head.dlast = tail.dstate;
    head.dtime_decay = tail.dtime_decay, head.dtime_first = tail.dtime_first;  // they accumulate
    run(head);
    CHECK(difference(tail.last, whole.last) < 1e-14);
    CHECK(difference(head.dstate, whole.dstate) < 1e-12);
    CHECK(difference(head.dtime_decay, whole.dtime_decay) < 1e-12);
    CHECK(difference(head.dtime_first, whole.dtime_first) < 1e-12);
    const auto head_of_whole = part(whole, 0, time);
    for (dim_t b = 0; b < 2; ++b)
      for (dim_t t = 0; t < 77; ++t)
        for (dim_t c = 0; c < 11; ++c) {
          const auto& side = t < time ? head : tail;
          const dim_t i = (b * 77 + t) * 11 + c, j = (b * side.seq.time + (t < time ? t : t - time)) * 11 + c;
          CHECK(side.y[j] == doctest::Approx(whole.y[i]).epsilon(1e-13));
          CHECK(side.dk[j] == doctest::Approx(whole.dk[i]).epsilon(1e-10));
          CHECK(side.dv[j] == doctest::Approx(whole.dv[i]).epsilon(1e-10));
        }
  }
}

constexpr OverTime both[] = {OverTime::sequential, OverTime::scan};

TEST_CASE("wkv4 without tokens leaves everything alone") {
  std::mt19937 random(19);
  for (const OverTime how : both) {
    auto p = random_problem<float, 11>({3, 0}, random);
    p.dtime_decay.assign(11, 2.f);
    run(p, how);
    CHECK(p.last == p.state);
    CHECK(p.dstate == p.dlast);
    CHECK(p.dtime_decay == Numbers<float>(11, 2.f));
  }
}

TEST_CASE("wkv4 works in place, and without starts") {
  std::mt19937 random(43);
  using B = Cpu<float>;
  constexpr dim_t C = 11;
  for (const OverTime how : both) {
    auto p = random_problem<float, C>({2, 5000}, random);
    run(p, how);
    const Seq s = p.seq;
    auto k = p.k, v = p.v, last = p.state, dstate = p.dlast, y = p.k;
    Numbers<float> dw(C), du(C);
    Scratch<B> scratch;
    const Tensor<B, C> w{p.time_decay.data(), s}, u{p.time_first.data(), s};
    using Signal = Tensor<B, Batch, Time, C>;
    wkv4_forward<B, C>(scratch, w, u, Signal{y.data(), s}, {v.data(), s}, {y.data(), s}, {last.data(), s}, {nullptr, s},
                       how);
    wkv4_backward<B, C>(scratch, w, u, Signal{k.data(), s}, {v.data(), s}, {p.starts.data(), s}, {p.dy.data(), s},
                        {k.data(), s}, {v.data(), s}, {dw.data(), s}, {du.data(), s}, {dstate.data(), s}, how);
    const std::vector<Numbers<float>> all{y, last, k, v, dw, du, dstate};
    for (std::size_t i = 0; i < std::size(names); ++i) CHECK(all[i] == *p.results()[i]);
  }
}

TEST_CASE("wkv4 gives the same bits with any number of threads") {
  const auto with = [](int threads) {
    set_threads(threads);
    std::mt19937 random(29);
    std::vector<Numbers<float>> copies;
    const auto add = [&](auto p, OverTime how) {
      run(p, how);
      for (auto* x : p.results()) copies.push_back(*x);
    };
    add(random_problem<float, 11>({1, 9000}, random), OverTime::automatic);
    add(random_problem<float, 11>({5, 700}, random), OverTime::automatic);
    add(random_problem<float, 150>({5, 70}, random), OverTime::sequential);
    return copies;
  };
  const auto one = with(1);
  for (int threads : {2, 3, 7}) CHECK(with(threads) == one);
  set_threads(0);
}

TEST_CASE("wkv4 gives the golden numbers") {
  auto golden = test::golden_numbers<Numbers<double>>("wkv4");
  const auto check = [&](auto tag, double tolerance) {
    using T = decltype(tag);
    constexpr dim_t C = 5;
    Problem<double, C> in{{2, 37}};
    in.time_decay = golden["time_decay"], in.time_first = golden["time_first"], in.k = golden["k"], in.v = golden["v"];
    in.state = golden["state"], in.dy = golden["dy"], in.dlast = golden["dlast"];
    auto p = in.template as<T>();
    run(p);
    for (std::size_t i = 0; i < std::size(names); ++i) {
      INFO(std::string(names[i]));
      CHECK(difference(*p.results()[i], golden[names[i]]) < tolerance);
    }
  };
  check(double{}, 1e-10);
  check(float{}, 1e-5);
}

}  // namespace
