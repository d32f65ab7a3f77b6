// What a broken layer looks like: this one forgets what came before, which training on whole sequences never shows.
#include <iostream>
#include <rwkv/testing/laws.hpp>

#include "leak.hpp"
using namespace rwkv;

template <dim_t C>
struct Forgetful : example::Leak<C> {
  using L = example::Leak<C>;
  template <class B>
  static TensorOf<B, typename L::Out> forward(Context<B>& ctx, const typename L::template Params<B>& p,
                                              TensorOf<B, typename L::In> x, typename L::template Cache<B>& c,
                                              typename L::template State<Accum<B>>& s) {
    Accum<B>::fill(s.sum.data, s.sum.size(), 0);
    return L::forward(ctx, p, x, c, s);
  }
};

int main() {
  const auto report = testing::check_equivalence<Forgetful<6>>();
  std::cout << report << '\n';
  const bool found = !report && !testing::check_equivalence<Forgetful<6>, Cpu<bf16>>();
  return found ? 0 : 1;
}
