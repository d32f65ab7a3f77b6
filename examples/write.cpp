// Lets a trained model go on with a prompt.
#include <rwkv/inference/generator.hpp>

#include "checked_output.hpp"
#include "model_options.hpp"
#include "prompt.hpp"
using namespace rwkv;

int main(int argc, char** argv) {
  using namespace example;
  ModelOptions o;
  std::string prompt;
  dim_t tokens = 400;
  SamplerConfig sampler{.temperature = 0.8, .top_p = 0.95};
  CLI::App app("Goes on with a prompt, with a model that train_text made or that was released.", "write");
  app.option_defaults()->always_capture_default();
  o.add(app);
  const CLI::Option* given =
      app.add_option("--prompt", prompt, "text to go on with; without it a new line, or what the model has instead");
  app.add_option("--tokens", tokens, "how many to write")->check(at_least(dim_t{0}));
  app.add_option("--temperature", sampler.temperature, "0: always the likeliest")->check(non_negative());
  app.add_option("--top-k", sampler.top_k, "only the k likeliest, 0: all")->check(at_least(dim_t{0}));
  app.add_option("--top-p", sampler.top_p, "only the likeliest that sum to this")->check(between(0.0, 1.0));
  app.add_option("--presence", sampler.presence, "penalty for what was written before")->check(finite());
  app.add_option("--frequency", sampler.frequency, "penalty for each time it was")->check(finite());
  app.add_option("--seed", sampler.seed, "of the draws")->check(seed());
  return example::run(app, argc, argv, [&] {
    const auto model = o.open();
    Generator generator(model->decoder(), o.open_tokenizer(*model), sampler);
    if (given->empty()) prompt = default_prompt(generator.tokenizer());
    expect_known(generator.tokenizer(), prompt);
    print(prompt);
    generator.write(prompt, tokens, print);
    print("\n");
    return 0;
  });
}
