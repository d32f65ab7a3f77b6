// Lets a trained model go on with a prompt.
#include <rwkv/io/load.hpp>
#include <rwkv/rwkv.hpp>

#include "options.hpp"
#include "sizes.hpp"
using namespace rwkv;

/// "384x6": width and layers, from the names and extents of a file's tensors.
std::string size_of(const SafetensorsFile& file) {
  const TensorInfo* table = file.find("emb.weight");
  if (table == nullptr || table->shape.size() != 2)
    throw Error(file.path() +
                ": expected an RWKV-4 with a matrix emb.weight, found none; give a model.safetensors of train_text");
  int layers = 0;
  while (file.find("blocks." + std::to_string(layers) + ".ln1.weight") != nullptr) ++layers;
  return std::to_string(table->shape[1]) + "x" + std::to_string(layers);
}

int main(int argc, char** argv) {
  std::string path = "run/model.safetensors", prompt = "\n";
  dim_t tokens = 400;
  int threads = 0;
  Sampler sampler{.temperature = 0.8, .top_p = 0.95};
  CLI::App app("Goes on with a prompt, with a model that train_text made.", "write");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", path, "the model's file");
  app.add_option("--prompt", prompt, "text to go on with; a new line without it");
  app.add_option("--tokens", tokens, "how many to write")->check(CLI::NonNegativeNumber);
  app.add_option("--temperature", sampler.temperature, "0: always the likeliest")->check(CLI::NonNegativeNumber);
  app.add_option("--top-k", sampler.top_k, "only the k likeliest, 0: all")->check(CLI::NonNegativeNumber);
  app.add_option("--top-p", sampler.top_p, "only the likeliest that sum to this")->check(CLI::Range(0.0, 1.0));
  app.add_option("--presence", sampler.presence, "penalty for what was written before");
  app.add_option("--frequency", sampler.frequency, "penalty for each time it was");
  app.add_option("--seed", sampler.seed, "of the draws");
  app.add_option("--threads", threads, "0: as many as the machine has")->check(CLI::Range(0, 1024));
  return example::run(app, argc, argv, [&] {
    set_threads(threads);
    const SafetensorsFile file(path);
    const std::string size = size_of(file);
    return example::with_model(size, file.find("emb.weight")->shape[0], [&]<class Net>() {
      Model<Net> model;
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
  });
}
