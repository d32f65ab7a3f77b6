#pragma once
#include <array>
#include <set>
#include <string>
#include <vector>

#include <rwkv/core/token_buffer.hpp>
#include <rwkv/gpu.hpp>
#include <rwkv/ops/attention.hpp>
#include <rwkv/ops/cross_entropy.hpp>
#include <rwkv/ops/embedding.hpp>
#include <rwkv/ops/layer_norm.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv4.hpp>
#include <rwkv/ops/wkv6.hpp>
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/rwkv.hpp>

#include "figures.hpp"
#include "noise.hpp"
#include "time.hpp"

// Every kernel that is written in blocks of threads, on one machine: what it must read and write, or calculate, at the
// least. A copy's rate counts what it reads and what it writes.
namespace bench {

using namespace rwkv;
constexpr dim_t C = 768, V = 50277, heads = 12, D = C / heads;
constexpr Seq seq{8, 1024};

template <class B>
struct Flat {
  Tensor<B, 64, 1 << 20> weight;
  static constexpr void fields(auto&& f, auto&&... p) { f(Field{"weight", init::zeros, true}, p.weight...); }
};

template <class B>
struct Kernels {
  using T = typename B::scalar;
  static constexpr bool is_short = !std::is_same_v<B, Accum<B>>;
  const Table& table;
  std::string kind;  // what the names of its figures end in
  Scratch<B> scratch{};

  template <class Call>
  void time(const std::string& name, double bytes, const Call& call, double operations = 0) {
    table.note(name + ", " + kind, milliseconds(call), bytes, operations, is_short);
  }
  /// Numbers between -size and size, and so much more.
  template <dim_t... D>
  auto take(Seq s = seq, float size = 1, float more = 0) {
    return filled<B>(scratch.template take<Shape<D...>>(s), size, more);
  }
  /// In full length: what adds up over tokens.
  template <dim_t... D>
  auto full(Seq s = seq) {
    return filled<Accum<B>>(scratch.template accum<Shape<D...>>(s));
  }
  template <class Machine>
  static auto filled(auto x, float size = 1, float more = 0) {
    Machine::for_each(1, x.size(), Noise<typename Machine::scalar>{x.data, size, more});
    return x;
  }

  void run() {
    const double row = double(sizeof(T)) * C * double(seq.tokens());
    std::vector<std::int32_t> ids(std::size_t(seq.tokens()));
    for (std::size_t i = 0; i < ids.size(); ++i) {  // as in a text: half the tokens are of few kinds
      const auto draw = i * 2654435761u >> 7;
      ids[i] = std::int32_t(draw % 2 ? draw / 2 % 50 : draw / 2 % std::size_t(V));
    }
    {
      const auto frame = scratch.frame();
      const auto x = take<Batch, Time, C>(), dy = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto w = take<C>(), b = take<C>();
      const auto dw = full<C>(), db = full<C>();
      const auto mean = full<Batch, Time, 1>(), rstd = full<Batch, Time, 1>();
      time("layer norm", 2 * row, [&] { layer_norm_forward<B>(scratch, 1e-5f, w, b, x, y, mean, rstd); });
      time("layer norm, back", 3 * row, [&] { layer_norm_backward<B>(scratch, w, x, mean, rstd, dy, y, dw, db); });
      const auto last = full<Batch, C>();
      const std::array mix{take<1, 1, C>(), take<1, 1, C>(), take<1, 1, C>()};
      const std::array dmix{full<1, 1, C>(), full<1, 1, C>(), full<1, 1, C>()};
      const std::array out{take<Batch, Time, C>(), take<Batch, Time, C>(), take<Batch, Time, C>()};
      time("token shift", 4 * row, [&] { token_shift_forward<B>(scratch, mix, x, last, out); });
      time("token shift, back", 5 * row, [&] { token_shift_backward<B>(scratch, mix, x, last, out, y, dmix, last); });
      const WeightMatrix<Accum<B>, V, C> table{full<V, C>()};
      TokenBuffer<B> tokens;
      const auto on_device = tokens(ids, seq);
      const double met = double(std::set(ids.begin(), ids.end()).size());  // rows of the table, read and written
      time("embedding, back", row + 2 * 4.0 * C * met, [&] { embedding_backward<B>(scratch, on_device, dy, table); });
    }
    {
      const auto frame = scratch.frame();
      const auto decay = take<C>(), bonus = take<C>();
      const auto ddecay = full<C>(), dbonus = full<C>();
      const auto k = take<Batch, Time, C>(), v = take<Batch, Time, C>(), y = take<Batch, Time, C>();
      const auto dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
      const auto state = full<Batch, 3, C>(), dstate = full<Batch, 3, C>();
      const auto starts = full<Batch, Spans, 3, C>();
      time("WKV-4", 3 * row, [&] { wkv4_forward<B>(scratch, decay, bonus, k, v, y, state, starts); });
      Accum<B>::fill(dstate.data, dstate.size(), 0);
      time("WKV-4, back", 5 * row,
           [&] { wkv4_backward<B>(scratch, decay, bonus, k, v, starts, y, dk, dv, ddecay, dbonus, dstate); });
    }
    wkv6(), wkv7();
    {
      const auto frame = scratch.frame();
      const auto q = take<Batch, Time, C>(), k = take<Batch, Time, C>(), v = take<Batch, Time, C>();
      const auto y = take<Batch, Time, C>(), dy = take<Batch, Time, C>();
      const auto dq = take<Batch, Time, C>(), dk = take<Batch, Time, C>(), dv = take<Batch, Time, C>();
      const auto softmax = full<Batch, Time, heads, 2>();
      const double seen = double(seq.batch * heads) * double(seq.time * (seq.time + 1)) / 2;  // keys, by all tokens
      time(
          "attention", 4 * row, [&] { attention_forward<B, heads, D>(scratch, q, k, v, y, softmax); }, 4 * D * seen);
      time(
          "attention, back", 8 * row,
          [&] { attention_backward<B, heads, D>(scratch, q, k, v, y, softmax, dy, dq, dk, dv); }, 10 * D * seen);
      const auto state_k = full<Batch, 1024, C>(), state_v = full<Batch, 1024, C>();
      const auto position = full<Batch, 1>();
      Accum<B>::fill(position.data, position.size(), 2000);
      const auto of_one = [&](auto x) { return Tensor<B, Batch, Time, C>{x.data, one}; };
      time("attention, one token", 2 * 4.0 * C * double(seq.tokens()), [&] {
        attention_forward<B, heads, D>(scratch, of_one(q), of_one(k), of_one(v), state_k, state_v, position, of_one(y),
                                       {softmax.data, one});
      });
    }
    {
      const auto frame = scratch.frame();
      constexpr Seq part{2, 1024};
      const auto logits = take<Batch, Time, V>(part);
      TokenBuffer<B> tokens;
      const auto targets = tokens(std::span(ids).first(std::size_t(part.tokens())), part);
      time("cross-entropy, loss on the host", double(sizeof(T)) * double(logits.size()),
           [&] { cross_entropy<B>(scratch, logits, targets); });
      time("cross-entropy, back, loss on the host", 2.0 * sizeof(T) * double(logits.size()),
           [&] { cross_entropy_backward<B>(scratch, logits, targets, 1, official_l2wrap); });
    }
    if constexpr (!is_short) optimizer();  // in full length on every machine
  }

