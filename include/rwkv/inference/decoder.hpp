#pragma once
#include <functional>
#include <limits>
#include <utility>

#include <rwkv/inference/context_length.hpp>
#include <rwkv/inference/token_reader.hpp>

namespace rwkv {

/// Runs a language model: tokens in, logits of the next token out, for one sequence or a batch of independent ones of
/// equal length. Prompts are read in stretches; every further token is one step, which allocates no memory and which a
/// machine that can record calls launches as one. A model of limited context that is full begins anew with the last
/// half of it. Several decoders may share a model. A copy has memory of its own and goes on as the original would.
template <class Net, Backend B = Cpu<float>>
requires LanguageModel<Net>
class Decoder {
  static constexpr dim_t V = rwkv::vocabulary<Net>, limit = context_length<Net>;
  using Ids = std::span<const std::int32_t>;
  using EachToken = std::function<void(dim_t token, std::span<const float> logits)>;
  using EachOfMany = std::function<void(dim_t sequence, dim_t token, std::span<const float> logits)>;

 public:
  using State = typename Model<Net, B>::State;
  /// The most tokens of a sequence that are read at once.
  static constexpr dim_t chunk = limit > 0 && limit < 1024 ? (limit + 1) / 2 : 512;

  /// Everything that what comes next depends on.
  struct Snapshot {
    State state;
    std::vector<float> logits;       // empty: not known
    std::vector<std::int32_t> seen;  // where the context is limited
  };

  /// Error unless the batch is at least 1.
  explicit Decoder(const Model<Net, B>& model, dim_t batch = 1)
      : state_(Model<Net, B>::fresh_state(expect(batch))), reader_(model, batch, stretch(batch)) {
    const auto n = static_cast<std::size_t>(batch);
    if (detail::product(batch, V * chunk) >= detail::uncountable) detail::refuse_as_uncountable({batch, chunk});
    logits_.resize(n * V);
    ids_.reserve(n * std::size_t(reader_.stretch()));
    seen_.reserve(n * limit);
  }
  explicit Decoder(const Model<Net, B>&& temporary, dim_t batch = 1) = delete;
  Decoder(const Decoder& other) : Decoder(other.model(), other.batch()) { restore(other.snapshot()); }
  Decoder(Decoder&&) noexcept = default;
  Decoder& operator=(const Decoder& other) { return *this = Decoder(other); }
  Decoder& operator=(Decoder&&) noexcept = default;

  static constexpr dim_t vocabulary() { return V; }
  static constexpr dim_t context() { return limit; }
  dim_t batch() const { return state_.seq().batch; }
  const Model<Net, B>& model() const { return reader_.model(); }

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
    read(ids, nullptr);
    return logits();
  }
  /// The same, and each(t, logits) for token number t of the prompts, as logits() would be after it.
  template <class Each>
  void prefill(Ids ids, const Each& each) {
    read(ids, std::cref(each));
  }

  /// Reads a prompt of each sequence, of any lengths, as if each had a decoder of its own; returns logits(). An empty
  /// one leaves its sequence as it is, logits included. Error for different lengths where the context is limited.
  std::span<const float> prefill(std::span<const Ids> prompts) {
    read_each(prompts, nullptr);
    return logits();
  }
  /// The same, and each(b, t, logits) for token number t of the prompt of sequence b, (vocabulary) as they are after
  /// it; the tokens of a sequence come in order, those of several by turns.
  template <class Each>
  void prefill(std::span<const Ids> prompts, const Each& each) {
    read_each(prompts, std::cref(each));
  }

  /// Of the token that follows the last one read, (batch, vocabulary). Empty where they are not known: at the start,
  /// after set_state, and if a sequence had no token since.
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

  /// Many sequences make up for fewer tokens of each.
  static dim_t stretch(dim_t batch) { return std::min(chunk, std::max<dim_t>(chunk / batch, 64)); }

