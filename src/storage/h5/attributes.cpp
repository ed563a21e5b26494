#include "storage/h5/attributes.hpp"

#include <array>

#include "storage/h5/convert.hpp"
#include "storage/h5/datatype.hpp"
#include "storage/h5/messages.hpp"

namespace ballast::storage::h5 {

namespace {

std::string_view text_until_nul(Bytes bytes) {
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return text.substr(0, text.find('\0'));
}

Attribute parse_attribute(Bytes message) {
  Fields fields{message};
  const std::uint8_t version = fields.u8();
  if (version < 1 || version > 3) {
    throw other_layout(fmt::format("an attribute is of HDF5's version {}", version));
  }
  const std::uint8_t flags = fields.u8();  // nothing in version 1
  if (version > 1 && flags != 0) {
    throw other_layout("a part of an attribute is shared with other objects");
  }
  const std::uint16_t name = fields.u16();
  const std::uint16_t datatype = fields.u16();
  const std::uint16_t dataspace = fields.u16();
  if (version == 3) fields.skip(1);  // the set of characters of the name
  const auto take = [&](std::uint16_t bytes) {
    return fields.take(version == 1 ? (bytes + 7u) / 8u * 8u : bytes).first(bytes);
  };
  Attribute attribute;
  attribute.name = text_until_nul(take(name));
  attribute.datatype = take(datatype);
  attribute.dataspace = take(dataspace);
  attribute.value = fields.take(fields.left());
  return attribute;
}

/// The bytes of the one value.
Bytes value_of(const Attribute& attribute, std::size_t bytes) {
  if (parse_dataspace(attribute.dataspace).elements != 1)
    throw data_error("it has more values than one");
  return Fields{attribute.value}.take(bytes);
}

}  // namespace

std::optional<Attribute> find_attribute(const ObjectHeader& header, std::string_view name) {
  if (header.find(MessageKind::attribute_info) != nullptr) {
    throw other_layout("its attributes may lie outside its header");
  }
  std::optional<Attribute> found;
  for (const Bytes message : header.all(MessageKind::attribute)) {
    const Attribute attribute = parse_attribute(message);
    if (attribute.name != name) continue;
    if (found) throw damaged("there are two of them");
    found = attribute;
  }
  return found;
}

std::string text_of(const Attribute& attribute) {
  const Datatype type = parse_datatype(attribute.datatype);
  if (type.kind == Datatype::Kind::variable_text) {
    throw data_error("it is a text of variable length: write it with a fixed one");
  }
  if (type.kind != Datatype::Kind::text) throw data_error("it is not a text");
  return std::string{text_until_nul(value_of(attribute, type.bytes))};
}

std::uint64_t number_of(const Attribute& attribute) {
  const Datatype type = parse_datatype(attribute.datatype);
  if (type.kind != Datatype::Kind::number || is_real(type.element)) {
    throw data_error("it is not an integer");
  }
  std::array<std::uint64_t, 1> number{};
  convert<std::uint64_t>(type.element, value_of(attribute, type.bytes), number);
  return number[0];
}

}  // namespace ballast::storage::h5
