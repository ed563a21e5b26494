#include "storage/whole_file.hpp"

namespace ballast::storage {

WholeFile::WholeFile(const std::filesystem::path& path)
    : work_{path}, written_{work_.file(path.filename())}, file_{written_} {}

void WholeFile::write(std::string_view text) { file_.write(text); }

void WholeFile::deliver() {
  file_.close();
  work_.deliver(written_);
}

}  // namespace ballast::storage
