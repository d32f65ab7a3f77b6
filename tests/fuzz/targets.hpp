#pragma once
#include <string_view>

/// Everything that reads what others wrote: files, and the text of options. A target takes any bytes; what it cannot
/// read it answers with an rwkv::Error, and nothing else may happen. A new reader is a line here, a file, and a folder
/// of seeds.
namespace fuzz {

void articles(std::string_view input);    // examples/compare: texts of an encyclopedia
void binidx(std::string_view input);      // Megatron's index of tokens
void bpe(std::string_view input);         // tokenizer.json, or vocab.json and merges.txt
void checkpoint(std::string_view input);  // resume.safetensors
void corpus(std::string_view input);      // a text, by bytes and by characters
void csv(std::string_view input);         // a column of numbers in any table
void gguf(std::string_view input);
void header(std::string_view input);      // the JSON of safetensors
void index(std::string_view input);       // of shards of safetensors
void json_lines(std::string_view input);  // documents
void layout(std::string_view input);      // names and extents of a model's tensors
void log(std::string_view input);         // log.csv
void message(std::string_view input);     // texts that errors show
void names(std::string_view input);       // of nets and machines, and their sizes
void net_type(std::string_view input);    // made of sizes, for a compiler
void pickle(std::string_view input);      // the dictionary of a .pth
void pth(std::string_view input);
void rwkv_cpp(std::string_view input);  // rwkv.cpp's .bin
void safetensors(std::string_view input);
void sampler(std::string_view input);     // settings, and the logits they meet
void state(std::string_view input);       // a decoder's, and tuned ones
void vocabulary(std::string_view input);  // a tokenizer in a model's metadata
void world(std::string_view input);       // its vocabulary's file, and a GGUF file's list

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};
inline constexpr Target targets[] = {{"articles", articles},
                                     {"binidx", binidx},
                                     {"bpe", bpe},
                                     {"checkpoint", checkpoint},
                                     {"corpus", corpus},
                                     {"csv", csv},
                                     {"gguf", gguf},
                                     {"header", header},
                                     {"index", index},
                                     {"json_lines", json_lines},
                                     {"layout", layout},
                                     {"log", log},
                                     {"message", message},
                                     {"names", names},
                                     {"net_type", net_type},
                                     {"pickle", pickle},
                                     {"pth", pth},
                                     {"rwkv_cpp", rwkv_cpp},
                                     {"safetensors", safetensors},
                                     {"sampler", sampler},
                                     {"state", state},
                                     {"vocabulary", vocabulary},
                                     {"world", world}};

/// Null if there is none of that name.
inline const Target* find(std::string_view name) {
  for (const Target& target : targets)
    if (target.name == name) return &target;
  return nullptr;
}

}  // namespace fuzz
