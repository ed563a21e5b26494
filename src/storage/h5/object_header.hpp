#pragma once

#include <cstdint>
#include <vector>

#include "storage/byte_source.hpp"
#include "storage/h5/fields.hpp"

namespace ballast::storage::h5 {

/// Kinds of messages that this reader uses: HDF5 File Format Specification Version 3.0
/// (The HDF Group), section IV.A.2.
enum class MessageKind : std::uint16_t {
  dataspace = 0x01,
  link_info = 0x02,  ///< of groups that are no symbol tables
  datatype = 0x03,
  link = 0x06,
  external_files = 0x07,
  layout = 0x08,
  filters = 0x0b,
  attribute = 0x0c,
  continuation = 0x10,
  symbol_table = 0x11,
  attribute_info = 0x15,  ///< of attributes that lie outside the header
};

/// The header of a group or a dataset, in version 1: section IV.A.1 of the specification. It is a
/// list of messages in one or more blocks, of 4 MiB in all at most.
class ObjectHeader {
 public:
  /// A data Error if the header, or a block of it, is not in the file.
  ObjectHeader(const ByteSource& source, std::uint64_t address);

  /// The content of the only message of a kind; null where there is none. A data Error if there are
  /// several, or if it is kept elsewhere to be shared with other objects.
  [[nodiscard]] const Bytes* find(MessageKind kind) const;
  /// The same for a message that must exist.
  [[nodiscard]] Bytes get(MessageKind kind) const;
  /// The contents of all messages of a kind, in their order.
  [[nodiscard]] std::vector<Bytes> all(MessageKind kind) const;

 private:
  struct Message {
    MessageKind kind;
    bool is_shared;
    Bytes content;  ///< lies in one of blocks_
  };
  struct Place {
    std::uint64_t address;
    std::uint64_t bytes;
  };
  /// Takes the messages of a block; those that continue it elsewhere go to `places`.
  void add_block(Fields block, std::vector<Place>& places);

  std::vector<std::vector<std::uint8_t>> blocks_;
  std::vector<Message> messages_;
};

}  // namespace ballast::storage::h5
