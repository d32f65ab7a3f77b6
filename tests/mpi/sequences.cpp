// One text cut over processes, beside what each of them makes of the whole.
#include "sequences.hpp"

#include "../distributed/wkv4_stretch.hpp"
#include "../distributed/wkv7_stretch.hpp"

using namespace rwkv;

namespace {

/// Error unless this rank's stretch of what came out is that of the whole.
template <class T>
void expect_stretch(const char* what, int rank, const across_test::Cuts& cuts, Seq seq, const std::vector<T>& whole,
                    const std::vector<T>& mine) {
  const dim_t from = cuts[std::size_t(rank)], to = cuts[std::size_t(rank) + 1];
  const auto want = across_test::tokens(whole, seq, from, to);
  T off = want.size() == mine.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < want.size(); ++i)
    off = std::max(off, std::abs(mine[i] - want[i]) / (1 + std::abs(want[i])));
  if (!(off < 1e-11))
    throw Error(what, " of ", across_test::in_words(cuts), ": rank ", rank, " is off by ", double(off));
}

}  // namespace

void sequences(Mpi& mpi) {
  std::mt19937 random(5);
  const int rank = mpi.rank();
  for (int i = 0; i < 10; ++i) {
    const across_test::Cuts cuts = across_test::random_cuts(random, mpi.size());
    const Seq seq{1 + dim_t(random() % 2), cuts.back()};
    auto four = wkv4_test::random_problem<double, 40>(seq, random);
    auto seven = wkv7_test::random_problem<double, 2, 20>(seq, random);
    auto mine4 = part(four, cuts, rank);
    auto mine7 = part(seven, cuts, rank);
    run(four), run(seven);
    run_rank<Cpu<double>>(mpi, mine4), run_rank<Cpu<double>>(mpi, mine7);
    expect_stretch("wkv4", rank, cuts, seq, four.y, mine4.y),
        expect_stretch("wkv4", rank, cuts, seq, four.dk, mine4.dk);
    expect_stretch("wkv7", rank, cuts, seq, seven.y, mine7.y);
    for (std::size_t n = 0; n < 6; ++n) expect_stretch("wkv7", rank, cuts, seq, seven.d[n], mine7.d[n]);
  }
  if (rank == 0) std::printf("all sequences are whole in %d ranks\n", mpi.size());
}
