// Lets a trained model go on with a prompt.
#include <rwkv/io/load.hpp>
#include <rwkv/rwkv.hpp>

#include "device.hpp"
#include "options.hpp"
#include "sizes.hpp"
using namespace rwkv;

/// Which model a file holds, from the names and extents of its tensors.
struct Found {
  std::string model, size;  // "384x6": width and layers
  dim_t vocabulary;
};
Found find_model(const SafetensorsFile& file) {
  struct Names {
    std::string model, table, blocks, norm;
  };
  for (const Names& names : {Names{"rwkv4", "emb.weight", "blocks.", ".ln1.weight"},
                             Names{"gpt2", "transformer.wte.weight", "transformer.h.", ".ln_1.weight"}}) {
    const TensorInfo* table = file.find(names.table);
    if (table == nullptr || table->shape.size() != 2) continue;
    int layers = 0;
    while (file.find(names.blocks + std::to_string(layers) + names.norm) != nullptr) ++layers;
    return {names.model, std::to_string(table->shape[1]) + "x" + std::to_string(layers), table->shape[0]};
  }
  throw Error(file.path() +
              ": expected an RWKV-4 with a matrix emb.weight or a GPT-2 with transformer.wte.weight, "
              "found neither; give a model.safetensors of train_text");
}

int main(int argc, char** argv) {
  std::string path = "run/model.safetensors", device = "cpu", prompt = "\n";
  dim_t tokens = 400;
  int threads = 0;
  SamplerConfig sampler{.temperature = 0.8, .top_p = 0.95};
  CLI::App app("Goes on with a prompt, with a model that train_text made.", "write");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", path, "the model's file");
  app.add_option("--device", device, "cpu or gpu")->check(example::one_of({"cpu", "gpu"}));
  app.add_option("--prompt", prompt, "text to go on with; a new line without it");
  app.add_option("--tokens", tokens, "how many to write")->check(CLI::NonNegativeNumber);
  app.add_option("--temperature", sampler.temperature, "0: always the likeliest")->check(CLI::NonNegativeNumber);
  app.add_option("--top-k", sampler.top_k, "only the k likeliest, 0: all")->check(CLI::NonNegativeNumber);
  app.add_option("--top-p", sampler.top_p, "only the likeliest that sum to this")->check(CLI::Range(0.0, 1.0));
  app.add_option("--presence", sampler.presence, "penalty for what was written before");
  app.add_option("--frequency", sampler.frequency, "penalty for each time it was");
  app.add_option("--seed", sampler.seed, "of the draws");
  app.add_option("--threads", threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  const auto go_on = [&]<class B>() {
    const SafetensorsFile file(path);
    const Found found = find_model(file);
    return example::with_model(found.model, found.size, found.vocabulary, [&]<class Net>() {
      Model<Net, B> model;
      load(model, path);
      Generator writer(model, Tokenizer::from_metadata(file.metadata()), sampler);
      std::fputs(prompt.c_str(), stdout);
      writer.write(prompt, tokens, [](std::string_view piece) {
        std::fwrite(piece.data(), 1, piece.size(), stdout);
        std::fflush(stdout);
      });
      std::fputc('\n', stdout);
      return 0;
    });
  };
  return example::run(app, argc, argv, [&] {
    set_threads(threads);
    return example::on_device(device, go_on);
  });
}
