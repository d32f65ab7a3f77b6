#pragma once
#include <string_view>

namespace example {

/// Prints at once, or ends the program: for what goes on for long, and need not where nobody can read it.
void print(std::string_view text);

}  // namespace example
