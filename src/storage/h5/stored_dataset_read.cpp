#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "storage/h5/each_element.hpp"
#include "storage/h5/element_conversion.hpp"
#include "storage/h5/stored_dataset.hpp"

namespace ballast::storage::h5 {

namespace {

/// Converts so many elements at a time.
constexpr std::size_t kConverted = std::size_t{64} << 10;

template <class T>
std::span<std::uint8_t> bytes_of(std::span<T> out) {
  return {reinterpret_cast<std::uint8_t*>(out.data()), out.size_bytes()};
}

}  // namespace

template <class T>
void StoredDataset::read(std::uint64_t offset, std::span<T> out, ChunkCache& cache) const {
  require_kind<T>(type_);
  if (const auto* chunks = std::get_if<Chunks>(&place_)) {
    return read_from(*chunks, offset, out, cache);
  }
  if (const auto* elements = std::get_if<Compact>(&place_)) {
    return read_from(*elements, offset, out);
  }
  read_from(std::get<ContiguousLayout>(place_), offset, out);
}

template <class T>
void StoredDataset::read_from(const Compact& elements, std::uint64_t offset,
                              std::span<T> out) const {
  const std::size_t bytes = element_bytes();
  convert(type_, Bytes{elements}.subspan(offset * bytes, out.size() * bytes), out);
}

template <class T>
void StoredDataset::read_from(const ContiguousLayout& place, std::uint64_t offset,
                              std::span<T> out) const {
  if (out.empty()) return;
  const std::uint64_t address = place.address + offset * element_bytes();
  if (type_ == element_type<T>()) return source_->read(address, bytes_of(out));
  std::vector<std::uint8_t> piece(std::min(out.size(), kConverted) * element_bytes());
  for (std::size_t done = 0; done < out.size();) {
    const auto part = out.subspan(done, std::min(out.size() - done, kConverted));
    const auto bytes = std::span{piece}.first(part.size() * element_bytes());
    source_->read(address + done * element_bytes(), bytes);
    convert(type_, bytes, part);
    done += part.size();
  }
}

template <class T>
void StoredDataset::read_from(const Chunks& chunks, std::uint64_t offset, std::span<T> out,
                              ChunkCache& cache) const {
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t within = (offset + done) % chunks.elements;
    const auto chunk = chunk_at(chunks, offset + done - within, cache);
    const std::size_t count = std::min<std::uint64_t>(out.size() - done, chunks.elements - within);
    convert(type_, Bytes{*chunk}.subspan(within * element_bytes(), count * element_bytes()),
            out.subspan(done, count));
    done += count;
  }
}

ChunkCache::Chunk StoredDataset::chunk_at(const Chunks& chunks, std::uint64_t first,
                                          ChunkCache& cache) const {
  const ChunkCache::Key key{header_, first};
  if (auto kept = cache.find(key)) return kept;
  const auto where = [&] { return fmt::format("chunk {}", first / chunks.elements); };
  return with_late_context(where, [&] {
    const auto place = chunks.index.find(first);
    if (!place) throw data_error("it is not in the file");
    if (place->bytes > chunks.codec.most_stored_bytes()) {
      throw data_error("it has {} where {} are packed", human_bytes(place->bytes),
                       human_bytes(chunks.codec.bytes()));
    }
    auto stored = source_->read(place->address, place->bytes);
    auto chunk = std::make_shared<const std::vector<std::uint8_t>>(
        chunks.codec.decode(std::move(stored), place->skipped_filters));
    cache.keep(key, chunk);
    return ChunkCache::Chunk{std::move(chunk)};
  });
}

#define BALLAST_H5_ELEMENT(T) \
  template void StoredDataset::read<T>(std::uint64_t, std::span<T>, ChunkCache&) const;
BALLAST_H5_EACH_ELEMENT(BALLAST_H5_ELEMENT)
#undef BALLAST_H5_ELEMENT

}  // namespace ballast::storage::h5
