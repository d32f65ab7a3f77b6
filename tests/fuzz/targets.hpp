#pragma once
#include <string_view>

/// Everything that reads what others wrote: files, and the text of options. A target takes any bytes; what it cannot
/// read it answers with an rwkv::Error, and nothing else may happen. A new reader is a line here, a file, and a folder
/// of seeds.
namespace fuzz {

void articles(std::string_view input);    // examples/compare: texts of an encyclopedia
void checkpoint(std::string_view input);  // resume.safetensors
void corpus(std::string_view input);      // a text, by bytes and by characters
void csv(std::string_view input);         // a column of numbers in any table
void header(std::string_view input);      // the JSON of safetensors
void log(std::string_view input);         // log.csv
void message(std::string_view input);     // texts that errors show
void names(std::string_view input);       // of nets and machines, and their sizes
void rwkv_cpp(std::string_view input);    // rwkv.cpp's .bin
void safetensors(std::string_view input);
void sampler(std::string_view input);     // settings, and the logits they meet
void state(std::string_view input);       // a decoder's, and tuned ones
void vocabulary(std::string_view input);  // a tokenizer in a model's metadata

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};
inline constexpr Target targets[] = {{"articles", articles},       {"checkpoint", checkpoint},
                                     {"corpus", corpus},           {"csv", csv},
                                     {"header", header},           {"log", log},
                                     {"message", message},         {"names", names},
                                     {"rwkv_cpp", rwkv_cpp},       {"sampler", sampler},
                                     {"safetensors", safetensors}, {"state", state},
                                     {"vocabulary", vocabulary}};

/// Null if there is none of that name.
inline const Target* find(std::string_view name) {
  for (const Target& target : targets)
    if (target.name == name) return &target;
  return nullptr;
}

}  // namespace fuzz
