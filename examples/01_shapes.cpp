// Shapes: widths are numbers in the type, batch and time are names. What a model costs is known before it runs.
#include <cstdio>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

// A signal of 64 channels for every token of every sequence, and what it holds for 8 sequences of 256 tokens.
using Tokens = Shape<Batch, Time, 64>;
static_assert(Tokens::unit == 64);
static_assert(Tokens::size({.batch = 8, .time = 256}) == 8 * 256 * 64);

// The published 169 M model: its parameters, and what it remembers of a text, however long.
using Net = v4::Model<50277, 768, 12>;
static_assert(parameters<Net>() == 169342464);
static_assert(state_units<Net>() == 12 * 5 * 768);

int main() {
  std::printf("parameters               %10ld\n", long(parameters<Net>()));
  std::printf("operations per token     %10ld\n", long(flops_per_token<Net>()));
  std::printf("state of a sequence      %10ld scalars\n", long(state_units<Net>()));
  std::printf("kept for backward, token %10ld scalars\n", long(cache_units_per_token<Net>()));

  // A view is a pointer with such a shape; it owns nothing. Owned holds the memory of a whole bundle of views.
  float numbers[2 * 3 * 4] = {};
  const View<float, Shape<Batch, Time, 4>> view{numbers, {.batch = 2, .time = 3}};
  std::printf("a view of %ld scalars\n", long(view.size()));
  return view.size() == 24 ? 0 : 1;
}
