// How fast a tokenizer encodes a text: seconds of the process (user time), which other programs disturb little.
#include <sys/resource.h>

#include <rwkv/text/open_tokenizer.hpp>
#include <rwkv/text/text_file.hpp>

#include "../examples/options.hpp"
using namespace rwkv;

namespace {
double user_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec) + 1e-6 * double(used.ru_utime.tv_usec);
}
}  // namespace

int main(int argc, char** argv) {
  std::string tokenizer_path, text_path;
  int rounds = 5;
  CLI::App app("Encodes a text several times, on one thread, and tells the best.", "tokenizer_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--tokenizer", tokenizer_path, "its file or folder")->required();
  app.add_option("--text", text_path, "the text")->required();
  app.add_option("--rounds", rounds, "how often")->check(example::between(1, 1000));
  return example::run(app, argc, argv, [&] {
    const double start = user_seconds();
    const Tokenizer tokenizer = open_tokenizer(tokenizer_path);
    const double opened = user_seconds() - start;
    const std::string text = TextFile(text_path).whole();
    double best = HUGE_VAL;
    std::size_t tokens = 0;
    for (int round = 0; round < rounds; ++round) {
      const double before = user_seconds();
      tokens = tokenizer.encode(text, text_path).size();
      best = std::min(best, user_seconds() - before);
    }
    std::printf("%s: opened in %.3f s, %zu bytes are %zu tokens in %.3f s, %.1f MB/s\n",
                std::string(tokenizer.kind()).c_str(), opened, text.size(), tokens, best,
                double(text.size()) / best / 1e6);
    return 0;
  });
}
