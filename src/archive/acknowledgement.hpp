#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace howdah::archive {

/// Which file it is and in which state: device, inode, size and modification time to the nanosecond.
struct FileStamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const struct stat& status);
/// Failure(operation) when the file cannot be looked at.
FileStamp stamp_of(const std::filesystem::path& file);

/// Promises left by an earlier push that a file is durable in the repository: one small file a segment, named as the segment.
/// It holds the file's stamp, the object's name and the repository's marker line (with the repository's id), so that neither a rewritten
/// file nor a repository made anew is taken for the old one; the object is looked for, as the repository may be an older copy. Used by one process at a time (PostgreSQL runs one archive_command); a lost or
/// torn acknowledgement only costs a second push.
class Acknowledgements {
public:
    /// `folder` is made when the first acknowledgement is written.
    explicit Acknowledgements(std::filesystem::path folder) : folder_(std::move(folder)) {}

    bool exists(const std::string& name) const;
    /// The object that holds the file of that name with this stamp in the repository with that marker; none when nothing was promised.
    std::optional<std::string> object(const std::string& name, const FileStamp& stamp, const std::string& marker) const;
    /// Written only after the put is durable (trap T19).
    void write(const std::string& name, const FileStamp& stamp, const std::string& marker, const std::string& object) const;
    void remove(const std::string& name) const;
    /// Removes those of files that do not wait any more.
    void remove_except(const std::set<std::string>& waiting) const;

private:
    std::filesystem::path folder_;
};

}  // namespace howdah::archive
