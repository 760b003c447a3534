#include "storage/directory_writer.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/hooks.hpp"
#include "base/random.hpp"

namespace howdah::storage {

using base::FailureKind;
using base::File;
using base::SystemFailure;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kSendBytes = 8u << 20;  ///< Written bytes after which the kernel is asked to begin writing them back.

/// Whether open(2) said that the file system or kernel has no files without a name.
bool no_unnamed_files(int error) { return error == EOPNOTSUPP || error == EISDIR || error == EINVAL; }

/// Names need /proc to be given to a file that has none.
bool can_link_descriptors() { return ::access("/proc/self/fd", X_OK) == 0; }

}  // namespace

TemporaryFile::TemporaryFile(const fs::path& root, const std::string& location) {
    int error = EOPNOTSUPP;
    if (can_link_descriptors()) {
        const int descriptor = ::open(root.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (descriptor >= 0) {
            file_ = File(descriptor);
            return;
        }
        error = errno;
    }
    if (no_unnamed_files(error)) {
        path_ = root / (kTemporaryPrefix + base::random_hex(8));
        file_ = File(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (file_.is_open()) return;
        error = errno;
        path_.clear();
    }
    throw SystemFailure(FailureKind::repository, fmt::format("repository cannot be written: {}", location), error,
                        error == ENOENT ? "mount its disk or correct the URL" : "");
}

TemporaryFile::~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

int TemporaryFile::link_to(const fs::path& path) const {
    const std::string own = path_.empty() ? fmt::format("/proc/self/fd/{}", descriptor()) : path_.native();
    const int follow = path_.empty() ? AT_SYMLINK_FOLLOW : 0;
    return ::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, path.c_str(), follow) == 0 ? 0 : errno;
}

bool KnownFolders::contains(const fs::path& folder) const {
    const std::lock_guard lock(mutex_);
    return folders_.contains(folder);
}

void KnownFolders::add(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    folders_.insert(folder);
}

DirectoryWriter::DirectoryWriter(fs::path root, const std::string& name, std::string label, KnownFolders& folders)
    : root_(std::move(root)), path_(root_ / name), label_(std::move(label)), folders_(&folders), file_(root_, label_) {}

void DirectoryWriter::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t done = ::write(file_.descriptor(), bytes.data(), bytes.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0)
            throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be written after {} bytes", label_, written_), errno);
        bytes = bytes.subspan(static_cast<std::size_t>(done));
        written_ += static_cast<std::uint64_t>(done);
    }
    if (written_ - sent_ < kSendBytes) return;
    ::sync_file_range(file_.descriptor(), static_cast<off_t>(sent_), static_cast<off_t>(written_ - sent_), SYNC_FILE_RANGE_WRITE);
    sent_ = written_;
}

Created DirectoryWriter::commit() {
    const auto fail = [&](int error) {
        throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be stored", label_), error,
                            error == ENOENT ? "its temporary file was removed, perhaps by repo gc --grace 0: run the command again" : "");
    };
    if (::fchmod(file_.descriptor(), 0400) != 0 || ::fdatasync(file_.descriptor()) != 0) fail(errno);
    make_folder(path_.parent_path());
    base::pause_point("storage.before_commit", label_);
    int error = file_.link_to(path_);
    for (int again = 0; error == ENOENT && again < 5; ++again) {
        // A cleaning may have removed the empty folder between the two calls.
        base::create_directories_durably(path_.parent_path(), 0700, FailureKind::repository);
        error = file_.link_to(path_);
    }
    if (error != 0 && error != EEXIST) fail(error);
    // Also a name that is there already: its writer may have been killed before its own fsync.
    base::sync_directory(path_.parent_path(), FailureKind::repository);
    return error == 0 || has_name() ? Created::yes : Created::exists;
}

bool DirectoryWriter::has_name() const {
    struct stat own{}, named{};
    return ::fstat(file_.descriptor(), &own) == 0 && ::lstat(path_.c_str(), &named) == 0 && own.st_dev == named.st_dev &&
           own.st_ino == named.st_ino;
}

void DirectoryWriter::make_folder(const fs::path& folder) const {
    if (folder == root_ || folders_->contains(folder)) return;
    make_folder(folder.parent_path());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) base::create_directories_durably(folder, 0700, FailureKind::repository);
    base::sync_directory(folder.parent_path(), FailureKind::repository);
    folders_->add(folder);
}

}  // namespace howdah::storage
