// expect: fields() must list every member
// expect: static constexpr int borrowed
// expect g++: ForgetfulBundle<Pair>
// expect clang++: ForgetfulBundle<Pair>
#include <rwkv/core/fields.hpp>

struct Pair {
  rwkv::View<float, rwkv::Shape<4>> weight;
#ifdef RWKV_BAD
  rwkv::View<float, rwkv::Shape<4>> bias;
#endif
  static constexpr void fields(auto&& f, auto&&... p) {
    f(rwkv::Field{"weight"}, p.weight...);
  }
};

void visit(Pair& pair) {
  rwkv::for_each_leaf([](auto&&...) {}, pair);
}
