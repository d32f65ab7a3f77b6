// Every op, layer and model on the GPU, compared with the processor. Without a GPU this is what a CUDA compiler must
// get through; the program then says what is missing, with status 77.
#include <cstdio>

#include <rwkv/gpu.hpp>
#include <rwkv/layers/recompute.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/gpt2_study.hpp>
#include <rwkv/models/v1.hpp>
#include <rwkv/models/v4.hpp>
#include <rwkv/testing/machines.hpp>

using namespace rwkv;

namespace {
constexpr dim_t V = 11;
// Few channels scan over time, many walk.
struct Rwkv : Sequential<Named<"emb", Embedding<V, 12>>, Recompute<v4::Block<12>>, v4::Block<12>, Linear<12, V>> {};
struct Wide : Sequential<Linear<12, 64>, v4::TimeMix<64>, Linear<64, 12>> {};
using Early = v1::Model<V, 12, 2, 2, 6, 12, 256>;
using Gpt2 = gpt2::Model<V, 12, 2, 3, 256>;
using Heads = MultiHeadAttention<128, 2, 40>;  // on tensor cores, in the widths that models have
using Study = gpt2::study::Model<V, 12, 2, 6, 256>;

template <class Net, class T = float>
bool holds() {
  const auto report = testing::check_machines<Net, Gpu<T>>({.wild = false, .bounded = true, .vocabulary = V});
  std::printf("%s\n", report.text().c_str());
  return bool(report);
}
}  // namespace

int main() {
  try {
    gpu_count();
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 77;
  }
  return int(holds<Rwkv>()) + holds<Wide>() + holds<Early>() + holds<Gpt2>() + holds<Study>() + holds<Rwkv, bf16>() +
                     holds<Wide, bf16>() + holds<Early, bf16>() + holds<Gpt2, bf16>() + holds<Heads, bf16>() ==
                 10
             ? 0
             : 1;
}
