#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/io/safetensors_writer.hpp>

#include "folder.hpp"

using namespace rwkv;

namespace {

/// A file with this header, right or wrong, and so many bytes of data.
std::string safetensors(const std::string& header, std::size_t data) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + std::string(data, '\1');
}
/// Opens it and touches all there is.
unsigned read_all(const std::string& path) {
  unsigned sum = 0;
  const SafetensorsFile file(path);
  for (const TensorInfo& t : file.tensors()) {
    const std::span<const std::byte> bytes = *file.bytes(t);
    std::vector<double> values(is_real(t.dtype) ? bytes.size() / bytes_of(t.dtype) : 0);
    if (is_real(t.dtype)) file.read(t.name, t.shape, std::span(values));
    for (const std::byte b : bytes) sum += unsigned(b);
  }
  return sum;
}
std::string complaint(const std::string& path, const std::string& bytes) {
  test::write(path, bytes);
  return test::message<Error>([&] { read_all(path); });
}
std::string repeated(const std::string& text, int times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}
std::string tensor(const std::string& name, const std::string& fields) {
  return "\"" + name + "\":{" + fields + "}";
}
/// An F32 of two scalars at the given bytes.
std::string pair_at(const std::string& name, int begin, int end) {
  return tensor(
      name, R"("dtype":"F32","shape":[2],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]");
}

/// A small file with a bit of everything.
void save_sample(const std::string& path) {
  const std::vector<float> matrix{1, -2, 3.5f, 0, 1e-40f, std::numeric_limits<float>::infinity()};
  const std::vector<double> scalar{0.1};
  const std::vector<std::int64_t> step{-7};
  SafetensorsWriter writer;
  writer.metadata = {{"format", "pt"}, {"a \"quoted\"\tkey\\\x01", "caf\u00e9 \U0001F40D\n"}};
  writer.add("matrix", {2, 3}, std::span(matrix));
  writer.add("scalar", {}, std::span(scalar));
  writer.add("nothing", {4, 0}, std::span<const float>());
  writer.add("step \"n\"", {1}, std::span(step));
  writer.add("brain", Dtype::bf16, {2}, [](std::uint64_t, std::span<std::byte> chunk) {
    const std::uint16_t halves[] = {0x3FC0, 0xC000};
    std::memcpy(chunk.data(), halves, sizeof halves);
  });
  writer.write(path);
}

}  // namespace

TEST_CASE("a safetensors file gives back what was written") {
  const test::Folder folder;
  const std::string path = folder / "a.safetensors";
  save_sample(path);
  const SafetensorsFile file(path);
  CHECK(file.metadata().size() == 2);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("a \"quoted\"\tkey\\\x01") == "caf\u00e9 \U0001F40D\n");

  REQUIRE(file.tensors().size() == 5);
  const std::vector<std::string> names{"matrix", "scalar", "nothing", "step \"n\"", "brain"};
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(file.tensors()[i].name == names[i]);
  CHECK(file.find("matrix")->shape == std::vector<dim_t>{2, 3});
  CHECK(file.find("scalar")->dtype == Dtype::f64);
  CHECK(file.find("matri") == nullptr);

  std::vector<float> matrix(6), brain(2);
  file.read("matrix", std::vector<dim_t>{2, 3}, std::span(matrix));
  CHECK(matrix == std::vector<float>{1, -2, 3.5f, 0, 1e-40f, std::numeric_limits<float>::infinity()});
  file.read("brain", std::vector<dim_t>{2}, std::span(brain));
  CHECK(brain == std::vector<float>{1.5f, -2});
  std::vector<std::int64_t> step(1);
  file.read("step \"n\"", std::vector<dim_t>{1}, std::span(step));
  CHECK(step[0] == -7);
  double scalar = 0;
  file.read("scalar", {}, std::span(&scalar, 1));
  CHECK(scalar == 0.1);
}

TEST_CASE("the data of a safetensors file begins at a multiple of eight bytes") {
  const test::Folder folder;
  for (std::string name = "n"; name.size() < 10; name += 'n') {
    const float one = 1;
    SafetensorsWriter writer;
    writer.add(name, {1}, std::span(&one, 1));
    writer.write(folder / "a");
    CHECK(std::filesystem::file_size(folder / "a") % 8 == 4);
    CHECK(SafetensorsFile(folder / "a").find(name) != nullptr);
  }
}

