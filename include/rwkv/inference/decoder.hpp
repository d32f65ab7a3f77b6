#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <rwkv/backend/graph_cache.hpp>
#include <rwkv/core/token_buffer.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

namespace detail {
template <class Net>
constexpr dim_t context_length_of() {
  if constexpr (requires { Net::context; })
    return Net::context;
  else
    return 0;
}
}  // namespace detail
/// The most tokens that a model can read in one sequence; 0: any number.
template <class Net>
inline constexpr dim_t context_length = detail::context_length_of<Net>();

/// Runs a language model: tokens in, logits of the next token out, for one sequence or a batch of independent ones of
/// equal length. Prompts are read in chunks; every further token is one step, which allocates no memory and which a
/// machine that can record calls launches as one. A model of limited context that is full begins anew with the last
/// half of it. Several decoders may share a model. A copy has memory of its own and goes on as the original would.
template <class Net, Backend B = Cpu<float>>
requires LanguageModel<Net>
class Decoder {
  static constexpr dim_t V = rwkv::vocabulary<Net>, limit = context_length<Net>;
  using T = typename B::scalar;
  using Ids = std::span<const std::int32_t>;

 public:
  using State = typename Model<Net, B>::State;
  /// Tokens of each sequence that a prompt is read in at once.
  static constexpr dim_t chunk = limit > 0 && limit < 128 ? (limit + 1) / 2 : 64;

  /// Everything that what comes next depends on.
  struct Snapshot {
    State state;
    std::vector<float> logits;       // empty: not known
    std::vector<std::int32_t> seen;  // where the context is limited
  };

  /// Error unless the batch is at least 1.
  explicit Decoder(const Model<Net, B>& model, dim_t batch = 1)
      : model_(&model), state_(Model<Net, B>::fresh_state(expect(batch))), one_(make_reader(1)) {
    context_.needs_backward = false;
    const auto n = static_cast<std::size_t>(batch);
    if (detail::product(batch, V * chunk) >= detail::uncountable) detail::refuse_as_uncountable({batch, chunk});
    logits_.resize(n * V);
    if constexpr (!std::is_same_v<T, float>) scalars_.resize(logits_.size());
    ids_.reserve(n * chunk);
    seen_.reserve(n * limit);
  }
  explicit Decoder(const Model<Net, B>&& temporary, dim_t batch = 1) = delete;
  Decoder(const Decoder& other) : Decoder(*other.model_, other.batch()) { restore(other.snapshot()); }
  Decoder(Decoder&&) noexcept = default;
  Decoder& operator=(const Decoder& other) { return *this = Decoder(other); }
  Decoder& operator=(Decoder&&) noexcept = default;

  static constexpr dim_t vocabulary() { return V; }
  static constexpr dim_t context() { return limit; }
  dim_t batch() const { return state_.seq().batch; }

  /// Reads the next token of each sequence; returns logits().
  std::span<const float> feed(Ids ids) {
    if (dim_t(ids.size()) != batch())
      throw Error("Decoder: expected a token of each of ", batch(), " sequences, found ", ids.size(),
                  "; prefill reads more than one of each");
    return prefill(ids);
  }
  std::span<const float> feed(std::int32_t id) { return feed({&id, 1}); }
  /// Reads a prompt of each sequence, (batch, time); returns logits().
  std::span<const float> prefill(Ids ids) {
    read(ids, false, [](dim_t, std::span<const float>) {});
    return logits();
  }
  /// The same, and each(t, logits) for token number t of the prompts, as logits() would be after it.
  template <class Each>
  void prefill(Ids ids, const Each& each) {
    read(ids, true, each);
  }

  /// Of the token that follows the last one read, (batch, vocabulary). Empty where they are not known: at the start
  /// and after set_state.
  std::span<const float> logits() const { return known_ ? std::span<const float>(logits_) : std::span<const float>(); }

  /// Forgets everything it has read.
  void reset() {
    state_.reset();
    seen_.clear();
    known_ = false;
  }
  Snapshot snapshot() const { return {state_, {logits().begin(), logits().end()}, seen_}; }
  void restore(const Snapshot& from) {
    set_state(from.state);
    known_ = !from.logits.empty();
    std::copy(from.logits.begin(), from.logits.end(), logits_.begin());
    seen_.assign(from.seen.begin(), from.seen.end());
  }

  const State& state() const { return state_; }
  /// Goes on from a state alone. It does not hold logits, nor the tokens of a limited context: one that becomes full is
  /// then an Error, or NaN on an asynchronous machine.
  void set_state(const State& state) {
    if (state.seq().batch != batch())
      throw Error("Decoder: expected a state of ", batch(), " sequences, found one of ", state.seq().batch,
                  "; make it with fresh_state(", batch(), ")");
    Accum<B>::copy(state_.data(), state.data(), state.size());
    seen_.clear();
    known_ = false;
  }

