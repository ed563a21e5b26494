#include "storage/h5/chunk_codec.hpp"

#include <utility>
#include <zlib.h>

#include "base/text.hpp"

namespace ballast::storage::h5 {

namespace {

/// Chunks of ours have 512 KiB at most.
constexpr std::size_t kLargestChunk = std::size_t{4} << 20;

std::vector<std::uint8_t> inflated(const std::vector<std::uint8_t>& packed, std::size_t size) {
  std::vector<std::uint8_t> out(size);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw internal_error("zlib cannot start");
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(size);
  const int answer = ::inflate(&stream, Z_FINISH);
  const bool is_whole = answer == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!is_whole) throw data_error("it does not inflate to its {}", human_bytes(size));
  return out;
}

/// With the size of an element known to the compiler this takes an eighth of the time.
template <std::size_t kBytes>
void gather_bytes(std::span<const std::uint8_t> mixed, std::span<std::uint8_t> out) {
  const std::size_t count = mixed.size() / kBytes;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
      out[i * kBytes + byte] = mixed[byte * count + i];
    }
  }
}

/// The first bytes of all elements lie together, then their second bytes, and so on.
std::vector<std::uint8_t> unshuffled(std::vector<std::uint8_t> mixed, std::size_t element_bytes) {
  if (element_bytes == 1) return mixed;
  std::vector<std::uint8_t> out(mixed.size());
  switch (element_bytes) {
    case 2:
      gather_bytes<2>(mixed, out);
      break;
    case 4:
      gather_bytes<4>(mixed, out);
      break;
    case 8:
      gather_bytes<8>(mixed, out);
      break;
    default:
      throw internal_error("no element has {} bytes", element_bytes);
  }
  return out;
}

}  // namespace

ChunkCodec::ChunkCodec(std::uint64_t elements, std::size_t element_bytes,
                       std::span<const Filter> filters)
    : element_bytes_{element_bytes}, bytes_{elements * element_bytes} {
  if (elements > kLargestChunk / element_bytes) {
    throw data_error("its chunks of {} elements are larger than {}", elements,
                     human_bytes(kLargestChunk));
  }
  for (const Filter& filter : filters) {
    const auto& parameters = filter.parameters;
    if (filter.number == Filter::kDeflate) {
      steps_.push_back(Step::deflate);
    } else if (filter.number == Filter::kShuffle && parameters.size() == 1 &&
               parameters[0] == element_bytes) {
      steps_.push_back(Step::shuffle);
    } else {
      throw data_error("it went through a filter other than shuffle and deflate (number {})",
                       filter.number);
    }
  }
}

std::vector<std::uint8_t> ChunkCodec::decode(std::vector<std::uint8_t> data,
                                             std::uint32_t skipped) const {
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if ((skipped >> i & 1u) != 0) continue;
    data = steps_[i] == Step::deflate ? inflated(data, bytes_)
                                      : unshuffled(std::move(data), element_bytes_);
  }
  if (data.size() != bytes_) {
    throw data_error("it has {} bytes instead of {}", data.size(), bytes_);
  }
  return data;
}

}  // namespace ballast::storage::h5
