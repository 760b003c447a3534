#include "howdah/tagged_sql.hpp"

#include <algorithm>
#include <vector>

namespace howdah::inline v0 {

namespace {

/// RFC 3986, everything but its unreserved characters: so neither a quote nor the end of the comment can be in it.
std::string encoded(std::string_view text) {
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string safe;
    for (const char c : text) {
        if (kPlain.find(c) != std::string_view::npos) {
            safe += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            safe += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
        }
    }
    return safe;
}

bool has_comment(std::string_view sql) { return sql.find("--") != std::string_view::npos || sql.find("/*") != std::string_view::npos; }

}  // namespace

std::string tagged_sql(std::string_view sql, std::initializer_list<SqlTag> tags) {
    if (has_comment(sql)) return std::string(sql);
    std::vector<std::string> pairs;
    for (const SqlTag& tag : tags) {
        if (!tag.key.empty() && !tag.value.empty()) pairs.push_back(encoded(tag.key) + "='" + encoded(tag.value) + "'");
    }
    std::sort(pairs.begin(), pairs.end());
    std::string text(sql);
    for (std::size_t i = 0; i < pairs.size(); ++i) text += (i == 0 ? " /*" : ",") + pairs[i];
    return pairs.empty() ? text : text + "*/";
}

}  // namespace howdah::inline v0
