#pragma once
#include <map>

#include <rwkv/io/byte_reader.hpp>

namespace rwkv::detail {

/// A file in a zip archive, with the place of its bytes in the archive.
struct ZipMember {
  std::uint64_t begin = 0, end = 0;
  bool as_it_is = true;  ///< neither compressed nor encrypted
};

/// What is in a zip archive (PKWARE's APPNOTE 6.3), of 64 bits or not, by its central directory: local headers may lack
/// sizes. Checksums are not compared.
class ZipArchive {
 public:
  using Members = std::map<std::string_view, ZipMember>;

  static bool recognises(std::span<const std::byte> file) {
    constexpr char start[] = {'P', 'K', 3, 4};
    return file.size() >= sizeof start && std::memcmp(file.data(), start, sizeof start) == 0;
  }

  /// Error unless the directory is sound, and all members lie apart before it.
  [[gnu::cold]] explicit ZipArchive(ByteReader file) : file_(std::move(file)) {
    find_directory();
    const std::uint64_t end = directory_ + directory_size_;
    std::map<std::uint64_t, std::uint64_t> taken;  // from, to
    file_.go_to(directory_);
    for (std::uint64_t i = 0; i < count_; ++i) {
      if (file_.at() >= end) file_.refuse("the zip directory has ", i, " entries, expected ", count_);
      entry(taken);
    }
    if (file_.at() != end) file_.refuse("the zip directory has bytes after its ", count_, " entries");
    std::uint64_t used = 0;
    for (const auto& [from, to] : taken) {
      if (from < used) file_.refuse("two members of the zip archive overlap at byte ", from);
      used = to;
    }
  }

  /// By their names.
  const Members& members() const { return members_; }
  /// Null if there is none of that name.
  const ZipMember* find(std::string_view name) const {
    const auto found = members_.find(name);
    return found == members_.end() ? nullptr : &found->second;
  }

 private:
  static constexpr std::uint32_t end_mark = 0x06054B50, locator_mark = 0x07064B50, end64_mark = 0x06064B50,
                                 entry_mark = 0x02014B50, member_mark = 0x04034B50;
  static constexpr std::uint64_t end_size = 22, locator_size = 20, end64_size = 56, member_size = 30;

