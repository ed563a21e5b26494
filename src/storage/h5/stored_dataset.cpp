#include "storage/h5/stored_dataset.hpp"

#include <algorithm>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace ballast::storage::h5 {

namespace {

/// Bytes that one byte of a deflated text stands for at most.
constexpr std::uint64_t kMostInflation = 1032;
/// An entry of a chunk's index takes at least as much of the file.
constexpr std::uint64_t kIndexEntryBytes = 8;
/// Chunks that make up more than one have at least so many bytes: each costs a search and a read.
constexpr std::uint64_t kSmallestChunk = 256;

std::vector<Filter> filters_of(const ObjectHeader& header) {
  const Bytes* const message = header.find(MessageKind::filters);
  return message == nullptr ? std::vector<Filter>{} : parse_filters(*message);
}

}  // namespace

StoredDataset::StoredDataset(const ByteSource& source, std::uint64_t header)
    : source_{&source}, header_{header} {
  const ObjectHeader object{source, header};
  read_type_and_size(object);
  place_ = place_of(object);
}

Error StoredDataset::too_large() const {
  return data_error("it claims {} elements, more than a file of {} can hold", size_,
                    human_bytes(source_->size()));
}

void StoredDataset::read_type_and_size(const ObjectHeader& header) {
  const Datatype type = parse_datatype(header.get(MessageKind::datatype));
  if (type.kind != Datatype::Kind::number) {
    throw data_error(
        "its elements are no plain integers or floating-point numbers, lowest byte first");
  }
  type_ = type.element;
  const Dataspace space = parse_dataspace(header.get(MessageKind::dataspace));
  if (space.dimensions != 1) throw data_error("it is not one-dimensional");
  size_ = space.elements;
  if (size_ > kMostInflation * source_->size() / element_bytes()) throw too_large();
}

StoredDataset::Place StoredDataset::place_of(const ObjectHeader& header) const {
  if (!header.all(MessageKind::external_files).empty()) {
    throw data_error("it keeps its elements in other files: refused");
  }
  const Layout layout = parse_layout(header.get(MessageKind::layout));
  if (const auto* chunked = std::get_if<ChunkedLayout>(&layout)) {
    return place(*chunked, filters_of(header));
  }
  if (header.find(MessageKind::filters) != nullptr) {
    throw other_layout("it went through filters without chunks");
  }
  if (const auto* compact = std::get_if<CompactLayout>(&layout)) return place(*compact);
  return place(std::get<ContiguousLayout>(layout));
}

StoredDataset::Compact StoredDataset::place(const CompactLayout& layout) const {
  if (layout.elements.size() != bytes()) {
    throw data_error("its header holds another number of elements than {}", size_);
  }
  return {layout.elements.begin(), layout.elements.end()};
}

ContiguousLayout StoredDataset::place(const ContiguousLayout& layout) const {
  if (size_ > 0 && (layout.bytes != bytes() || !source_->contains(layout.address, layout.bytes))) {
    throw data_error("it claims {} elements, which are not in the file of {}", size_,
                     human_bytes(source_->size()));
  }
  return layout;
}

StoredDataset::Chunks StoredDataset::place(const ChunkedLayout& layout,
                                           std::vector<Filter> filters) const {
  if (layout.element_bytes != element_bytes()) {
    throw damaged("its chunks hold elements of another size");
  }
  ChunkCodec codec{layout.elements, element_bytes(), filters};
  const std::uint64_t chunk = layout.elements;
  const std::uint64_t count = size_ / chunk + (size_ % chunk != 0 ? 1 : 0);
  if (count > 1 && codec.bytes() < kSmallestChunk) {
    throw data_error("it lies in chunks of {} bytes: too small", codec.bytes());
  }
  if (count > source_->size() / kIndexEntryBytes) throw too_large();
  return {chunk, ChunkIndex{*source_, layout.index, chunk}, std::move(codec), std::move(filters)};
}

std::string StoredDataset::describe() const {
  std::string text = h5::describe(type_);
  const auto* const chunks = std::get_if<Chunks>(&place_);
  if (chunks == nullptr) return text + ", in one piece";
  text += fmt::format(", chunks of {}", chunks->elements);
  for (const Filter& filter : chunks->filters) {
    text += fmt::format(", filter {} ({})", filter.number, fmt::join(filter.parameters, " "));
  }
  return text;
}

void StoredDataset::read_stored_chunk(std::uint64_t first, StoredChunk& out) const {
  const auto* const chunks = std::get_if<Chunks>(&place_);
  const auto place = chunks == nullptr ? std::nullopt : chunks->index.find(first);
  if (!place) throw data_error("it is not there");
  out.filter_mask = place->skipped_filters;
  out.bytes.resize(place->bytes);
  source_->read(place->address, out.bytes);
}

}  // namespace ballast::storage::h5
