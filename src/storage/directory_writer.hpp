#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "base/file.hpp"
#include "storage/store.hpp"

namespace howdah::storage {

inline constexpr const char* kTemporaryPrefix = ".tmp-";

/// A file in `root` that nobody sees: without a name where the file system can do that, else named `.tmp-…` until the object goes.
class TemporaryFile {
public:
    TemporaryFile(const std::filesystem::path& root, const std::string& location);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    int descriptor() const { return file_.descriptor(); }
    /// Gives the file a name; the errno of link(2), or 0.
    int link_to(const std::filesystem::path& path) const;

private:
    base::File file_;
    std::filesystem::path path_;  ///< Empty: the file has no name.
};

/// Folders that this process made durable already. Thread-safe.
class KnownFolders {
public:
    bool contains(const std::filesystem::path& folder) const;
    void add(const std::filesystem::path& folder);

private:
    mutable std::mutex mutex_;
    std::set<std::filesystem::path> folders_;
};

/// Writes one object of a directory store: bytes are sent to the disk while they arrive, so that the final wait is short.
class DirectoryWriter {
public:
    DirectoryWriter(std::filesystem::path root, const std::string& name, std::string label, KnownFolders& folders);
    void append(std::span<const std::byte> bytes);
    Created commit();

private:
    /// Makes the folder and its parents below the root; those that were there are made durable too, once: who made them may have died.
    void make_folder(const std::filesystem::path& folder) const;
    /// Whether the name belongs to this very file: a network file system may answer "exists" to a link that it was sent twice.
    bool has_name() const;

    std::filesystem::path root_;
    std::filesystem::path path_;
    std::string label_;
    KnownFolders* folders_;
    TemporaryFile file_;
    std::uint64_t written_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace howdah::storage
