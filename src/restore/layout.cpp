#include "restore/layout.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/failure.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;
using repository::EntryType;
using repository::FileEntry;
namespace fs = std::filesystem;

constexpr std::string_view kSpaces = "pg_tblspc/";

/// The OID of "pg_tblspc/16400"; none for any other path.
std::optional<std::uint32_t> tablespace_of_link(std::string_view path) {
    if (!path.starts_with(kSpaces)) return std::nullopt;
    const auto digits = path.substr(kSpaces.size());
    std::uint32_t oid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), oid);
    return error == std::errc() && end == digits.data() + digits.size() ? std::optional(oid) : std::nullopt;
}

/// Tablespaces are the only links of a backup. Another one would lead files that follow it out of the restore's folders.
void add_link(Layout& layout, const Destinations& destinations, const FileEntry& entry, const std::string& path) {
    const auto oid = tablespace_of_link(path);
    const auto mapped = oid ? destinations.tablespaces.find(*oid) : destinations.tablespaces.end();
    if (mapped == destinations.tablespaces.end())
        throw Failure(FailureKind::operation, fmt::format("the backup links {} to {}, which is no tablespace of it", path, entry.target),
                      "choose another backup; nothing was written there");
    layout.links.emplace((destinations.data_directory / path).string(), mapped->second.string());
}

/// Turns a file's extents into pieces of packs and runs of zeros.
void add_file(Layout& layout, const repository::Repository& repository, const repository::Backup& backup, const FileEntry& entry,
              fs::path path) {
    const auto number = static_cast<std::uint32_t>(layout.files.size());
    layout.files.push_back({.path = std::move(path).string(), .size = entry.size, .modified_us = entry.modified_us, .mode = entry.mode});
    layout.bytes += entry.size;
    std::uint64_t offset = 0;
    for (const auto& extent : repository::read_extents(repository, backup.area, entry)) {
        if (!extent.pack.empty()) {
            layout.packs[extent.pack].push_back({extent.frame, extent.position, extent.length, number, offset});
            layout.files.back().stored = true;
        } else if (extent.length > 0) {
            layout.zeros.push_back({number, offset, extent.length});
        }
        offset += extent.length;
    }
    if (offset != entry.size)
        throw Failure(FailureKind::operation, fmt::format("the backup's map of {} covers {} bytes of {}", entry.path, offset, entry.size),
                      "run `howdah backup verify`");
}

}  // namespace

fs::path place(const Destinations& destinations, const std::string& path) {
    if (path.starts_with(kSpaces)) {
        const auto slash = path.find('/', kSpaces.size());
        const auto oid = static_cast<std::uint32_t>(std::strtoul(path.c_str() + kSpaces.size(), nullptr, 10));
        const auto mapped = destinations.tablespaces.find(oid);
        if (mapped != destinations.tablespaces.end() && slash != std::string::npos) return mapped->second / path.substr(slash + 1);
    }
    return destinations.data_directory / path;
}

Layout read_layout(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations) {
    Layout layout;
    std::optional<std::uint32_t> wal_mode;
    for (const auto& reference : backup.root.trees) {
        if (reference.root == repository::kOutsideRoot) continue;
        for (const auto& entry : repository::read_tree(repository, backup.area, reference.name).entries) {
            const auto path = repository::whole_path(reference.root, entry.path);
            if (entry.type == EntryType::symlink) {
                add_link(layout, destinations, entry, path);
                continue;
            }
            auto at = place(destinations, path);
            if (entry.type == EntryType::directory) {
                if (path == "pg_wal") wal_mode = entry.mode;
                layout.folders.emplace((at.has_filename() ? at : at.parent_path()).string(), entry.mode);
                continue;
            }
            if (path == kControlPath) {
                layout.control_file = static_cast<std::uint32_t>(layout.files.size());
                layout.has_control = true;
            }
            add_file(layout, repository, backup, entry, std::move(at));
        }
    }
    const auto wal = destinations.data_directory / "pg_wal";
    layout.folders.emplace(wal.string(), wal_mode.value_or(0700));
    layout.folders.emplace((wal / "archive_status").string(), wal_mode.value_or(0700));
    return layout;
}

std::uint64_t written_bytes(const repository::Repository& repository, const repository::Backup& backup,
                            const repository::TreeReference& tree) {
    std::uint64_t bytes = 0;
    for (const auto& entry : repository::read_tree(repository, backup.area, tree.name).entries)
        for (const auto& extent : repository::read_extents(repository, backup.area, entry))
            if (!extent.pack.empty()) bytes += extent.length;
    return bytes;
}

}  // namespace howdah::restore