  /// Calls `each`, unless it is empty.
  void read(Ids ids, const EachToken& each) {
    const bool every = each != nullptr;
    const dim_t time = dim_t(ids.size()) / batch();
    if (time * batch() != dim_t(ids.size()))
      throw Error("Decoder: expected as many tokens for each of ", batch(), " sequences, found ", ids.size());
    expect_tokens(ids);
    dim_t n = 0;
    for (dim_t t = 0; t < time; t += n) {
      n = std::min(time - t, reader_.stretch());
      ids_.clear();
      for (dim_t b = 0; b < batch(); ++b)
        for (dim_t i = t; i < t + n; ++i) ids_.push_back(ids[std::size_t(b * time + i)]);
      known_ = false;
      if constexpr (limit > 0) remember(ids_, n);
      const auto given = reader_.read(state_, ids_, n, every);
      if (every)
        for (dim_t i = 0; i < n; ++i) {
          fetch(given, i);
          known_ = i + 1 == n;  // those of a token within a stretch do not belong to the state, which is after it
          each(t + i, std::span<const float>(logits_));
        }
      else if (t + n == time)
        fetch(given, 0), known_ = true;
    }
  }
  /// The same of prompts that differ in length: the sequences that go on are read without those that have ended.
  void read_each(std::span<const Ids> prompts, const EachOfMany& each) {
    expect_prompts(prompts);
    if constexpr (limit > 0) {  // they are as long as each other, see expect_prompts
      std::vector<std::int32_t> all;
      for (const Ids& prompt : prompts) all.insert(all.end(), prompt.begin(), prompt.end());
      if (each == nullptr) return read(all, nullptr);
      return read(all, [&](dim_t t, std::span<const float> logits) {
        for (dim_t b = 0; b < batch(); ++b) each(b, t, logits.subspan(std::size_t(b * V), std::size_t(V)));
      });
    }
    const bool known = std::exchange(known_, false);
    std::vector<dim_t> going;
    for (dim_t t = 0, end = 0;; t = end) {
      going.clear();
      end = std::numeric_limits<dim_t>::max();
      for (dim_t b = 0; b < batch(); ++b)
        if (const dim_t time = dim_t(prompts[std::size_t(b)].size()); time > t)
          going.push_back(b), end = std::min(end, time);
      if (going.empty()) break;
      if (dim_t(going.size()) == batch()) {
        read_together(state_, prompts, going, t, end, each);
      } else {
        State some = Model<Net, B>::fresh_state(dim_t(going.size()));
        detail::copy_sequences<Accum<B>>(state_, going, some, false);
        read_together(some, prompts, going, t, end, each);
        detail::copy_sequences<Accum<B>>(state_, going, some, true);
      }
    }
    known_ = true;
    for (const Ids& prompt : prompts) known_ = known_ && (known || !prompt.empty());
  }
  /// Tokens t to end - 1 of some sequences, whose states are `state`.
  void read_together(State& state, std::span<const Ids> prompts, std::span<const dim_t> which, dim_t t, dim_t end,
                     const EachOfMany& each) {
    const bool every = each != nullptr;
    for (dim_t n = 0; t < end; t += n) {
      n = std::min(end - t, stretch(dim_t(which.size())));
      ids_.clear();
      for (const dim_t b : which)
        ids_.insert(ids_.end(), prompts[std::size_t(b)].begin() + t, prompts[std::size_t(b)].begin() + t + n);
      const auto given = reader_.read(state, ids_, n, every);
      for (dim_t row = 0; row < dim_t(which.size()); ++row) {
        const dim_t b = which[std::size_t(row)];
        float* const to = logits_.data() + b * V;
        for (dim_t i = 0; every && i < n; ++i) {
          reader_.fetch(given.data + (row * n + i) * V, 1, to);
          each(b, t + i, std::span<const float>(to, V));
        }
        if (!every && t + n == dim_t(prompts[std::size_t(b)].size())) reader_.fetch(given.data + row * V, 1, to);
      }
    }
  }
  static void expect_tokens(Ids ids) {
    for (const auto id : ids)
      if (id < 0 || id >= V) throw Error("Decoder: token ", id, " is outside the model's vocabulary of ", V);
  }
  void expect_prompts(std::span<const Ids> prompts) const {
    if (dim_t(prompts.size()) != batch())
      throw Error("Decoder: expected a prompt of each of ", batch(), " sequences, found ", prompts.size());
    for (const Ids& prompt : prompts) {
      expect_tokens(prompt);
      if (limit > 0 && prompt.size() != prompts.front().size())
        throw Error("Decoder: a model of limited context reads prompts of the same length, found ", prompt.size(),
                    " and ", prompts.front().size(), " tokens; give each sequence a decoder of its own");
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
        reader_.read(state_, Ids(seen_).subspan(std::size_t(t * all), std::size_t(all)), 1, false);
    }
    for (dim_t t = 0; t < n; ++t)
      for (dim_t b = 0; b < all; ++b) seen_.push_back(ids[std::size_t(b * n + t)]);
  }
  /// Puts the logits of token t of what was read at once into logits().
  void fetch(const TensorOf<B, typename Net::Out>& y, dim_t t) {
    const dim_t time = y.seq.time;
    if (time == 1) return reader_.fetch(y.data, batch(), logits_.data());
    for (dim_t row = 0; row < batch(); ++row) reader_.fetch(y.data + (row * time + t) * V, 1, logits_.data() + row * V);
  }

  State state_;
  detail::TokenReader<Net, B> reader_;
  std::vector<float> logits_;
  bool known_ = false;  // whether logits_ are those of state_
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> seen_;  // (time, batch): where the context is limited, the tokens that state_ has read
};

}  // namespace rwkv
