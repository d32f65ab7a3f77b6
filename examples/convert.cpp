// Says what a file holds, or writes it in another format: safetensors with the official names, rwkv.cpp's .bin, GGUF.
#include <rwkv/io/finite.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/io/write_gguf.hpp>
#include <rwkv/io/write_rwkv_cpp.hpp>
#include <rwkv/io/write_safetensors.hpp>
#include <rwkv/text/world.hpp>

#include "checked_output.hpp"
#include "options.hpp"
using namespace rwkv;

namespace {

/// A row for each tensor: its official name, how it is stored, its extents, and what the file calls it, if otherwise.
void print_table(const TensorSource& file) {
  const OfficialSource source(file);
  std::size_t longest = 0;
  for (const TensorInfo& t : source.tensors()) longest = std::max(longest, shown(t.name).size());
  for (const TensorInfo& t : source.tensors()) {
    const TensorInfo* const theirs = file.find(t.called.empty() ? t.name : t.called);
    std::string row = shown(t.name);
    row.resize(longest + 2, ' ');
    (row += dtype_text(theirs == nullptr ? t : *theirs)) += " ";
    row += shape_text(t.shape);
    if (!t.called.empty()) row += "  " + shown(t.called) + (theirs == nullptr ? "" : " " + shape_text(theirs->shape));
    std::printf("%s\n", row.c_str());
  }
}

constexpr std::pair<std::string_view, Dtype> types[] = {
    {"f32", Dtype::f32},   {"f16", Dtype::f16},   {"bf16", Dtype::bf16}, {"q8_0", Dtype::q8_0},
    {"q5_1", Dtype::q5_1}, {"q5_0", Dtype::q5_0}, {"q4_1", Dtype::q4_1}, {"q4_0", Dtype::q4_0}};
std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const auto& [word, dtype] : types) names.emplace_back(word);
  return names;
}

/// What most numbers of the model are stored as, of the types that all formats have.
Dtype usual_dtype(const TensorSource& file) {
  const TensorInfo* largest = nullptr;
  for (const TensorInfo& t : file.tensors())
    if (largest == nullptr || *byte_size(Dtype::u8, t.shape) > *byte_size(Dtype::u8, largest->shape)) largest = &t;
  if (largest == nullptr || (largest->dtype != Dtype::f16 && largest->dtype != Dtype::bf16)) return Dtype::f32;
  return largest->dtype;
}

/// The tokens of a World vocabulary as GGUF writes them.
std::vector<std::string> escaped_tokens(const World& world) {
  std::vector<std::string> tokens;
  for (std::int32_t id = 0; id < world.size(); ++id) {
    std::string bytes;
    world.append(id, bytes);
    tokens.push_back(python_escaped(bytes));
  }
  return tokens;
}

/// The vocabulary of a GGUF, as it stands there; nothing where there is none.
std::vector<std::string> tokens_of(const TensorSource& file) {
  const auto* gguf = dynamic_cast<const GgufFile*>(&file);
  const GgufValue* tokens = gguf == nullptr ? nullptr : gguf->value("tokenizer.ggml.tokens");
  if (tokens == nullptr) return {};
  const auto all = tokens->texts();
  std::vector<std::string> texts(all.begin(), all.end());
  for (std::size_t id = 0; id < texts.size(); ++id)
    if (id == 0 || texts[id] == "[PAD" + std::to_string(id) + "]") texts[id].clear();
  return texts;
}

std::string format_of(const std::string& path) {
  for (const auto& [ending, format] : {std::pair(".safetensors", "safetensors"), std::pair(".st", "safetensors"),
                                       std::pair(".bin", "bin"), std::pair(".gguf", "gguf")})
    if (path.ends_with(ending)) return format;
  throw Error(path, ": expected a name that ends in .safetensors, .bin or .gguf, or --as with the format");
}

/// Without what only says how the file stores its tensors.
Metadata metadata_of(const TensorSource& file) {
  Metadata kept;
  for (const auto& [key, value] : file.metadata()) {
    bool storage = false;
    for (const char* word : {"n_vocab", "n_embed", "n_layer", "general.architecture", "general.file_type",
                             "general.alignment", "general.quantization_version"})
      storage = storage || key == word;
    if (!storage && !key.starts_with("rwkv6.") && !key.starts_with("rwkv7.") && !key.starts_with("tokenizer.ggml."))
      kept[key] = value;
  }
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace example;
  std::string from, to, format, type, vocabulary, name;
  bool describe = false, embedding = false, any_numbers = false;
  CLI::App app("Says what a model's file holds, or writes it in another format.", "convert");
  app.add_option("FROM", from, "a model in any format and layout that we read")->required();
  app.add_option("TO", to, "the file to write; its ending says the format");
  app.add_flag("--describe", describe, "print what the file holds, and a table of its tensors");
  app.add_option("--as", format, "the format, whatever the file is called")
      ->check(one_of({"safetensors", "bin", "gguf"}));
  app.add_option("--to", type, "how to store numbers; without it as they are, or the nearest that the format has")
      ->check(one_of(type_names()));
  app.add_flag("--embedding", embedding, "quantise the embedding, too: small numbers lose much there");
  app.add_option("--vocabulary", vocabulary, "a World vocabulary, for GGUF: its tokens become part of the file");
  app.add_option("--name", name, "what GGUF calls the model");
  app.add_flag("--any-numbers", any_numbers,
               "write NaN and infinities, too, where the type has them; without it they are refused");
  return example::run(app, argc, argv, [&] {
    const auto file = open_source(from);
    if (describe) {
      print(words(detect(*file)) + "\n");
      print_table(*file);
      if (to.empty()) return 0;
    }
    if (to.empty()) throw Error("expected the name of a file to write, or --describe; see --help");
    if (format.empty()) format = format_of(to);
    std::optional<Dtype> asked;
    for (const auto& [word, dtype] : types)
      if (type == word) asked = dtype;
    if (embedding && !(asked && in_blocks(*asked)))
      throw Error("--embedding: goes with --to and a type in blocks, such as q8_0");
    if (!vocabulary.empty() && format != "gguf")
      throw Error("--vocabulary: only GGUF takes the tokens along, and ", to, " is ", format);
    if (format == "safetensors" && asked && in_blocks(*asked))
      throw Error("--to ", type, ": safetensors has no such type; write a .bin or a .gguf");
    if (format == "bin" && asked == Dtype::bf16) throw Error("--to bf16: rwkv.cpp's .bin has only f32 and f16");
    if (!any_numbers) {
      expect_whole(*file, detect(*file));
      const OfficialSource source(*file);
      for (const TensorInfo& t : source.tensors())
        expect_finite(source, t,
                      "nothing was written: what wrote the file had gone wrong, take an earlier one, or write it as it "
                      "is with --any-numbers");
    }
    if (format == "safetensors") {
      write_safetensors(*file, to, metadata_of(*file), asked);
    } else if (format == "bin") {
      const bool half = usual_dtype(*file) == Dtype::f16;
      write_rwkv_cpp(*file, to, asked.value_or(half ? Dtype::f16 : Dtype::f32), embedding);
    } else {
      GgufOptions options{
          .matrices = asked.value_or(usual_dtype(*file)), .embedding = embedding, .name = name, .tokens = {}};
      if (const auto old = file->metadata().find("general.name"); name.empty() && old != file->metadata().end())
        options.name = old->second;
      options.tokens = vocabulary.empty() ? tokens_of(*file) : escaped_tokens(World::open(vocabulary));
      write_gguf(*file, to, options);
    }
    return 0;
  });
}
