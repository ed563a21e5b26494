#include "storage/h5/object_header.hpp"

#include <algorithm>

namespace ballast::storage::h5 {

namespace {

constexpr std::size_t kPrefixBytes = 16;
constexpr std::size_t kMessagePrefixBytes = 8;
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kSharedFlag = 2;
/// A file may make a header long, and its blocks a ring. The header itself has two bytes for the
/// number of its messages.
constexpr std::size_t kMostMessages = 65535;
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 20;

Error endless() { return damaged("its header goes on without an end"); }

}  // namespace

ObjectHeader::ObjectHeader(const ByteSource& source, std::uint64_t address) {
  const auto prefix = source.read(address, kPrefixBytes);
  Fields fields{prefix};
  if (const auto version = fields.u8(); version != kVersion) {
    throw other_layout(fmt::format("its header is not of HDF5's version {}", kVersion));
  }
  fields.skip(7);  // numbers of messages and of links to it
  std::vector<Place> places{{address + kPrefixBytes, fields.u32()}};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place place = places[i];
    if (place.bytes > kMostBytes - bytes) throw endless();
    bytes += place.bytes;
    blocks_.push_back(source.read(place.address, place.bytes));
    add_block(Fields{blocks_.back()}, places);
  }
}

void ObjectHeader::add_block(Fields block, std::vector<Place>& places) {
  while (block.left() >= kMessagePrefixBytes) {
    if (messages_.size() + places.size() > kMostMessages) throw endless();
    const auto kind = static_cast<MessageKind>(block.u16());
    const std::uint16_t size = block.u16();
    const bool is_shared = (block.u8() & kSharedFlag) != 0;
    block.skip(3);
    const Bytes content = block.take(size);
    if (kind == MessageKind::continuation) {
      Fields fields{content};
      const std::uint64_t address = fields.u64();
      places.push_back({address, fields.u64()});
    } else {
      messages_.push_back({kind, is_shared, content});
    }
  }
}

const Bytes* ObjectHeader::find(MessageKind kind) const {
  const auto found = std::ranges::find(messages_, kind, &Message::kind);
  if (found == messages_.end()) return nullptr;
  if (found->is_shared) throw other_layout("a part of its header is shared with other objects");
  if (std::ranges::count(messages_, kind, &Message::kind) > 1) {
    throw damaged(
        fmt::format("its header says twice what message {} says", static_cast<unsigned>(kind)));
  }
  return &found->content;
}

Bytes ObjectHeader::get(MessageKind kind) const {
  const Bytes* const content = find(kind);
  if (content != nullptr) return *content;
  throw damaged(fmt::format("its header lacks message {}", static_cast<unsigned>(kind)));
}

std::vector<Bytes> ObjectHeader::all(MessageKind kind) const {
  std::vector<Bytes> contents;
  for (const Message& message : messages_) {
    if (message.kind != kind) continue;
    if (message.is_shared) throw other_layout("a part of its header is shared with other objects");
    contents.push_back(message.content);
  }
  return contents;
}

}  // namespace ballast::storage::h5
