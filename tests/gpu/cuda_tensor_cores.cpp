#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <rwkv/core/random.hpp>
#include <rwkv/gpu.hpp>
#include <rwkv/ops/attention.hpp>
#include <rwkv/rwkv.hpp>

using namespace rwkv;

namespace {
/// The same device, whose attention widens bf16 to floats.
template <class T>
struct WithoutTensorCores : Gpu<T> {
  static bool has_tensor_cores() { return false; }
};

constexpr dim_t heads = 2, D = 64;
template <template <class> class Machine>
std::vector<bf16> attention(dim_t time) {
  using B = Machine<bf16>;
  constexpr dim_t C = heads * D;
  const Seq seq{2, time};
  Scratch<B> scratch;
  const auto frame = scratch.frame();
  const auto signal = [&](std::uint64_t stream) {
    const auto x = scratch.template take<Shape<Batch, Time, C>>(seq);
    std::vector<bf16> host(static_cast<std::size_t>(x.size()));
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = bf16(float(Random{3, stream}.normals(i)[0]));
    B::upload(x.data, host.data(), x.size());
    return x;
  };
  const auto q = signal(1), k = signal(2), v = signal(3), y = signal(4);
  const auto softmax = scratch.template accum<Shape<Batch, Time, heads, 2>>(seq);
  attention_forward<B, heads, D>(scratch, q, k, v, y, softmax);
  std::vector<bf16> found(static_cast<std::size_t>(y.size()));
  B::download(found.data(), y.data, y.size());
  return found;
}
}  // namespace

TEST_CASE("from compute capability 8 on, what was compiled for it has tensor cores") {
  int major = 0;
  REQUIRE(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) == cudaSuccess);
  CHECK(Gpu<bf16>::has_tensor_cores() == (major >= 8));
}

TEST_CASE("attention of bf16 takes the tensor cores, and few tokens do not") {
  if (!Gpu<bf16>::has_tensor_cores()) return;
  const auto differing = [](dim_t time) {
    const auto ours = attention<Gpu>(time), wide = attention<WithoutTensorCores>(time);
    std::size_t count = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      CHECK(std::abs(float(ours[i]) - float(wide[i])) <= 0.05f);
      count += ours[i].bits != wide[i].bits;
    }
    return count;
  };
  CHECK(differing(4) == 0);
  CHECK(differing(200) > 0);  // weights that were rounded to bf16
}
