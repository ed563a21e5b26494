#include "report/page.hpp"

#include "base/error.hpp"
#include "report/page_parts.hpp"

namespace ballast::report {

namespace {

std::string part(std::string_view name, std::string_view title, const storage::Json& data) {
  if (name == "title") return escaped(title);
  if (name == "style") return std::string{page_style()};
  if (name == "script") return std::string{page_script()};
  if (name == "data") return embeddable(data);
  throw internal_error("the page has a place for '{}', which nothing fills", name);
}

}  // namespace

std::string embeddable(const storage::Json& data) {
  const std::string text = data.dump(-1, ' ', false, storage::Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string fill_page(std::string_view title, const storage::Json& data) {
  const std::string_view html = page_html();
  std::string page;
  std::size_t done = 0;
  for (auto at = html.find("{{"); at != std::string_view::npos; at = html.find("{{", done)) {
    const auto end = html.find("}}", at);
    page += html.substr(done, at - done);
    page += part(html.substr(at + 2, end - at - 2), title, data);
    done = end + 2;
  }
  page += html.substr(done);
  return page;
}

}  // namespace ballast::report
