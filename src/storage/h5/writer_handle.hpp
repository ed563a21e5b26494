#pragma once

#include <hdf5.h>
#include <utility>

namespace ballast::storage::h5 {

/// The one owner of an HDF5 handle. `close` reports errors, which the destructor must ignore: a
/// full disk may only show when a file is closed.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_{id}, closer_{closer} {}
  ~Handle() { (void)close(); }
  Handle(Handle&& other) noexcept
      : id_{std::exchange(other.id_, H5I_INVALID_HID)}, closer_{other.closer_} {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool close() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 || closer_(id) >= 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Closer closer_ = nullptr;
};

}  // namespace ballast::storage::h5
