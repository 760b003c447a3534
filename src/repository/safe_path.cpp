#include "repository/safe_path.hpp"

namespace howdah::repository {

bool safe_path(std::string_view path) {
    if (path.find('\0') != path.npos) return false;
    while (true) {
        const auto slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return false;
        if (slash == path.npos) return true;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace howdah::repository
