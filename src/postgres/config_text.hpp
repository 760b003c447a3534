#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::postgres {

/// A line of postgresql.conf (misc/guc-file.l): the name in lower case, as PostgreSQL compares names without regard to case, and the value
/// without its quotes.
struct SettingLine {
    std::string name;
    std::string value;
};
/// None for an empty line or a comment.
std::optional<SettingLine> parse_setting_line(std::string_view line);

/// Another file that a configuration file names.
struct FileReference {
    enum class Kind { file, file_if_exists, folder, names };  ///< names: "@file" among databases or users.
    Kind kind = Kind::file;
    std::string path;  ///< As written: a relative one is meant from the folder of the file that names it.
};
/// include, include_if_exists and include_dir of a file like postgresql.conf.
std::vector<FileReference> references_of_settings(std::string_view text);
/// The same three (from 16 on) and "@file" of a file like pg_hba.conf or pg_ident.conf (libpq/hba.c), or of a file named by "@file".
std::vector<FileReference> references_of_rules(std::string_view text);

}  // namespace howdah::postgres
