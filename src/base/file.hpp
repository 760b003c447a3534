#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.hpp"
#include "base/units.hpp"

namespace howdah::base {

/// An open file descriptor that closes itself. Moves only. Its failures name the path and are of the kind given when it was opened.
class File {
public:
    File() = default;
    explicit File(int descriptor, FailureKind kind = FailureKind::operation) : descriptor_(descriptor), kind_(kind) {}
    File(File&& other) noexcept : descriptor_(other.release()), kind_(other.kind_) {}
    File& operator=(File&& other) noexcept;
    ~File() { close(); }

    /// Opens `path` with open(2) flags (O_CLOEXEC is added); throws SystemFailure of `kind` with the path.
    static File open(const std::filesystem::path& path, int flags, mode_t mode = 0600, FailureKind kind = FailureKind::operation);
    /// The same, but none when the file does not exist.
    static std::optional<File> open_if_exists(const std::filesystem::path& path, int flags, FailureKind kind = FailureKind::operation);

    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    int release();
    void close();

    /// Bytes read at the offset: fewer than asked only at the end of the file. Retries EINTR and short reads.
    std::size_t read_at(std::span<std::byte> into, std::uint64_t offset) const;
    /// Writes everything or throws.
    void write_at(std::span<const std::byte> bytes, std::uint64_t offset) const;
    void append(std::span<const std::byte> bytes) const;
    std::uint64_t size() const;
    void sync() const;       ///< fsync(2).
    void sync_data() const;  ///< fdatasync(2).

private:
    int descriptor_ = -1;
    FailureKind kind_ = FailureKind::operation;
};

std::span<const std::byte> as_bytes(std::string_view text);
std::string_view as_text(std::span<const std::byte> bytes);

/// The whole file; refuses more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, Bytes limit = {64u << 20}, FailureKind kind = FailureKind::operation);
/// None when it does not exist.
std::optional<std::string> read_file_if_exists(const std::filesystem::path& path, Bytes limit = {64u << 20},
                                               FailureKind kind = FailureKind::operation);

/// Writes durably and atomically: temporary file beside it (".howdah-*.tmp"), fsync, rename, fsync of the folder. On failure the old
/// file stays and the temporary one is removed; only a kill can leave one behind. The mode is exact, whatever the umask.
void write_file_durably(const std::filesystem::path& path, std::string_view content, mode_t mode = 0600,
                        FailureKind kind = FailureKind::operation);

/// fsync of a folder, so that names created in it last.
void sync_directory(const std::filesystem::path& folder, FailureKind kind = FailureKind::operation);
/// mkdir -p with each new folder of that mode and made durable.
void create_directories_durably(const std::filesystem::path& folder, mode_t mode = 0700, FailureKind kind = FailureKind::operation);

/// A folder of its own below `parent` (the system's temporary folder when empty), 0700, removed with all its contents at the end.
class TemporaryDirectory {
public:
    explicit TemporaryDirectory(std::string_view prefix, const std::filesystem::path& parent = {});
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }
    /// Leaves the folder in place when the object goes.
    void keep() { keep_ = true; }

private:
    std::filesystem::path path_;
    bool keep_ = false;
};

/// Space of the file system that holds `path`, or would hold it: of a path that does not exist, its nearest existing parent's.
struct Space {
    Bytes total;
    Bytes available;  ///< To this user.
};
Space space_of(const std::filesystem::path& path);

}  // namespace howdah::base
