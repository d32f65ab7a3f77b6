#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/laid_out_source.hpp>

#include "expect.hpp"
#include "targets.hpp"

using namespace rwkv;

namespace {

/// A file of zeros whose tensors a text lists: "name 3 4" is one of F32, "!key value" metadata, "@" says that the file
/// is rwkv.cpp's.
class Listed final : public TensorSource {
 public:
  explicit Listed(std::string_view text)
      : TensorSource("list", text.starts_with('@') ? RwkvCppFile::name : std::string_view("a list")) {
    std::map<std::string, TensorInfo> tensors;
    Metadata metadata;
    std::vector<TensorInfo> all;
    while (!text.empty()) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const std::string_view word = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(line.size(), word.size() + 1));
      if (word.starts_with('!')) metadata[std::string(word.substr(1))] = line;
      if (word.empty() || word.starts_with('!') || word.starts_with('@')) continue;
      TensorInfo t{.name = std::string(word), .dtype = Dtype::f32, .shape = {}};
      for (; !line.empty() && t.shape.size() < 6; line.remove_prefix(1)) t.shape.push_back(line[0] & 15);
      const auto size = byte_size(Dtype::f32, t.shape);
      if (!size || *size > sizeof zeros_) throw Error("too large");
      t.end = *size;
      if (tensors.try_emplace(t.name, t).second) all.push_back(t);
    }
    list(std::move(all), std::move(metadata));
  }
  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override {
    return std::as_bytes(std::span(zeros_)).first(t.end);
  }

 private:
  float zeros_[1 << 14] = {};
};

void read_all(const TensorSource& source) {
  for (const TensorInfo& t : source.tensors()) {
    std::vector<float> numbers(*byte_size(Dtype::u8, t.shape));
    source.read_numbers(t, 0, numbers);
    if (!numbers.empty()) source.read_numbers(t, numbers.size() / 2, std::span(numbers).subspan(numbers.size() / 2));
  }
}

}  // namespace

void fuzz::layout(std::string_view input) {
  const Listed file(input);
  const Detected found = detect(file);
  expect(!words(found).empty(), "words for what a file holds");
  const OfficialSource source(file);
  read_all(source);
  if (!found.readable()) return;
  for (const Naming* naming : namings::all)
    if (found.version != "GPT-2") read_all(LaidOutSource(source, found, *naming));
}