  std::uint32_t mark_at(std::uint64_t at) const {
    std::uint32_t mark = 0;
    if (at + sizeof mark <= file_.bytes().size()) std::memcpy(&mark, file_.bytes().data() + at, sizeof mark);
    return mark;
  }
  /// The last record of the archive, which a comment of 2^16 - 1 bytes at most may follow.
  std::uint64_t find_end() const {
    const std::uint64_t size = file_.bytes().size();
    for (std::uint64_t comment = 0; comment <= 0xFFFF && comment + end_size <= size; ++comment) {
      const std::uint64_t at = size - end_size - comment;
      std::uint16_t said;
      std::memcpy(&said, file_.bytes().data() + at + end_size - sizeof said, sizeof said);
      if (mark_at(at) == end_mark && said == comment) return at;
    }
    file_.refuse("begins as a zip archive, but has no directory at its end: it is cut short");
  }
  void find_directory() {
    constexpr std::string_view place = "the end of the zip archive";
    std::uint64_t end = find_end();
    if (end >= locator_size && mark_at(end - locator_size) == locator_mark) {
      file_.go_to(end - locator_size + 8);
      const auto at = file_.number<std::uint64_t>(place);
      if (at > end - locator_size || end - locator_size - at < end64_size || mark_at(at) != end64_mark)
        file_.refuse(place, ": expected a record of 64 bits at byte ", at, ", found none");
      file_.go_to(at + 32);
      count_ = file_.number<std::uint64_t>(place);
      directory_size_ = file_.number<std::uint64_t>(place);
      directory_ = file_.number<std::uint64_t>(place);
      end = at;
    } else {
      file_.go_to(end + 10);
      count_ = file_.number<std::uint16_t>(place);
      directory_size_ = file_.number<std::uint32_t>(place);
      directory_ = file_.number<std::uint32_t>(place);
    }
    if (directory_ > end || directory_size_ > end - directory_)
      file_.refuse("the zip directory would have ", directory_size_, " bytes at byte ", directory_,
                   ", but must end before byte ", end);
  }
  /// The next entry of the directory.
  void entry(std::map<std::uint64_t, std::uint64_t>& taken) {
    constexpr std::string_view place = "the zip directory";
    const std::uint64_t start = file_.at();
    if (file_.number<std::uint32_t>(place) != entry_mark) file_.refuse(place, " has no entry at byte ", start);
    file_.take(4, place);  // versions
    const auto flags = file_.number<std::uint16_t>(place), method = file_.number<std::uint16_t>(place);
    file_.take(8, place);  // time, checksum
    std::uint64_t packed = file_.number<std::uint32_t>(place), size = file_.number<std::uint32_t>(place);
    const auto name_size = file_.number<std::uint16_t>(place), extra_size = file_.number<std::uint16_t>(place),
               comment_size = file_.number<std::uint16_t>(place);
    file_.take(8, place);  // disk, attributes
    std::uint64_t header = file_.number<std::uint32_t>(place);
    const std::string_view name = file_.text(name_size, place);
    const std::string member = "member " + in_quotes(name);
    wide_sizes(file_.take(extra_size, place), {&size, &packed, &header}, member);
    file_.take(comment_size, place);

    const bool as_it_is = method == 0 && (flags & 1) == 0;
    if (as_it_is && packed != size)
      file_.refuse(member, " is stored as it is, but its sizes differ: ", packed, " and ", size);
    const std::uint64_t begin = begin_of(header, name, member);
    if (packed > directory_ - begin)
      file_.refuse(member, ": its ", packed, " bytes from byte ", begin, " on reach beyond byte ", directory_,
                   ", where the zip directory begins");
    if (!members_.emplace(name, ZipMember{begin, begin + packed, as_it_is}).second)
      file_.refuse(member, " occurs twice");
    taken.emplace(header, begin + packed);
  }
  /// Takes from the extra field 1 what has no room in 32 bits.
  void wide_sizes(std::span<const std::byte> extra, std::initializer_list<std::uint64_t*> sizes,
                  const std::string& member) const {
    std::span<const std::byte> wide;
    while (extra.size() >= 4) {
      std::uint16_t field[2];  // number, size
      std::memcpy(field, extra.data(), sizeof field);
      const std::size_t size = std::min<std::size_t>(field[1], extra.size() - sizeof field);
      if (field[0] == 1) wide = extra.subspan(sizeof field, size);
      extra = extra.subspan(sizeof field + size);
    }
    for (std::uint64_t* size : sizes) {
      if (*size != 0xFFFFFFFF) continue;
      if (wide.size() < sizeof *size) file_.refuse(member, " has no sizes of 64 bits");
      std::memcpy(size, wide.data(), sizeof *size);
      wide = wide.subspan(sizeof *size);
    }
  }
  /// Where the bytes of a member begin, whose local header is there.
  std::uint64_t begin_of(std::uint64_t header, std::string_view name, const std::string& member) {
    if (header > directory_ || directory_ - header < member_size || mark_at(header) != member_mark)
      file_.refuse(member, ": expected its header at byte ", header, ", found none");
    const std::uint64_t next = file_.at();
    file_.go_to(header + 26);
    const auto name_size = file_.number<std::uint16_t>(member), extra_size = file_.number<std::uint16_t>(member);
    if (std::uint64_t{name_size} + extra_size > directory_ - file_.at())
      file_.refuse(member, ": its header at byte ", header, " reaches beyond byte ", directory_);
    const std::string_view here = file_.text(name_size, member);
    if (here != name) file_.refuse(member, " is called ", in_quotes(here), " in its header at byte ", header);
    const std::uint64_t begin = file_.at() + extra_size;
    file_.go_to(next);
    return begin;
  }

  ByteReader file_;
  Members members_;
  std::uint64_t directory_ = 0, directory_size_ = 0, count_ = 0;
};

}  // namespace rwkv::detail
