#pragma once
#include <string>
#include <vector>

#include <rwkv/inference/sampler_config.hpp>
#include <rwkv/text/tokenizer.hpp>

#include "options.hpp"

namespace example {

/// How the next token is drawn: a SamplerConfig's defaults are those of the program.
struct SamplerOptions {
  rwkv::SamplerConfig config;

  void add(CLI::App& app) {
    app.add_option("--temperature", config.temperature, "0: always the likeliest")->check(non_negative());
    app.add_option("--top-k", config.top_k, "only the k likeliest, 0: all")->check(at_least(rwkv::dim_t{0}));
    app.add_option("--top-p", config.top_p, "only the likeliest that sum to this")->check(between(0.0, 1.0));
    app.add_option("--presence", config.presence, "penalty for what was written before")->check(finite());
    app.add_option("--frequency", config.frequency, "penalty for each time it was, digits and blanks left out")
        ->check(finite());
    app.add_option("--penalty-decay", config.penalty_decay, "those times count less by this factor with every token")
        ->check(between(0.0, 1.0));
    app.add_option("--ban", config.banned, "tokens that are never drawn, as 0,261")
        ->delimiter(',')
        ->check(at_least(std::int32_t{0}));
    app.add_option("--seed", config.seed, "of the draws")->check(seed());
  }
  /// For a tokenizer, whose digits and blanks do not count.
  rwkv::SamplerConfig of(const rwkv::Tokenizer& tokenizer) const {
    rwkv::SamplerConfig made = config;
    made.uncounted = rwkv::SamplerConfig::official(tokenizer).uncounted;
    return made;
  }
};

}  // namespace example
