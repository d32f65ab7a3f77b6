#pragma once
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <rwkv/core/shape.hpp>
#include <rwkv/testing/draw.hpp>
#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

/// What a check tries.
struct Options {
  /// The environment variable RWKV_TEST_SEED, where it is set, so that a run can be varied without compiling.
  std::uint64_t seed = default_seed();
  int cases = 16;
  dim_t most_batch = 3, most_time = 3 * span;  ///< span is where recurrences keep their state
  bool wild = true;                            ///< also values ten to thirty times as large as usual
  bool bounded = false;  ///< wild values must not overflow either; where they may, such a case shows nothing
  bool dropout = false;  ///< layers drop as in training; which numbers follows from the case's seed
  dim_t vocabulary = 2;  ///< tokens that layers which read tokens know at least

  static std::uint64_t default_seed() {
    const char* text = std::getenv("RWKV_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 2024;
  }
};

/// One drawn input: everything else, parameters and numbers, follows from it and its seed.
struct Case {
  std::uint64_t seed = 0;
  Seq seq;
  std::vector<dim_t> pieces;  ///< into which the time is cut
  bool wild = false;

  std::string text() const {
    std::string cut;
    for (const dim_t n : pieces) cut += (cut.empty() ? "" : " + ") + std::to_string(n);
    return "batch " + std::to_string(seq.batch) + ", time " + std::to_string(seq.time) + " = " + cut +
           (wild ? ", wild values" : ", usual values") + ", seed " + std::to_string(seed);
  }
  friend bool operator==(const Case&, const Case&) = default;
};

/// Case number i of a seed: first one token, last none, else any, edges of spans among them.
inline Case draw_case(const Options& o, int i) {
  const std::uint64_t seed = o.seed + static_cast<std::uint64_t>(i);
  Draw draw(seed);
  const dim_t edges[] = {2, 3, 5, span - 1, span, span + 1, 2 * span + 7, 1 + draw.below(o.most_time)};
  Case c{seed,
         {1 + draw.below(o.most_batch), std::min(i == 0             ? 1
                                                 : i == o.cases - 1 ? 0
                                                                    : draw.one_of(edges),
                                                 o.most_time)},
         {},
         false};
  for (dim_t left = c.seq.time; left > 0; left -= c.pieces.back())
    c.pieces.push_back(draw.once_in(6) ? 0 : 1 + draw.below(left));
  if (c.pieces.empty()) c.pieces.push_back(0);
  c.wild = o.wild && draw.once_in(3);
  return c;
}

/// Cases that are a little smaller, the smallest first. One token is the least: that there may be none says little.
inline std::vector<Case> smaller(const Case& c) {
  std::vector<Case> all;
  const auto offer = [&](auto change) {
    Case next = c;
    change(next);
    if (next != c) all.push_back(std::move(next));
  };
  const auto shorten = [](Case& next, dim_t time) {
    dim_t surplus = next.seq.time - time;
    for (dim_t& n : next.pieces) {
      const dim_t taken = std::min(n, surplus);
      n -= taken, surplus -= taken;
    }
    next.seq.time = time;
  };
  offer([](Case& next) { next.wild = false; });
  offer([](Case& next) { next.seq.batch = 1; });
  if (c.seq.time > 1) offer([&](Case& next) { shorten(next, next.seq.time / 2); });
  for (std::size_t i = 0; i < c.pieces.size(); ++i) {
    if (c.pieces.size() > 1)  // joined with its neighbour
      offer([&](Case& next) {
        next.pieces[i > 0 ? i - 1 : 1] += next.pieces[i];
        next.pieces.erase(next.pieces.begin() + static_cast<std::ptrdiff_t>(i));
      });
    if (c.pieces[i] > 0 && c.seq.time > 1) offer([&](Case& next) { --next.pieces[i], --next.seq.time; });
  }
  return all;
}

/// Tries property(case), which returns a finding where it fails, on drawn cases; the first that fails is shrunk as long
/// as what is left still fails.
template <class Property>
Report try_cases(std::string check, const Options& options, Property&& property) {
  Report report{std::move(check), 0, "", "", {}};
  while (report.cases < options.cases && !report.finding) {
    Case c = draw_case(options, report.cases++);
    report.finding = property(c);
    if (!report.finding) continue;
    report.first = c.text();
    for (bool smallest = false; !smallest;) {
      smallest = true;
      for (const Case& next : smaller(c)) {
        auto finding = property(next);
        if (!finding) continue;
        report.finding = std::move(finding), c = next, smallest = false;
        break;
      }
    }
    report.smallest = c.text();
  }
  return report;
}

}  // namespace rwkv::testing
