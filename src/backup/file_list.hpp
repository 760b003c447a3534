#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/manifest.hpp"

namespace howdah::backup {

/// A path of the running cluster that belongs to the backup, as it was when the list was made. Files may grow, shrink or vanish until
/// they are read.
struct ListedFile {
    std::string path;  ///< Relative to the data directory, or absolute.
    std::string link_target;
    std::uint64_t size = 0;
    std::int64_t modified_us = 0;
    std::uint32_t mode = 0600;
    std::uint32_t first_block = 0;  ///< Block in the fork of the file's first page.
    repository::EntryType type = repository::EntryType::file;
    bool relation = false;  ///< Made of pages.
};

struct FileList {
    std::string data_directory;
    std::vector<ListedFile> files;  ///< Sorted by path; pg_control is not among them: it is read last (trap T13).
    std::uint64_t bytes = 0;
    std::vector<std::string> warnings;

    /// Where to open a file.
    std::string place(std::size_t number) const;
};

/// Walks the data directory by file_rules: left out are files and folders that do not belong to a backup, all forks but init of unlogged
/// relations, other versions' folders in tablespaces. `segment_blocks` is pg_control's relation segment size. `statistics` is the folder of
/// temporary statistics as the server names it (stats_temp_directory, up to 14; empty: none): what lies in it does not belong to
/// a backup either.
FileList list_files(const std::filesystem::path& data_directory, std::uint32_t catalog_version, int major, std::uint32_t segment_blocks,
                    const std::filesystem::path& statistics, const base::Cancellation& cancellation);

}  // namespace howdah::backup
