// Lets a trained model go on with a prompt.
#include <rwkv/inference/generator.hpp>

#include "checked_output.hpp"
#include "model_options.hpp"
#include "prompt.hpp"
#include "sampler_options.hpp"
using namespace rwkv;

int main(int argc, char** argv) {
  using namespace example;
  ModelOptions o;
  SamplerOptions sampler{{.temperature = 0.8, .top_p = 0.95}};
  std::string prompt, save_state;
  dim_t tokens = 400;
  CLI::App app("Goes on with a prompt, with a model that train_text made or that was released.", "write");
  app.option_defaults()->always_capture_default();
  o.add(app);
  const CLI::Option* given = app.add_option(
      "--prompt", prompt, "text to go on with; without it --state, a new line, or what the model has instead");
  app.add_option("--save-state", save_state, "the file that gets the state after the prompt, for --state");
  app.add_option("--tokens", tokens, "how many to write, unless the text ends before")->check(at_least(dim_t{0}));
  sampler.add(app);
  return example::run(app, argc, argv, [&] {
    o.expect_not_read("--save-state", save_state);
    const auto model = o.open();
    const Tokenizer tokenizer = o.open_tokenizer(*model);
    auto decoder = o.decoder(*model);
    if (given->empty() && decoder->logits().empty()) prompt = default_prompt(tokenizer);
    expect_known(tokenizer, prompt);
    decoder->prefill(tokenizer.encode(prompt, "--prompt"));
    if (!save_state.empty()) rwkv::save_state(save_state, *decoder);
    Generator generator(std::move(decoder), tokenizer, sampler.of(tokenizer));
    print(prompt);
    generator.write("", tokens, print);
    print("\n");
    return 0;
  });
}
