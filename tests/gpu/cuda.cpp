#include <doctest/doctest.h>

#include <rwkv/gpu.hpp>
#include <rwkv/inference/generator.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/rwkv.hpp>

// What only CUDA has: streams, and calls recorded as graphs.
using namespace rwkv;

namespace {
using B = Gpu<float>;

/// A stream that waits for no other, nor others for it.
struct Stream {
  cudaStream_t handle = nullptr;
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess); }
  ~Stream() { cudaStreamDestroy(handle); }
};
std::vector<float> train() {
  using Net = v4::Model<256, 16, 2>;
  constexpr Seq seq{3, 16};
  Model<Net, B> model(1);
  Trainer trainer(model, TrainConfig{.schedule = {.learning_rate = 3e-3}}, seq);
  const RandomWindows windows(Corpus::of_text(std::string(2000, 'a') + std::string(2000, 'b'), Bytes()), seq);
  for (const auto& batch : windows.first(5)) trainer.step(batch);
  return model.params.download();
}
}  // namespace

TEST_CASE("training on a stream of its own is training, to the bit") {
  const auto expected = train();
  const Stream stream;
  const StreamGuard here(stream.handle);
  CHECK(gpu_stream() == stream.handle);
  CHECK(train() == expected);
}

TEST_CASE("the stream before comes back") {
  const Stream stream;
  const auto before = gpu_stream();
  { const StreamGuard here(stream.handle); }
  CHECK(gpu_stream() == before);
}

TEST_CASE("recorded calls are made when they are played, each time with what memory holds then") {
  constexpr dim_t n = 1000;
  const detail::Buffer<B> x(B::allocate(n)), y(B::allocate(n)), z(B::allocate(n));
  B::fill(x.get(), n, 1), B::fill(y.get(), n, 0), B::fill(z.get(), n, 2);
  B::Record twice([&] {
    B::copy(y.get(), x.get(), n);
    B::matmul(Op::none, Op::none, 1, 1, n, y.get(), z.get(), x.get(), 0);
  });
  float found = -1;
  B::download(&found, y.get(), 1);
  CHECK(found == 0);
  twice();
  B::download(&found, x.get(), 1);
  CHECK(found == 2 * n);
  B::fill(x.get(), n, 3);
  twice();
  B::download(&found, x.get(), 1);
  CHECK(found == 6 * n);
}

TEST_CASE("what waits for the device, or takes memory, cannot be recorded, and breaks nothing") {
  const detail::Buffer<B> x(B::allocate(1));
  float host = 0;
  CHECK_THROWS_AS(B::Record([&] { B::download(&host, x.get(), 1); }), CannotCapture);
  CHECK_THROWS_AS(B::Record([&] { B::upload(x.get(), &host, 1); }), CannotCapture);
  CHECK_THROWS_AS(B::Record([&] { B::allocate(1); }), CannotCapture);
  B::fill(x.get(), 1, 5);
  B::download(&host, x.get(), 1);
  CHECK(host == 5);
}
