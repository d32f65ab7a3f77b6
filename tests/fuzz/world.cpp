#include <rwkv/text/world.hpp>

#include "expect.hpp"
#include "targets.hpp"

namespace {

void walk(const rwkv::World& world, std::string_view text) {
  std::string back;
  for (const std::int32_t id : world.encode(text)) world.append(id, back);
  fuzz::expect(back == text, "tokens say what the text says");
  fuzz::expect(rwkv::World::from_vocabulary_file(world.file()) == world, "the same from its own file");
}

}  // namespace

/// Lines of a vocabulary's file; where they are none, texts of a GGUF file's list, each on a line.
void fuzz::world(std::string_view input) {
  if (rwkv::detail::looks_like_world(input)) return walk(rwkv::World::from_vocabulary_file(input), input);
  std::vector<std::string> list;
  for (std::size_t at = 0, end = 0; at < input.size(); at = end + 1) {
    end = std::min(input.find('\n', at), input.size());
    list.emplace_back(input.substr(at, end - at));
  }
  walk(rwkv::World::from_escaped(list), input);
}
