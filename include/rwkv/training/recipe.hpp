#pragma once
#include <rwkv/core/settings.hpp>
#include <rwkv/core/shape.hpp>
#include <rwkv/core/storage.hpp>
#include <rwkv/training/train_config.hpp>

namespace rwkv {

[[gnu::cold]] inline Settings settings_of(const AdamW& o) {
  return {{"beta1", shortest(o.beta1)},
          {"beta2", shortest(o.beta2)},
          {"eps", shortest(o.eps)},
          {"decay", shortest(o.decay)}};
}

/// Where a curve leads, and by which step, matters only if there is one.
[[gnu::cold]] inline Settings settings_of(const Schedule& s) {
  constexpr const char* curves[] = {"constant", "cosine", "exponential"};  // in the order of the enumerators
  Settings all{{"learning_rate", shortest(s.learning_rate)},
               {"warmup", std::to_string(s.warmup)},
               {"curve", curves[static_cast<std::size_t>(s.curve)]}};
  if (s.curve == Schedule::Curve::constant) return all;
  all.emplace_back("final_learning_rate", shortest(s.final_learning_rate));
  all.emplace_back("curve_steps", std::to_string(s.steps));
  return all;
}

/// What a trainer makes its numbers by, under the names of TrainConfig's members. Those of an optimizer of your own
/// are among them if there is a settings_of(optimizer).
template <class Optimizer>
[[gnu::cold]] Settings settings_of(const BasicTrainConfig<Optimizer>& config, Seq seq, Storage storage) {
  Settings all{
      {"precision", name_of(storage)}, {"batch", std::to_string(seq.batch)}, {"context", std::to_string(seq.time)}};
  const auto add = [&](const Settings& more) { all.insert(all.end(), more.begin(), more.end()); };
  add(settings_of(config.schedule));
  if constexpr (requires { settings_of(config.optimizer); }) add(settings_of(config.optimizer));
  add({{"clip", shortest(config.clip)},
       {"accumulate", std::to_string(config.accumulate)},
       {"l2wrap", shortest(config.l2wrap)},
       {"carry", config.carry ? "yes" : "no"},
       {"dropout_seed", std::to_string(config.seed)}});
  if (config.bf16_gradients) all.emplace_back("gradients", "bf16");
  return all;
}

}  // namespace rwkv
