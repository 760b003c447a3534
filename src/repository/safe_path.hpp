#pragma once

#include <string_view>

namespace howdah::repository {

/// Whether a relative path stays below the folder it is put into: not empty, no empty, "." or ".." part, no zero byte. Whoever may write
/// the repository could otherwise make a restore write anywhere.
bool safe_path(std::string_view path);

}  // namespace howdah::repository