TEST_CASE("tensors larger than the writer's buffer arrive whole") {
  const test::Folder folder;
  std::vector<std::int32_t> numbers((1 << 21) + 5), back(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = std::int32_t(i * 2654435761u);
  SafetensorsWriter writer;
  writer.add("numbers", {dim_t(numbers.size())}, std::span<const std::int32_t>(numbers));
  writer.write(folder / "a");
  SafetensorsFile(folder / "a").read("numbers", std::vector<dim_t>{dim_t(numbers.size())}, std::span(back));
  CHECK(numbers == back);
}

TEST_CASE("SafetensorsFile::read says what does not fit") {
  const test::Folder folder;
  save_sample(folder / "a");
  const SafetensorsFile file(folder / "a");
  std::vector<float> out(6);
  std::vector<std::int32_t> whole(6);
  const auto says = [&](auto& to, const char* name, std::vector<dim_t> shape) {
    return test::message<Error>([&] { file.read(name, shape, std::span(to)); });
  };
  CHECK(says(out, "matrix", {3, 2}) == (folder / "a") + ": matrix: shape: expected (3, 2), found (2, 3)");
  CHECK(says(out, "vector", {6}) == (folder / "a") + ": vector: expected (6), found nothing of that name");
  CHECK(says(whole, "matrix", {2, 3}) == (folder / "a") + ": matrix: dtype: expected I32, found F32");
  CHECK(says(out, "step \"n\"", {1}) == (folder / "a") + ": step \"n\": dtype: expected F32, found I64");
  out.resize(5);
  CHECK(says(out, "matrix", {2, 3}) == (folder / "a") + ": matrix: has (2, 3) scalars, but there is room for 5");
}

TEST_CASE("hostile files are refused with the reason") {
  const test::Folder folder;
  const std::string path = folder / "a";
  const std::string ok = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  struct Case {
    std::string bytes, reason;
  };
  const Case cases[] = {
      {"", "has only 0 bytes"},
      {"1234567", "has only 7 bytes"},
      {"PK\3\4 and so on", "is a zip archive, perhaps a .pth checkpoint"},
      {safetensors("{}", 0).substr(0, 9), "the header would have 2 bytes, but the file ends after 1 of them"},
      {std::string(8, '\xff') + "{}", "the header would have 18446744073709551615 bytes, but the file ends after 2"},
      {safetensors("", 0), "the header is not JSON: it does not begin with {"},
      {safetensors(" {}", 0), "the header is not JSON: it does not begin with {"},
      {safetensors("[]", 0), "the header is not JSON: it does not begin with {"},
      {safetensors("{", 0), "the header is not JSON: error at its byte 2"},
      {safetensors("{} {}", 0), "the header is not JSON: error at its byte 4"},
      {safetensors("{\"a\":{\"dtype\":\"\xff\"}}", 0), "the header is not JSON: error at its byte 16"},
      {safetensors("{" + tensor("a", R"("shape":[01])") + "}", 0), "the header is not JSON: error at its byte 17"},
      {safetensors("{\"a\":1e999}", 0), "the header is not JSON: error at its byte 10"},
      {safetensors(std::string("{}") + '\0', 0), "the header is not JSON: error at its byte 3"},
      {safetensors("{\"a\":7}", 0), "the header: \"a\": expected an object, found a number"},
      {safetensors("{\"a\":[]}", 0), "the header: \"a\": expected an object, found an array"},
      {safetensors("{\"a\":null}", 0), "the header: \"a\": expected an object, found null"},
      {safetensors("{" + pair_at("a", 0, 8) + "," + pair_at("a", 8, 16) + "}", 16), "the header: \"a\" occurs twice"},
      {safetensors(R"({"__metadata__":{},"__metadata__":{}})", 0), "the header: \"__metadata__\" occurs twice"},
      {safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "__metadata__: key \"a\" occurs twice"},
      {safetensors(R"({"__metadata__":{"a":1}})", 0), "__metadata__: \"a\": expected a string, found a number"},
      {safetensors(R"({"__metadata__":{"a":{}}})", 0), "__metadata__: \"a\": expected a string, found an object"},
      {safetensors(R"({"__metadata__":{"a":["b"]}})", 0), "__metadata__: \"a\": expected a string, found an array"},
      {safetensors(R"({"__metadata__":{"a":true}})", 0), "__metadata__: \"a\": expected a string, found a boolean"},
      {safetensors(R"({"__metadata__":"a"})", 0), "the header: \"__metadata__\": expected an object, found a string"},
      {safetensors("{" + tensor("a", R"("shape":[2],"data_offsets":[0,8])") + "}", 8),
       "tensor \"a\": dtype is missing"},
      {safetensors("{" + tensor("a", R"("dtype":"F32","data_offsets":[0,8])") + "}", 8),
       "tensor \"a\": shape is missing"},
      {safetensors("{" + tensor("a", R"("dtype":"F32","shape":[2])") + "}", 8),
       "tensor \"a\": data_offsets is missing"},
      {safetensors("{" + tensor("a", ok + R"(,"dtype":"F32")") + "}", 8), "tensor \"a\": dtype occurs twice"},
      {safetensors("{" + tensor("a", R"("dtype":"F4","shape":[3],"data_offsets":[0,2])") + "}", 2),
       "tensor \"a\": F4 (3) does not fill whole bytes"},
      {safetensors("{" + tensor("a", R"("dtype":"F8_E8M0","shape":[4],"data_offsets":[0,3])") + "}", 3),
       "tensor \"a\": F8_E8M0 (4) takes 4 bytes, but has 3"},
      {safetensors("{" + tensor("a", R"("dtype":"F31","shape":[4],"data_offsets":[0,9])") + "}", 8),
       "tensor \"a\": bytes 0 to 9 reach beyond the 8 bytes of data"},
      {safetensors("{" + tensor("a", R"("dtype":32)") + "}", 8),
       "tensor \"a\": dtype: expected a string, found a number"},
      {safetensors("{" + tensor("a", R"("dtype":["F32"])") + "}", 8),
       "tensor \"a\": dtype: expected a string, found an array"},
      {safetensors("{" + tensor("a", R"("shape":2)") + "}", 8),
       "tensor \"a\": shape: expected an array, found a number"},
      {safetensors("{" + tensor("a", R"("shape":{})") + "}", 8),
       "tensor \"a\": shape: expected an array, found an object"},
      {safetensors("{" + tensor("a", R"("shape":[-2])") + "}", 8),
       "tensor \"a\": shape: expected whole numbers from 0, found a negative number"},
      {safetensors("{" + tensor("a", R"("shape":[2.5])") + "}", 8),
       "tensor \"a\": shape: expected whole numbers from 0, found the number 2.5"},
      {safetensors("{" + tensor("a", R"("shape":["2"])") + "}", 8),
       "tensor \"a\": shape: expected whole numbers from 0, found a string"},
      {safetensors("{" + tensor("a", R"("shape":[[2]])") + "}", 8),
       "tensor \"a\": shape: expected whole numbers from 0, found an array"},
      {safetensors("{" + tensor("a", R"("shape":[9223372036854775808])") + "}", 8),
       "tensor \"a\": has an extent beyond 63 bits"},
      {safetensors("{" + tensor("a", "\"shape\":[1" + repeated(",1", 64) + "]") + "}", 8),
       "tensor \"a\": has more than 64 extents"},
      {safetensors("{" + tensor("a", R"("data_offsets":[0])") + "}", 8),
       "tensor \"a\": data_offsets: expected two numbers, found fewer"},
      {safetensors("{" + tensor("a", R"("data_offsets":[0,8,8])") + "}", 8),
       "tensor \"a\": data_offsets: expected two numbers, found more"},
      {safetensors("{" + tensor("a", R"("data_offsets":[-8,0])") + "}", 8),
       "tensor \"a\": data_offsets: expected whole numbers from 0, found a negative number"},
      {safetensors("{" + tensor("a", R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])") + "}", 0),
       "tensor \"a\": shape (4294967296, 4294967296) is too large to count"},
      {safetensors("{" + tensor("a", R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0])") + "}", 0),
       "tensor \"a\": shape (2305843009213693952) is too large to count"},
      {safetensors("{" + pair_at("a", 0, 8) + "}", 7), "tensor \"a\": bytes 0 to 8 reach beyond the 7 bytes of data"},
      {safetensors("{" + pair_at("a", 0, 8) + "}", 9), "the data has 1 bytes after the last tensor"},
      {safetensors("{}", 3), "the data has 3 bytes after the last tensor"},
      {safetensors("{" + pair_at("a", 0, 12) + "}", 12), "tensor \"a\": F32 (2) takes 8 bytes, but has 12"},
      {safetensors("{" + pair_at("a", 8, 0) + "}", 8), "tensor \"a\": bytes 8 to 0 run backwards"},
      {safetensors("{" + pair_at("a", 4, 12) + "}", 12), "tensor \"a\": bytes 4 to 12 leave a gap after byte 0"},
      {safetensors("{" + pair_at("a", 0, 8) + "," + pair_at("b", 12, 20) + "}", 20),
       "tensor \"b\": bytes 12 to 20 leave a gap after byte 8"},
      {safetensors("{" + pair_at("b", 4, 12) + "," + pair_at("a", 0, 8) + "}", 12),
       "tensor \"b\": bytes 4 to 12 overlap the tensor before it, which ends at 8"},
      {safetensors("{" + pair_at("a", 0, 8) + "," + pair_at("b", 0, 8) + "}", 8),
       "tensor \"b\": bytes 0 to 8 overlap the tensor before it, which ends at 8"},
      {safetensors("{" + pair_at(std::string(100000, 'n'), 0, 8) + "}", 0),
       "tensor \"" + std::string(80, 'n') + "...\" (100000 bytes): bytes 0 to 8 reach beyond"},
      {safetensors("{\"a\\n\":7}", 0), "the header: \"a\\n\": expected an object, found a number"},
  };
  for (const Case& c : cases) {
    const std::string found = complaint(path, c.bytes);
    CHECK_MESSAGE(found.starts_with(path + ": " + c.reason), found, "\n  expected: ", c.reason);
    CHECK(found.find("; ") != std::string::npos);  // and the way out
  }
  CHECK(complaint(path, safetensors("{}", 0)).empty());
  CHECK(complaint(path, safetensors("{" + pair_at("b", 8, 16) + "," + pair_at("a", 0, 8) + "}   ", 16)).empty());
}

