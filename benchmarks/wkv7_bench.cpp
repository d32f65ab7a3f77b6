#include "heads_bench.hpp"
#include "wkv7_problem.hpp"

// WKV-7 forward, and forward with backward: token after token and in chunks, on one thread and on all, and beside the
// reference, which does the same one token after the other in plain loops.
namespace {

const bool compared =
    bench::compare<bench::Wkv7Problem, 12, 64>({{8, 256}, {1, 1}, {1, 4}, {1, 16}, {1, 64}, {1, 1024}}) &&
    bench::compare<bench::Wkv7Problem, 6, 64>({{8, 256}}) && bench::compare<bench::Wkv7Problem, 2, 64>({{8, 128}});

}  // namespace

BENCHMARK_MAIN();
