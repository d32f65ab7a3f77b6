#pragma once
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

namespace test {

/// While it lives, printf and its kin write 0,5 for a half. The locale is made on the spot, since few machines have
/// one.
class DecimalComma {
 public:
  DecimalComma() {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    std::ofstream(folder_ + "/comma.txt") << "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\n"
                                             "END LC_NUMERIC\n";
    // It complains that the other categories are missing, and makes this one.
    const std::string command = "localedef -c --quiet -i " + folder_ + "/comma.txt " + folder_ + "/comma 2>/dev/null";
    [[maybe_unused]] const int complained = std::system(command.c_str());
    ::setenv("LOCPATH", folder_.c_str(), 1);
    if (std::setlocale(LC_NUMERIC, "comma") == nullptr) std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
    char half[8];
    std::snprintf(half, sizeof half, "%.1f", 0.5);
    REQUIRE_MESSAGE(std::string(half) == "0,5", "the tests need localedef, or the locale de_DE.UTF-8");
  }
  DecimalComma(const DecimalComma&) = delete;
  DecimalComma& operator=(const DecimalComma&) = delete;
  ~DecimalComma() {
    std::setlocale(LC_NUMERIC, "C");
    ::unsetenv("LOCPATH");
    std::filesystem::remove_all(folder_);
  }

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "rwkv.XXXXXX").string();
};

}  // namespace test
