#include "storage/h5_chunks.hpp"

#include <algorithm>
#include <array>
#include <zlib.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "storage/h5_error.hpp"

namespace ballast::storage {

namespace {

using Bytes = ChunkCache::Bytes;

/// Chunks of ours have 512 KiB at most.
constexpr std::size_t kLargestChunk = std::size_t{4} << 20;
/// Filters, too, are a list that a file may make long.
constexpr int kMostFilters = 2;

/// What noise grows by when it is deflated, generously.
constexpr std::size_t deflated_limit(std::size_t bytes) { return bytes + bytes / 64 + 1024; }

Bytes inflated(const Bytes& packed, std::size_t size) {
  Bytes out(size);
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

/// The first bytes of all elements lie together, then their second bytes, and so on.
Bytes unshuffled(const Bytes& mixed, std::size_t element_bytes) {
  const std::size_t count = mixed.size() / element_bytes;
  Bytes out(mixed.size());
  for (std::size_t byte = 0; byte < element_bytes; ++byte) {
    for (std::size_t i = 0; i < count; ++i) {
      out[i * element_bytes + byte] = mixed[byte * count + i];
    }
  }
  return out;
}

}  // namespace

const Bytes* ChunkCache::find(Key key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  entry->second.used = ++clock_;
  return &entry->second.bytes;
}

const Bytes& ChunkCache::keep(Key key, Bytes bytes) {
  while (!entries_.empty() &&
         (bytes_ + bytes.size() > kMostBytes || entries_.size() >= kMostChunks)) {
    drop_oldest();
  }
  bytes_ += bytes.size();
  return (entries_[key] = {std::move(bytes), ++clock_}).bytes;
}

std::span<std::uint8_t> ChunkCache::room(std::size_t bytes) {
  if (room_.size() < bytes) room_.resize(bytes);
  return std::span{room_}.first(bytes);
}

void ChunkCache::drop_oldest() {
  const auto oldest =
      std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.used; });
  bytes_ -= oldest->second.bytes.size();
  entries_.erase(oldest);
}

ChunkLayout::ChunkLayout(hid_t creation, std::size_t element_bytes)
    : element_bytes_{element_bytes} {
  hsize_t elements = 0;
  if (H5Pget_chunk(creation, 1, &elements) != 1 || elements == 0) {
    throw data_error("its chunks have no size");
  }
  if (elements > kLargestChunk / element_bytes) {
    throw data_error("its chunks of {} elements are larger than {}", elements,
                     human_bytes(kLargestChunk));
  }
  elements_ = elements;
  const int filters = H5Pget_nfilters(creation);
  if (filters < 0 || filters > kMostFilters)
    throw data_error("it went through {} filters", filters);
  for (int i = 0; i < filters; ++i) add_filter(creation, static_cast<unsigned>(i));
}

void ChunkLayout::add_filter(hid_t creation, unsigned position) {
  unsigned flags = 0;
  std::array<unsigned, 1> values{};
  std::size_t count = values.size();
  const H5Z_filter_t filter =
      H5Pget_filter2(creation, position, &flags, &count, values.data(), 0, nullptr, nullptr);
  if (filter == H5Z_FILTER_DEFLATE) {
    filters_.push_back(Filter::deflate);
  } else if (filter == H5Z_FILTER_SHUFFLE && count == 1 && values[0] == element_bytes_) {
    filters_.push_back(Filter::shuffle);
  } else {
    throw data_error("it went through a filter other than shuffle and deflate (number {})", filter);
  }
}

Bytes ChunkLayout::read(hid_t dataset, std::size_t chunk) const {
  return with_late_context(
      [&] { return fmt::format("chunk {}", chunk); },
      [&] {
        const hsize_t offset = chunk * elements_;
        hsize_t stored = 0;
        if (H5Dget_chunk_storage_size(dataset, &offset, &stored) < 0)
          throw data_error("{}", h5_reason());
        if (stored == 0) throw data_error("it is not in the file");
        if (stored > deflated_limit(bytes())) {
          throw data_error("it has {} where {} are packed", human_bytes(stored),
                           human_bytes(bytes()));
        }
        Bytes data(stored);
        std::uint32_t skipped = 0;
        if (H5Dread_chunk(dataset, H5P_DEFAULT, &offset, &skipped, data.data()) < 0) {
          throw data_error("{}", h5_reason());
        }
        for (std::size_t i = filters_.size(); i-- > 0;) {
          if ((skipped >> i & 1u) != 0) continue;
          data = filters_[i] == Filter::deflate ? inflated(data, bytes())
                                                : unshuffled(data, element_bytes_);
        }
        if (data.size() != bytes()) {
          throw data_error("it has {} bytes instead of {}", data.size(), bytes());
        }
        return data;
      });
}

}  // namespace ballast::storage