 private:
  static constexpr Seq one{seq.batch, 1};
  static constexpr double signal = double(sizeof(T)) * C * double(seq.tokens()), sums = 4.0 * C * double(seq.tokens());
  static constexpr double states = 4.0 * C * D * double(seq.batch), kept = states * double(seq.spans());
  /// So many operations for every number of the states and every token, in full length whatever the signals are.
  template <class Call>
  void recurrence(const std::string& name, double bytes, double operations, const Call& call) {
    table.note(name + ", " + kind, milliseconds(call), bytes, operations * C * D * double(seq.tokens()), false);
  }
  void wkv6() {
    const auto frame = scratch.frame();
    using Signal = Tensor<B, Batch, Time, C>;
    const auto of = [&] { return take<Batch, Time, C>(); };
    const wkv6::Signals<B, heads, D, Signal, Tensor<B, C>> in{of(), of(), of(), take<Batch, Time, C>(seq, 3, -3),
                                                              take<C>()};
    const wkv6::Signals<B, heads, D, Signal, Tensor<Accum<B>, C>> d{of(), of(), of(), of(), full<C>()};
    const auto y = of(), dy = of();
    const auto state = full<Batch, heads, D, D>();
    const auto starts = full<Batch, Spans, heads, D, D>();
    recurrence("WKV-6", 5 * signal + kept, 6, [&] { wkv6_forward<B, heads, D>(scratch, in, y, state, starts); });
    recurrence("WKV-6, back", 9 * signal + kept, 16,
               [&] { wkv6_backward<B, heads, D>(scratch, in, starts, dy, d, state); });
    auto token = in;
    for (auto* x : {&token.r, &token.k, &token.v, &token.w}) x->seq = one;
    time("WKV-6, one token", 2 * states, [&] {
      wkv6_forward<B, heads, D>(scratch, token, Signal{y.data, one}, state, {});
    });
  }
  void wkv7() {
    const auto frame = scratch.frame();
    using Signal = Tensor<B, Batch, Time, C>;
    const auto of = [&](float size = 1, float more = 0) { return take<Batch, Time, C>(seq, size, more); };
    const wkv7::Signals<B, heads, D> in{of(), of(0.3f, -0.3f), of(), of(), of(0.1f), of(0.1f)};
    const wkv7::Signals<B, heads, D> d{of(), of(), of(), of(), of(), of()};
    const auto y = of(), dy = of();
    const auto state = full<Batch, heads, D, D>();
    const wkv7::Kept<B, heads, D> way_back{full<Batch, Spans, heads, D, D>(), full<Batch, Time, C>()};
    recurrence("WKV-7", 7 * signal + sums + kept, 10,
               [&] { wkv7_forward<B, heads, D>(scratch, in, y, state, way_back); });
    recurrence("WKV-7, back", 13 * signal + sums + kept, 26,
               [&] { wkv7_backward<B, heads, D>(scratch, in, way_back, dy, d, state); });
    auto token = in;
    for (auto* x : {&token.r, &token.w, &token.k, &token.v, &token.a, &token.b}) x->seq = one;
    time("WKV-7, one token", 2 * states, [&] {
      wkv7_forward<B, heads, D>(scratch, token, Signal{y.data, one}, state, {});
    });
  }
  void optimizer() {
    Owned<B, Flat<B>> params, gradient;
    std::array<Owned<B, Flat<B>>, 2> moments;
    const double n = double(params.size());
    time("norm of the gradient, on the host", 4 * n,
         [&] { sum_of_squares<B>(scratch, gradient.size(), gradient.data()); });
    const Trained<B, 2> trained{
        params.leaves(), params.data(), gradient.data(), {moments[0].data(), moments[1].data()}};
    time("AdamW", 32 * n, [&] { AdamW{}.step({1, 1e-3, 1}, trained); });
  }
};

}  // namespace bench
