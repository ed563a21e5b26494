#include "data/content.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>

namespace ballast::data {

namespace {

using namespace std::string_view_literals;

/// Letters alone may begin a text, too: then a byte that no text has must be near.
enum class Proof { magic, magic_and_control_byte };

struct Signature {
  std::string_view magic;
  std::size_t offset;
  Proof proof;
  Content content;
};

constexpr auto kUnpack = "unpack it first"sv;
constexpr auto kJsonLines =
    "write its text as JSON lines first (Python: pandas, to_json with lines=True)"sv;
constexpr auto kUtf16 = "convert it first: iconv -f UTF-16 -t UTF-8 '{}'"sv;

constexpr Content wrapped(std::string_view name, std::string_view remedy) {
  return {ContentKind::wrapped, name, remedy};
}
constexpr Content no_text(std::string_view name) {
  return {ContentKind::no_text, name, "leave it out"};
}

// Published by the formats' own documents and collected in file(1).
constexpr Signature kSignatures[] = {
    {"\x1f\x8b"sv, 0, Proof::magic, wrapped("a gzip file", "zcat '{}' | ballast prepare - ...")},
    {"BZh"sv, 0, Proof::magic_and_control_byte,
     wrapped("a bzip2 file", "bzcat '{}' | ballast prepare - ...")},
    {"\xfd"
     "7zXZ\0"sv,
     0, Proof::magic, wrapped("an xz file", "xzcat '{}' | ballast prepare - ...")},
    {"\x28\xb5\x2f\xfd"sv, 0, Proof::magic,
     wrapped("a Zstandard file", "zstdcat '{}' | ballast prepare - ...")},
    {"\x04\x22\x4d\x18"sv, 0, Proof::magic,
     wrapped("an LZ4 file", "lz4cat '{}' | ballast prepare - ...")},
    {"PK\3\4"sv, 0, Proof::magic, wrapped("a zip archive or an office document", kUnpack)},
    {"PK\5\6"sv, 0, Proof::magic, wrapped("a zip archive without files", kUnpack)},
    {"7z\xbc\xaf\x27\x1c"sv, 0, Proof::magic, wrapped("a 7-Zip archive", kUnpack)},
    {"Rar!\x1a\x07"sv, 0, Proof::magic, wrapped("a RAR archive", kUnpack)},
    {"ustar"sv, 257, Proof::magic_and_control_byte, wrapped("a tar archive", kUnpack)},
    {"PAR1"sv, 0, Proof::magic_and_control_byte, wrapped("a Parquet file", kJsonLines)},
    {"ARROW1"sv, 0, Proof::magic_and_control_byte, wrapped("an Arrow file", kJsonLines)},
    {"ORC"sv, 0, Proof::magic_and_control_byte, wrapped("an ORC file", kJsonLines)},
    {"Obj\1"sv, 0, Proof::magic, wrapped("an Avro file", kJsonLines)},
    {"SQLite format 3\0"sv, 0, Proof::magic, wrapped("an SQLite database", kJsonLines)},
    {"%PDF-"sv, 0, Proof::magic,
     wrapped("a PDF document", "extract its text first: pdftotext '{}'")},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, 0, Proof::magic,
     wrapped("an office document", "save it as plain text first")},
    {"\xff\xfe"sv, 0, Proof::magic, wrapped("UTF-16 text", kUtf16)},
    {"\xfe\xff"sv, 0, Proof::magic, wrapped("UTF-16 text", kUtf16)},
    {"\x89HDF\r\n\x1a\n"sv, 0, Proof::magic, {ContentKind::hdf5, "an HDF5 file", kJsonLines}},
    {"\x93NUMPY"sv, 0, Proof::magic, no_text("a NumPy array")},
    {"\x7f"
     "ELF"sv,
     0, Proof::magic, no_text("a program (ELF)")},
    {"MZ"sv, 0, Proof::magic_and_control_byte, no_text("a program (Windows)")},
    {"\xfe\xed\xfa"sv, 0, Proof::magic, no_text("a program (Mach-O)")},
    {"\xcf\xfa\xed\xfe"sv, 0, Proof::magic, no_text("a program (Mach-O)")},
    {"\xca\xfe\xba\xbe"sv, 0, Proof::magic, no_text("a program (Java)")},
    {"\0asm"sv, 0, Proof::magic, no_text("a program (WebAssembly)")},
    {"!<arch>\n"sv, 0, Proof::magic, no_text("an archive of object files")},
    {"\x89PNG\r\n\x1a\n"sv, 0, Proof::magic, no_text("a picture (PNG)")},
    {"\xff\xd8\xff"sv, 0, Proof::magic, no_text("a picture (JPEG)")},
    {"GIF8"sv, 0, Proof::magic_and_control_byte, no_text("a picture (GIF)")},
    {"II*\0"sv, 0, Proof::magic, no_text("a picture (TIFF)")},
    {"MM\0*"sv, 0, Proof::magic, no_text("a picture (TIFF)")},
    {"RIFF"sv, 0, Proof::magic_and_control_byte, no_text("a picture, a sound or a film (RIFF)")},
    {"ID3"sv, 0, Proof::magic_and_control_byte, no_text("a sound (MP3)")},
    {"OggS"sv, 0, Proof::magic_and_control_byte, no_text("a sound or a film (Ogg)")},
    {"fLaC"sv, 0, Proof::magic_and_control_byte, no_text("a sound (FLAC)")},
    {"ftyp"sv, 4, Proof::magic_and_control_byte, no_text("a film or a picture (MP4)")},
    {"\x1a\x45\xdf\xa3"sv, 0, Proof::magic, no_text("a film (Matroska)")},
    {"wOF"sv, 0, Proof::magic_and_control_byte, no_text("a font")},
    {"OTTO"sv, 0, Proof::magic_and_control_byte, no_text("a font")},
    {"\0\1\0\0\0"sv, 0, Proof::magic, no_text("a font")},
};

/// A control character that stands in no text: neither white space, bell, backspace nor escape.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x07 || (byte > 0x0d && byte < 0x20 && byte != 0x1b);
}

bool fits(const Signature& signature, std::string_view head) {
  if (head.size() < signature.offset) return false;
  if (!head.substr(signature.offset).starts_with(signature.magic)) return false;
  return signature.proof == Proof::magic || std::ranges::any_of(head, is_control);
}

}  // namespace

Content recognize(std::string_view head) {
  const auto* const found = std::ranges::find_if(
      kSignatures, [head](const Signature& signature) { return fits(signature, head); });
  return found == std::end(kSignatures) ? Content{} : found->content;
}

std::string remedy_for(const Content& content, const std::string& file) {
  std::string remedy{content.remedy};
  if (const auto at = remedy.find("{}"); at != std::string::npos) remedy.replace(at, 2, file);
  return remedy;
}

}  // namespace ballast::data
