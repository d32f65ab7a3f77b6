#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include <rwkv/core/shape.hpp>
#include <rwkv/testing/draw.hpp>
#include <rwkv/testing/options.hpp>

namespace rwkv::testing {

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

}  // namespace rwkv::testing