TEST_CASE("the JSON of a header is read strictly") {
  const auto value = [](const std::string& text) {
    SafetensorsHeader header;
    const std::string complaint =
        parse_safetensors_header("{\"__metadata__\" :\t{\n\"k\": " + text + "\r}}", 0, header);
    return complaint.empty() ? header.metadata.at("k") : complaint;
  };
  CHECK(value(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(value(R"("\u0041\u00e9\u20AC\ud83d\uDC0D\uffff")") == "A\u00e9\u20ac\U0001F40D\uffff");
  CHECK(value(R"("\u0000")") == std::string(1, '\0'));
  CHECK(value("\"\u00e9\u20ac\U0001F40D\"") == "\u00e9\u20ac\U0001F40D");
  CHECK(value("18446744073709551615").ends_with("found a number"));
  CHECK(value("18446744073709551616").ends_with("found the number 18446744073709551616"));
  CHECK(value("-0").ends_with("found a negative number"));
  for (const char* number : {"0.5", "-1.25e+10", "2E-3", "0e0"})
    CHECK(value(number).ends_with(std::string("found the number ") + number));

  const std::string start = "the header is not JSON: error at its byte ";
  struct Case {
    const char* text;
    int wrong;  // from 0; of a character that is no UTF-8 its first byte
  };
  for (const Case c : std::initializer_list<Case>{{"", 1},
                                                  {"nul", 3},
                                                  {"tru", 3},
                                                  {"falsy", 4},
                                                  {"-", 1},
                                                  {"1.", 2},
                                                  {"1e", 2},
                                                  {"1e+", 3},
                                                  {"+1", 0},
                                                  {".5", 0},
                                                  {"'a'", 0},
                                                  {"\"a\nb\"", 2},
                                                  {R"("\x")", 2},
                                                  {R"("\u12g4")", 5},
                                                  {R"("\ud83d")", 7},
                                                  {R"("\ud83d\n")", 8},
                                                  {R"("\udc0d")", 6},
                                                  {R"("\ud83da")", 7},
                                                  {R"("\ud83d\u0041")", 12},
                                                  {"\"\x80\"", 1},
                                                  {"\"\xc1\x81\"", 1},
                                                  {"\"\xe0\x9f\xbf\"", 1},
                                                  {"\"\xed\xa0\x80\"", 1},
                                                  {"\"\xf0\x8f\xbf\xbf\"", 1},
                                                  {"\"\xf4\x90\x80\x80\"", 1},
                                                  {"\"\xf5\"", 1},
                                                  {"\"\xe2\x82\"", 1},
                                                  {"\"a\",", 5},
                                                  {"\"a\" \"b\"", 4},
                                                  {"\"a\",1", 4},
                                                  {"\"a\",\"b\"", 8}}) {
    INFO(c.text);
    CHECK(value(c.text) == start + std::to_string(26 + c.wrong));
  }
}

TEST_CASE("a header deeper or longer than any machine is refused") {
  const test::Folder folder;
  const std::string deep(1'000'000, '[');
  CHECK(complaint(folder / "a", safetensors("{\"a\":" + deep, 0)).find("expected an object, found an array") !=
        std::string::npos);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(complaint(folder / "a", safetensors(objects, 0)).find("not JSON: error at its byte") != std::string::npos);

  const std::uint64_t length = 100'000'001;  // of nothing: a hole in the file
  test::write(folder / "a", std::string(reinterpret_cast<const char*>(&length), sizeof length));
  std::filesystem::resize_file(folder / "a", 100'000'100);
  CHECK(test::message<Error>([&] { read_all(folder / "a"); }).find("has 100000001 bytes, more than 100 MB") !=
        std::string::npos);
}

TEST_CASE("a dtype that is newer than the library keeps no other tensor from being read") {
  const test::Folder folder;
  const std::string path = folder / "a";
  const auto of = [](const char* name, const char* dtype, int size, int begin, int end) {
    return tensor(name, "\"dtype\":\"" + std::string(dtype) + "\",\"shape\":[" + std::to_string(size) +
                            "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]");
  };
  test::write(path, safetensors("{" + of("new", "F2_E1", 7, 0, 3) + "," + of("scale", "F8_E8M0", 4, 3, 7) + "," +
                                    of("half byte", "F4", 4, 7, 9) + "," + of("six bits", "F6_E3M2", 4, 9, 12) + "," +
                                    of("byte", "U8", 2, 12, 14) + "}",
                                14));
  const SafetensorsFile file(path);
  CHECK(file.tensors().size() == 5);
  std::vector<std::uint8_t> bytes(2);
  file.read("byte", std::vector<dim_t>{2}, std::span(bytes));
  CHECK(bytes == std::vector<std::uint8_t>{1, 1});
  CHECK(file.bytes(*file.find("new"))->size() == 3);
  const auto says = [&](const char* name, dim_t size) {
    std::vector<float> out(std::size_t(size), 0);
    return test::message<Error>([&] { file.read(name, std::vector<dim_t>{size}, std::span(out)); });
  };
  CHECK(says("new", 7) == path + ": new: dtype: expected F32, found F2_E1");
  CHECK(says("scale", 4) == path + ": scale: dtype: expected F32, found F8_E8M0");
  CHECK(says("half byte", 4) == path + ": half byte: dtype: expected F32, found F4");
}

TEST_CASE("what the format's own reader passes over is passed over") {
  const test::Folder folder;
  const std::string fields = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  for (const std::string& header :
       {"{\"__metadata__\":null," + pair_at("a", 0, 8) + "}", "{" + tensor("a", fields + ",\"x\":1") + "}",
        "{" + tensor("a", R"("x":{"y":[1,null,true,-1,1.5,"s",{"shape":[[]]}]},)" + fields) + "}",
        "{" + tensor("a", "\"x\":" + repeated("[", 100) + repeated("]", 100) + "," + fields) + "}",
        "{" + tensor("a", R"("dtype":"F32","shape":[2)" + repeated(",1", 63) + R"(],"data_offsets":[0,8])") + "}"}) {
    INFO(header);
    CHECK(complaint(folder / "a", safetensors(header, 8)) == "");
  }
}

TEST_CASE("names from a file are shown short, and nothing in them is obeyed") {
  const test::Folder folder;
  const std::string found = complaint(
      folder / "a", safetensors("{" + pair_at("\\u001b[2J\u009b1m" + std::string(30'000'000, 'x'), 0, 8) + "}", 0));
  CHECK(found.find("tensor \"\\x1B[2J\\u009B1mxxx") != std::string::npos);
  CHECK(found.find("xxx...\" (30000008 bytes): bytes 0 to 8") != std::string::npos);
  CHECK(found.size() < 400);
}

TEST_CASE("a file cut short anywhere is refused") {
  const test::Folder folder;
  save_sample(folder / "a");
  const std::string whole = test::read(folder / "a");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    INFO("after ", n, " of ", whole.size(), " bytes");
    CHECK(!complaint(folder / "cut", whole.substr(0, n)).empty());
  }
  CHECK(complaint(folder / "cut", whole).empty());
}

TEST_CASE("random damage is read or refused, nothing worse") {
  const auto seed = std::random_device()();
  MESSAGE("seed ", seed);
  std::mt19937 random(seed);
  const test::Folder folder;
  save_sample(folder / "a");
  const std::string whole = test::read(folder / "a");
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    for (unsigned n = random() % 4 + 1; n-- > 0;) bytes[random() % bytes.size()] = char(random());
    refused += !complaint(folder / "damaged", bytes).empty();
  }
  CHECK(refused > 1000);
}

