#pragma once
#include <rwkv/io/detect.hpp>

namespace rwkv {

/// "RWKV-7: 3 layers of width 32, 2 heads of 16, ..." in one line; nothing where it is no model that we know.
[[gnu::cold]] inline std::string model_words(const Detected& found) {
  if (found.version.empty()) return {};
  std::string text = (found.version == "GPT-2" ? "" : "RWKV-") + found.version + ": " +
                     std::to_string(found.size('L')) + " layers of width " + std::to_string(found.size('C'));
  if (found.size('H') > 0)
    text += ", " + std::to_string(found.size('H')) + " heads of " + std::to_string(found.size('N'));
  const auto say = [&](const char* word, char letter) {
    if (found.size(letter) > 0) text += std::string(", ") + word + " " + std::to_string(found.size(letter));
  };
  say("hidden width", 'F'), say("vocabulary", 'V'), say("context", 'X'), say("rank of mixes", 'm');
  say("rank of decays", 'd'), say("ranks w", 'w'), say("a", 'a'), say("v", 'v'), say("g", 'g');
  return text;
}

/// What the file holds, in one line.
[[gnu::cold]] inline std::string found_words(const Detected& found) {
  if (!found.instead.empty()) return found.instead;
  return found.version.empty() ? "no model that we know" : model_words(found);
}

/// What the file holds, and what is wrong or unusual with it, a line each.
[[gnu::cold]] inline std::string words(const Detected& found) {
  std::string text = found_words(found);
  text += "\nlayout: " + found.layout + "\ntensors:";
  const char* comma = " ";
  for (const auto& [dtype, n] : found.dtypes) text += comma + std::to_string(n) + " " + dtype, comma = ", ";
  text += "\n";
  for (const std::string& fault : found.faults) text += "wrong: " + fault + "\n";
  for (const std::string& unusual : found.unusual) text += "unusual: " + unusual + "\n";
  return text;
}

/// What keeps the model from being read, in one line.
[[gnu::cold]] inline std::string fault_words(const Detected& found) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(found.faults.size(), most); ++i) text += (i > 0 ? "; " : "") + found.faults[i];
  if (found.faults.size() > most) text += "; and " + std::to_string(found.faults.size() - most) + " more";
  return text;
}

/// Error unless the file holds a whole model, or what is no model that we know.
[[gnu::cold]] inline void expect_whole(const TensorSource& file, const Detected& found) {
  if (!found.instead.empty()) throw Error(file.path(), ": holds ", found.instead);
  if (!found.faults.empty())
    throw Error(file.path(), ": holds ", model_words(found), ", but ", fault_words(found),
                "; download or convert it again");
}

}  // namespace rwkv