 private:
  static dim_t expect(dim_t batch) {
    if (batch < 1) throw Error("Decoder: expected a batch of at least 1, found ", batch);
    return batch;
  }

  /// Reads so many tokens of each sequence at once, always with the same memory.
  struct Reader {
    Owned<B, typename Net::template Cache<B>> cache;
    TokenBuffer<B> ids = {};
    GraphCache<B> calls = {};
    TensorOf<B, typename Net::Out> every = {}, last = {};  // logits of all tokens, or of the last alone
    explicit Reader(Seq seq) : cache(seq) {}
  };
  std::unique_ptr<Reader> make_reader(dim_t time) const { return std::make_unique<Reader>(Seq{batch(), time}); }

  template <class Each>
  void read(Ids ids, bool every, const Each& each) {
    const dim_t time = dim_t(ids.size()) / batch();
    if (time * batch() != dim_t(ids.size()))
      throw Error("Decoder: expected as many tokens for each of ", batch(), " sequences, found ", ids.size());
    for (const auto id : ids)
      if (id < 0 || id >= V) throw Error("Decoder: token ", id, " is outside the model's vocabulary of ", V);
    dim_t n = 0;
    for (dim_t t = 0; t < time; t += n) {
      n = time - t >= chunk ? chunk : 1;
      if (n > 1 && !many_) many_ = make_reader(chunk);
      Reader& reader = n > 1 ? *many_ : *one_;
      ids_.clear();
      for (dim_t b = 0; b < batch(); ++b)
        for (dim_t i = t; i < t + n; ++i) ids_.push_back(ids[std::size_t(b * time + i)]);
      known_ = false;
      if constexpr (limit > 0) remember(ids_, n);
      step(reader, ids_, n, every);
      if (every)
        for (dim_t i = 0; i < n; ++i) {
          fetch(reader.every, i);
          known_ = i + 1 == n;  // those of a token within a chunk do not belong to the state, which is after it
          each(t + i, std::span<const float>(logits_));
        }
      else if (t + n == time)
        fetch(reader.last, 0), known_ = true;
    }
  }
  /// Makes room in the context for n tokens of each sequence, and notes them.
  void remember(Ids ids, dim_t n) {
    const dim_t all = batch(), held = dim_t(seen_.size()) / all;
    if (held + n > limit) {
      const dim_t kept = std::min(held, limit / 2);
      seen_.erase(seen_.begin(), seen_.end() - std::ptrdiff_t(kept * all));
      state_.reset();
      for (dim_t t = 0; t < kept; ++t)
        step(*one_, Ids(seen_).subspan(std::size_t(t * all), std::size_t(all)), 1, false);
    }
    for (dim_t t = 0; t < n; ++t)
      for (dim_t b = 0; b < all; ++b) seen_.push_back(ids[std::size_t(b * n + t)]);
  }
  void step(Reader& reader, Ids ids, dim_t time, bool every) {
    const auto on_machine = reader.ids(ids, {batch(), time});
    context_.last_token_only = !every;
    const auto forward = [&] {
      (every ? reader.every : reader.last) =
          Net::forward(context_, model_->params, on_machine, reader.cache.view(), state_.view());
    };
    if (every)
      forward();
    else
      reader.calls({model_->params.data(), state_.data()}, forward);
  }
  /// Puts token t of what was read at once into logits().
  void fetch(const TensorOf<B, typename Net::Out>& y, dim_t t) {
    const dim_t time = y.seq.time, rows = time == 1 ? 1 : batch(), n = V * batch() / rows;
    for (dim_t row = 0; row < rows; ++row) {
      const T* from = y.data + (row * time + std::min(t, time - 1)) * V;
      float* to = logits_.data() + row * V;
      if constexpr (std::is_same_v<T, float>) {
        B::download(to, from, n);
      } else {
        B::download(scalars_.data(), from, n);
        std::copy_n(scalars_.begin(), n, to);
      }
    }
  }

  const Model<Net, B>* model_;
  Context<B> context_;
  State state_;
  std::unique_ptr<Reader> one_, many_;
  std::vector<float> logits_;
  std::vector<T> scalars_;  // as the machine has them, where they are not floats
  bool known_ = false;      // whether logits_ are those of state_
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> seen_;  // (time, batch): where the context is limited, the tokens that state_ has read
};

}  // namespace rwkv