TEST_CASE("the writer refuses what could not be read back") {
  const test::Folder folder;
  const float one = 1;
  SafetensorsWriter writer;
  writer.add("a", {1}, std::span(&one, 1));
  CHECK(test::message<Error>([&] {
          writer.add("a", {1}, std::span(&one, 1));
        }).find("a: two tensors would have this name") == 0);
  CHECK_THROWS_AS(writer.add("__metadata__", {1}, std::span(&one, 1)), Error);
  CHECK(test::message<Error>([&] { writer.add("b", {2}, std::span(&one, 1)); }) == "b: shape (2) was given 1 values");
  CHECK_THROWS_AS(SafetensorsWriter().add("b", Dtype::u8, {-1}, {}), Error);
  CHECK_THROWS_AS(writer.add("b", Dtype::f32, {dim_t(1) << 40, dim_t(1) << 40}, {}), Error);
  writer.write(folder / "a");
  CHECK(SafetensorsFile(folder / "a").tensors().size() == 1);

  SafetensorsWriter odd;
  odd.metadata["key"] = "\xff";
  CHECK(test::message<Error>([&] { odd.write(folder / "b"); }).find("UTF-8") != std::string::npos);
  CHECK(folder.files() == 1);
}

TEST_CASE("an error or a kill while the tensors are written leaves the old file whole") {
  const test::Folder folder;
  save_sample(folder / "a");
  const std::string old = test::read(folder / "a");
  const std::vector<float> ones(1000, 1.f);
  const auto save_with = [&](void (*disaster)()) {
    SafetensorsWriter writer;
    writer.add("ones", {1000}, std::span(ones));
    writer.add("rest", Dtype::f32, {1000}, [disaster](std::uint64_t, std::span<std::byte>) { disaster(); });
    writer.write(folder / "a");
  };
  CHECK_THROWS_AS(save_with([] { throw Error("device lost"); }), Error);
  CHECK(test::read(folder / "a") == old);
  CHECK(folder.files() == 1);

  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) save_with([] { std::raise(SIGKILL); });
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(test::read(folder / "a") == old);
  save_with([] {});
  CHECK(SafetensorsFile(folder / "a").find("rest") != nullptr);
  CHECK(folder.files() == 1);
}
