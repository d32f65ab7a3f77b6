#include <rwkv/inference/sampler.hpp>

#include "expect.hpp"
#include "targets.hpp"

namespace {
/// Numbers from the input, zeros after its end.
struct Numbers {
  std::string_view left;
  template <class T>
  T next() {
    T x{};
    const std::size_t size = std::min(left.size(), sizeof x);
    std::memcpy(&x, left.data(), size);
    left.remove_prefix(size);
    return x;
  }
};
}  // namespace

void fuzz::sampler(std::string_view input) {
  Numbers numbers{input};
  rwkv::SamplerConfig config;
  config.temperature = numbers.next<double>();
  config.top_p = numbers.next<double>();
  config.presence = numbers.next<double>();
  config.frequency = numbers.next<double>();
  config.penalty_decay = numbers.next<double>();
  config.top_k = numbers.next<std::int64_t>();
  config.seed = numbers.next<std::uint64_t>();
  config.banned.resize(numbers.next<std::uint8_t>() % 4);
  for (auto& token : config.banned) token = numbers.next<std::int8_t>();
  config.uncounted.resize(numbers.next<std::uint8_t>() % 4);
  for (auto& token : config.uncounted) token = numbers.next<std::int8_t>();
  const auto vocabulary = rwkv::dim_t(numbers.next<std::uint8_t>());
  rwkv::Sampler sampler(config, vocabulary);
  const std::size_t draws = numbers.next<std::uint8_t>() % 8;
  std::vector<float> first(static_cast<std::size_t>(vocabulary)), logits;
  for (float& x : first) x = numbers.next<float>();
  for (std::size_t i = 0; i < draws; ++i) {
    logits = first;
    const auto token = sampler(logits);
    expect(token >= 0 && token < vocabulary, "a token of the vocabulary");
    expect(std::ranges::find(config.banned, token) == config.banned.end(), "no token that is banned");
    expect(first[std::size_t(token)] > -HUGE_VALF, "a token that can be drawn");
  }
}
