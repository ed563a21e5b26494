#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "report/report.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::test {

using Json = nlohmann::ordered_json;

/// The folder of a run that says what a test wants it to say.
class RunFolder {
 public:
  /// Replaces a file of the run.
  void write(const std::string& name, const std::string& text) {
    std::ofstream{folder_ / name, std::ios::binary} << text;
  }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return folder_ / name;
  }
  [[nodiscard]] std::string page(const report::Settings& settings = {}) const {
    return report::make_page(folder_.path(), settings);
  }
  /// What the page's script is given.
  [[nodiscard]] Json data(const report::Settings& settings = {}) const {
    const std::string html = page(settings);
    const std::string start = "<script type=\"application/json\" id=\"data\">";
    const auto from = html.find(start) + start.size();
    return Json::parse(html.substr(from, html.find("</script>", from) - from));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace ballast::test
