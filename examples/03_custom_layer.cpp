// A layer of one's own: y = scale * x, with one scale per channel. It lists its members once; that is all the library
// needs to initialise, count, train and save them. Signals and parameters are of B; what adds up over tokens, such as a
// gradient, is of Accum<B>, in full precision: then the layer works in bf16 as well.
#include <cstdio>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

template <class T, dim_t C>
struct ScaleKernel {  // written once: c is one channel, or a register of them
  const T *x, *scale;
  T* y;
  RWKV_HD void operator()(dim_t token, auto c) const {
    store(y, token * C + c, load(x, token * C + c) * load(scale, c));
  }
};
template <class T, dim_t C>
struct ScaleGradient {
  dim_t tokens;
  const T *x, *dy;
  compute_of<T>* dscale;
  RWKV_HD void operator()(dim_t, auto c) const {
    auto sum = load(dscale, c);
    for (dim_t t = 0; t < tokens; ++t) sum += load(x, t * C + c) * load(dy, t * C + c);
    store(dscale, c, sum);
  }
};

template <dim_t C>
struct Scale {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = C;

  template <class B>
  struct Params {
    Tensor<B, C> scale;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"scale", init::ones}, p.scale...); }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 1;
    TensorOf<B, In> x;  // the caller's memory: not listed
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...); }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty&) {
    c.x = x;
    B::for_each(x.seq.tokens(), C, ScaleKernel<typename B::scalar, C>{x.data, p.scale.data, c.y.data});
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty&) {
    using T = typename B::scalar;
    const auto frame = ctx.scratch.frame();
    const auto dscale = ctx.scratch.gradient(dp.scale);  // there also where the parameter is not trained
    B::for_each(1, C, ScaleGradient<T, C>{dy.seq.tokens(), c.x.data, dy.data, dscale.data});
    B::for_each(dy.seq.tokens(), C, ScaleKernel<T, C>{dy.data, p.scale.data, dx.data});
  }
};

// It composes like any other.
struct Net : Sequential<Embedding<256, 32>, Residual<Named<"scale", Scale<32>>, v4::ChannelMix<32>>, LayerNorm<32>,
                        Linear<32, 256>> {};

template <class B>
bool learns() {
  Model<Net, B> model;
  const Corpus text =
      Corpus::of_text("the quick brown fox jumps over the lazy dog, again and again and again. ", Bytes());
  Trainer train{model, TrainConfig{.schedule = {.learning_rate = 1e-2}}, Seq{.batch = 4, .time = 16}};
  double first = 0, last = 0;
  for (const auto& batch : RandomWindows(text, train.seq()).first(100))
    last = train.step(batch), first = first > 0 ? first : last;
  std::printf("loss %.3f -> %.3f\n", first, last);
  return last < first / 2;
}

int main() {
  for (const Leaf& leaf : list_leaves<Cpu<float>, Net::Params<Cpu<float>>>())
    std::printf("%-28s %6ld\n", leaf.name.c_str(), long(leaf.size));
  return learns<Cpu<float>>() && learns<Cpu<bf16>>() ? 0 : 1;
}
