#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

/// What an earlier push promised of a file: the name of its object, and the marker lines of the repositories that hold it.
struct Promise {
    std::string object;
    std::vector<std::string> markers;
};

/// Promises left by an earlier push that a file is durable in repositories: one small file a segment, named as the segment.
/// It holds the file's stamp, the object's name and each repository's marker line (with the repository's id), so that neither a rewritten
/// file nor a repository made anew is taken for the old one; the object is looked for, as the repository may be an older copy. Used by one process at a time (PostgreSQL runs one archive_command); a lost or
/// torn acknowledgement only costs a second push.
class Acknowledgements {
public:
    /// `folder` is made when the first acknowledgement is written.
    explicit Acknowledgements(std::filesystem::path folder) : folder_(std::move(folder)) {}

    bool exists(const std::string& name) const;
    /// What was promised of the file of that name with this stamp; none when nothing was.
    std::optional<Promise> promise(const std::string& name, const FileStamp& stamp) const;
    /// Written only after the put is durable in all that are named (trap T19).
    void write(const std::string& name, const FileStamp& stamp, const Promise& promise) const;
    void remove(const std::string& name) const;
    /// Removes those of files that do not wait any more.
    void remove_except(const std::set<std::string>& waiting) const;

private:
    std::filesystem::path folder_;
};

}  // namespace howdah::archive
