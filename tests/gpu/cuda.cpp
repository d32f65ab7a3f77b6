#include <doctest/doctest.h>

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
  const Model<Net, B> model(1);
  Context<B> context;
  context.needs_backward = false;
  struct Reader {
    ForwardCache<Net, B> cache;
    TokenBuffer<B> ids;
    typename Model<Net, B>::State state = Model<Net, B>::fresh_state();
  } plain, recorded;
  const auto tokens = [](Reader& reader, std::int32_t id) { return reader.ids({&id, 1}, {1, 1}); };
  const auto step = [&](Reader& reader, TokenIds ids) {
    return Net::forward(context, model.params, ids, reader.cache.of({1, 1}), reader.state.view());
  };
  step(recorded, tokens(recorded, 0));  // takes the memory
  recorded.state.reset();
  TensorOf<B, typename Net::Out> logits{};
  B::Record play([&, ids = tokens(recorded, 0)] { logits = step(recorded, ids); });
  for (std::int32_t n = 0; n < 100; ++n) {
    const std::int32_t id = n * 37 % 256;
    const auto expected = step(plain, tokens(plain, id));
    tokens(recorded, id);
    play();
    std::vector<float> one(256), other(256);
    B::download(one.data(), expected.data, 256);
    B::download(other.data(), logits.data, 256);
    REQUIRE(one == other);
  }
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
