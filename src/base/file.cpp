#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"

namespace howdah::base {

namespace fs = std::filesystem;

namespace {

/// The path behind a descriptor as the kernel knows it: for messages only.
std::string name_of(int descriptor) {
    std::error_code ignored;
    const fs::path name = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored);
    return name.empty() ? "file descriptor " + std::to_string(descriptor) : name.string();
}

int open_retrying(const fs::path& path, int flags, mode_t mode) {
    int descriptor = -1;
    do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

fs::path folder_of(const fs::path& path) {
    const fs::path parent = path.parent_path();
    return parent.empty() ? fs::path(".") : parent;
}

std::string read_to_end(const File& file, const fs::path& path, Bytes limit, FailureKind kind) {
    std::string content;
    std::size_t filled = 0;
    const std::uint64_t expected = file.size();
    for (;;) {
        const std::size_t chunk = filled < expected ? static_cast<std::size_t>(std::min(expected, limit.count)) - filled + 1 : 4096;
        content.resize(filled + chunk);
        const ssize_t got = ::read(file.descriptor(), content.data() + filled, chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemFailure(kind, "cannot read " + path.string(), errno);
        filled += static_cast<std::size_t>(got);
        if (filled > limit.count)
            throw Failure(kind, "cannot read " + path.string() + ": larger than " + text(limit), "check that this is the file meant");
        if (got == 0) break;
    }
    content.resize(filled);
    return content;
}

/// A new file beside its target that disappears unless it was renamed into place.
class PendingFile {
public:
    PendingFile(const fs::path& target, mode_t mode, FailureKind kind)
        : path_(folder_of(target) / (".howdah-" + random_hex(8) + ".tmp")),
          file_(File::open(path_, O_WRONLY | O_CREAT | O_EXCL, mode, kind)) {}
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    ~PendingFile() {
        if (!published_) ::unlink(path_.c_str());
    }

    const File& file() const { return file_; }
    void publish(const fs::path& target, FailureKind kind) {
        if (::rename(path_.c_str(), target.c_str()) != 0) throw SystemFailure(kind, "cannot replace " + target.string(), errno);
        published_ = true;
    }

private:
    fs::path path_;
    File file_;
    bool published_ = false;
};

}  // namespace

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        close();
        kind_ = other.kind_;
        descriptor_ = other.release();
    }
    return *this;
}

File File::open(const fs::path& path, int flags, mode_t mode, FailureKind kind) {
    const int descriptor = open_retrying(path, flags, mode);
    if (descriptor < 0) throw SystemFailure(kind, "cannot open " + path.string(), errno);
    return File(descriptor, kind);
}

std::optional<File> File::open_if_exists(const fs::path& path, int flags, FailureKind kind) {
    const int descriptor = open_retrying(path, flags, 0);
    if (descriptor < 0 && errno == ENOENT) return std::nullopt;
    if (descriptor < 0) throw SystemFailure(kind, "cannot open " + path.string(), errno);
    return File(descriptor, kind);
}

int File::release() { return std::exchange(descriptor_, -1); }

void File::close() {
    if (descriptor_ >= 0) ::close(release());
}

std::size_t File::read_at(std::span<std::byte> into, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemFailure(kind_, "cannot read " + name_of(descriptor_), errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void File::write_at(std::span<const std::byte> bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw SystemFailure(kind_, "cannot write " + name_of(descriptor_), errno);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
}

void File::append(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw SystemFailure(kind_, "cannot write " + name_of(descriptor_), errno);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

std::uint64_t File::size() const {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) throw SystemFailure(kind_, "cannot look at " + name_of(descriptor_), errno);
    return static_cast<std::uint64_t>(status.st_size);
}

void File::sync() const {
    if (::fsync(descriptor_) != 0) throw SystemFailure(kind_, "cannot make durable " + name_of(descriptor_), errno);
}

void File::sync_data() const {
    if (::fdatasync(descriptor_) != 0) throw SystemFailure(kind_, "cannot make durable " + name_of(descriptor_), errno);
}

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string_view as_text(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string read_file(const fs::path& path, Bytes limit, FailureKind kind) {
    return read_to_end(File::open(path, O_RDONLY, 0, kind), path, limit, kind);
}

std::optional<std::string> read_file_if_exists(const fs::path& path, Bytes limit, FailureKind kind) {
    const std::optional<File> file = File::open_if_exists(path, O_RDONLY, kind);
    if (!file) return std::nullopt;
    return read_to_end(*file, path, limit, kind);
}

void write_file_durably(const fs::path& path, std::string_view content, mode_t mode, FailureKind kind) {
    PendingFile pending(path, mode, kind);
    // The umask took bits away at creation; the caller asked for exactly this mode.
    if (::fchmod(pending.file().descriptor(), mode) != 0)
        throw SystemFailure(kind, "cannot set the permissions of " + path.string(), errno);
    pending.file().append(as_bytes(content));
    pending.file().sync();
    pending.publish(path, kind);
    sync_directory(folder_of(path), kind);
}

void sync_directory(const fs::path& folder, FailureKind kind) { File::open(folder, O_RDONLY | O_DIRECTORY, 0, kind).sync(); }

void create_directories_durably(const fs::path& folder, mode_t mode, FailureKind kind) {
    const fs::path path = folder.has_filename() ? folder : folder.parent_path();
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return;
    const fs::path parent = folder_of(path);
    if (parent != path) create_directories_durably(parent, mode, kind);
    if (::mkdir(path.c_str(), mode) != 0) {
        const int error = errno;
        const bool made_by_another = error == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
        if (!made_by_another) throw SystemFailure(kind, "cannot make folder " + path.string(), error);
    }
    sync_directory(parent, kind);
}

TemporaryDirectory::TemporaryDirectory(std::string_view prefix, const fs::path& parent) {
    std::error_code error;
    const fs::path base = parent.empty() ? fs::temp_directory_path(error) : parent;
    if (error) throw Failure(FailureKind::operation, "no temporary folder: " + error.message(), "set TMPDIR to a folder that exists");
    std::string name = (base / prefix).string() + "-XXXXXX";
    if (!::mkdtemp(name.data())) throw SystemFailure(FailureKind::operation, "cannot make folder " + name, errno);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    if (keep_) return;
    std::error_code error;
    fs::remove_all(path_, error);
    if (error) log_warning("cannot remove {}: {}", path_.string(), error.message());
}

Space space_of(const fs::path& path) {
    struct statvfs status{};
    fs::path looked_at = path.has_filename() ? path : path.parent_path();
    while (::statvfs(looked_at.c_str(), &status) != 0) {
        if (errno == EINTR) continue;
        const fs::path parent = folder_of(looked_at);
        if (errno != ENOENT || parent == looked_at)
            throw SystemFailure(FailureKind::operation, "cannot ask for the free space of " + path.string(), errno);
        looked_at = parent;
    }
    return {.total = {status.f_blocks * status.f_frsize}, .available = {status.f_bavail * status.f_frsize}};
}

}  // namespace howdah::base
