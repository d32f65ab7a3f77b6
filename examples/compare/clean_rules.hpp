#pragma once
#include <string>
#include <string_view>

#include <rwkv/core/utf8.hpp>

namespace compare {

/// What a rule makes of the characters of a text. Bytes that are no UTF-8 are dropped by both.
enum class Rule {
  ascii96,  ///< printable ASCII and the end of a line; typographic quotes, dashes and spaces become plain ones
  study56   ///< the seed study's: letters, space, end of line, full stop and comma; lines begin with no white space
};

namespace detail {
/// The white space that the study turned into a space; it removed U+2005, 2009 and 200A.
inline bool study_space(char32_t c) {
  return c == U'\t' || c == U' ' || c == 0x2002 || c == 0x2003 || c == 0x202F || c == 0xA0 || c == 0x3000;
}
inline const char* plain(char32_t c) {
  if ((c >= 0x2000 && c <= 0x200A) || study_space(c) || c == 0x205F) return " ";
  switch (c) {
    case 0x2018:
    case 0x2019:
    case 0x2032:
      return "'";
    case 0x201C:
    case 0x201D:
    case 0x2033:
      return "\"";
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
      return "-";
    case 0x2026:
      return "...";
    default:
      return "";
  }
}
}  // namespace detail

/// A line without its end, as the rule leaves it; added to out with an end.
inline void clean_line(Rule rule, std::string_view line, std::string& out) {
  bool begun = false;
  while (!line.empty()) {
    const rwkv::utf8::Character c = rwkv::utf8::decode(line);
    line.remove_prefix(c.size);
    if (c.flaw != rwkv::utf8::Flaw::none) continue;
    if (rule == Rule::ascii96) {
      if (c.code >= 0x20 && c.code < 0x7F)
        out += static_cast<char>(c.code);
      else
        out += detail::plain(c.code);
      continue;
    }
    const bool space = detail::study_space(c.code),
               removed = c.code == 0x2005 || c.code == 0x2009 || c.code == 0x200A;  // white space all the same
    if (!begun && (space || removed || c.code == '\r')) continue;
    begun = true;
    const char32_t letter = c.code | 32;
    if (space)
      out += ' ';
    else if (c.code == '.' || c.code == ',' || (c.code < 0x80 && letter >= 'a' && letter <= 'z'))
      out += static_cast<char>(c.code);
  }
  out += '\n';
}

}  // namespace compare
