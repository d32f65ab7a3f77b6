#include <doctest/doctest.h>

#include <cstring>

#include <rwkv/gpu.hpp>
#include <rwkv/inference/forward_cache.hpp>
#include <rwkv/models/gpt2.hpp>
#include <rwkv/models/v7.hpp>
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

template <class Net, class T>
struct Reader {
  using B = Gpu<T>;
  const Model<Net, B>& model;
  Context<B> context = {};
  ForwardCache<Net, B> cache = {};
  TokenBuffer<B> ids = {};
  typename Model<Net, B>::State state = Model<Net, B>::fresh_state();

  explicit Reader(const Model<Net, B>& net) : model(net) { context.needs_backward = false; }
  TokenIds token(std::int32_t id) { return ids({&id, 1}, {1, 1}); }
  auto step(TokenIds of) { return Net::forward(context, model.params, of, cache.of({1, 1}), state.view()); }
};
template <class Net, class T>
void check_recorded() {
  using B = Gpu<T>;
  const Model<Net, B> model(1);
  Reader<Net, T> plain{model}, recorded{model};
  recorded.step(recorded.token(0));  // takes the memory
  recorded.state.reset();
  TensorOf<B, typename Net::Out> logits{};
  const TokenIds token = recorded.token(0);
  typename B::Record play([&] { logits = recorded.step(token); });
  for (std::int32_t n = 0; n < 100; ++n) {
    const std::int32_t id = n * 37 % 256;
    const auto expected = plain.step(plain.token(id));
    recorded.token(id);
    play();
    std::vector<T> one(256), other(256);
    B::download(one.data(), expected.data, 256);
    B::download(other.data(), logits.data, 256);
    REQUIRE(std::memcmp(one.data(), other.data(), 256 * sizeof(T)) == 0);
  }
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

TEST_CASE_TEMPLATE("a recorded step of decoding is the plain one, a hundred times over", Net, v4::Model<256, 64, 2>,
                   v7::Model<256, 64, 2>, gpt2::Model<256, 64, 2, 2, 128>) {
  check_recorded<Net, float>();
  check_recorded<Net, bf16>();
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
