#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// How official RWKV models are spoken to: rounds of "User: ...\n\nAssistant: ...\n\n", in which an empty line stands
/// only between them. Nothing may follow the colon, or the tokens would be others than in training.
struct ChatTemplate {
  /// Whether the model thinks before it answers: RWKV-7's G1 models do, since September 2025 also a bit or a lot.
  /// `skipped`: it is told that it has thought already.
  enum class Think { off, on, a_bit, a_lot, skipped } think = Think::off;

  /// Without blanks around it, and with one new line for several.
  static std::string tidy(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    std::string tidied;
    for (const char c : text) {
      if (c == '\r' || (c == '\n' && tidied.ends_with('\n'))) continue;
      tidied += c;
    }
    const std::size_t first = tidied.find_first_not_of(blanks);
    return first == tidied.npos ? "" : tidied.substr(first, tidied.find_last_not_of(blanks) + 1 - first);
  }
  static std::string system(std::string_view text) { return "System: " + tidy(text) + "\n\n"; }
  /// What the user says, up to where the assistant begins to write.
  std::string round(std::string_view text) const {
    const char* wish = think == Think::a_bit ? " think a bit" : think == Think::a_lot ? " think a lot" : "";
    return "User: " + tidy(text) + wish + "\n\nAssistant:" + opening();
  }
  /// What the assistant has begun to write, as a part of its answer.
  std::string opening() const {
    return think == Think::off ? "" : think == Think::skipped ? " <think>\n</think" : " <think";
  }
  /// An answer and the end of its round.
  static std::string answered(std::string_view text) {
    return std::string(text.substr(0, text.find_last_not_of(" \t\r\n") + 1)) + "\n\n";
  }
  /// What ends an answer besides the end of the text: an empty line, but thoughts may hold some.
  std::vector<std::string> stops() const {
    if (think == Think::off || think == Think::skipped) return {"\n\n"};
    return {"\n\nUser:", "\n\nSystem:"};
  }
};

}  // namespace example
