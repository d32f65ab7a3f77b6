// A layer and its gradient: forward leaves in the Cache what backward needs; the State goes on to the next tokens.
#include <cmath>
#include <cstdio>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

using B = Cpu<double>;
using Layer = v4::TimeMix<16>;

int main() {
  const Seq seq{.batch = 2, .time = 5};
  Owned<B, Layer::Params<B>> params, gradient;
  params.reset(1);
  const Random random{7};
  for (dim_t i = 0; i < params.size(); ++i) params.data()[i] += 0.3 * random.normals(i)[0];

  Owned<B, Layer::Cache<B>> cache(seq);
  Owned<B, Layer::State<B>> fresh({seq.batch, 1}), dstate({seq.batch, 1});
  fresh.reset();
  Context<B> context;
  std::vector<double> x(seq.tokens() * 16), dy(x.size(), 1.0), dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = random.normals(i)[1];
  const Tensor<B, Batch, Time, 16> input{x.data(), seq}, weights{dy.data(), seq}, derivative{dx.data(), seq};

  // The loss is the sum of all outputs, so its gradient by them is 1.
  const auto loss = [&] {
    auto state = fresh;
    const auto y = Layer::forward(context, params, input, cache.view(), state.view());
    double sum = 0;
    for (dim_t i = 0; i < y.size(); ++i) sum += y[i];
    return sum;
  };
  loss();
  Layer::backward(context, params, cache.view(), weights, derivative, gradient.view(), dstate.view());

  double worst = 0;
  for_each_leaf(
      [&](const Path& path, const Field&, auto& w, const auto& g) {
        const double keep = w[1], h = 1e-5;
        w[1] = keep + h;
        const double up = loss();
        w[1] = keep - h;
        const double down = loss();
        w[1] = keep;
        std::printf("%-18s gradient %10.6f, derivative %10.6f\n", path.name().c_str(), g[1], (up - down) / (2 * h));
        worst = std::max(worst, std::abs(g[1] - (up - down) / (2 * h)));
      },
      params.view(), gradient.view());
  return worst < 1e-6 ? 0 : 1;
}
