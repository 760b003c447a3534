#include "storage/directory_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "storage/directory_writer.hpp"

namespace howdah::storage {

using base::Failure;
using base::FailureKind;
using base::File;
using base::SystemFailure;
namespace fs = std::filesystem;

namespace {

constexpr const char* kMarker = "repository";
constexpr const char* kLostAndFound = "lost+found";  ///< A disk's own folder when the repository is the root of its file system.

bool valid_name(std::string_view name) {
    bool begins_word = true;
    for (const char c : name) {
        if (c == '/') {
            if (begins_word) return false;
            begins_word = true;
            continue;
        }
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!plain && (c != '.' || begins_word)) return false;
        begins_word = false;
    }
    return !begins_word;
}

base::Timestamp modified_of(const struct stat& status) {
    return base::Timestamp(std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

class DirectoryReader final : public Reader {
public:
    DirectoryReader(File file, std::uint64_t size, std::string label) : file_(std::move(file)), size_(size), label_(std::move(label)) {}
    std::uint64_t size() const override { return size_; }
    void read(std::span<std::byte> into, std::uint64_t offset) const override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got = ::pread(file_.descriptor(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            const int error = errno;
            const std::string what = fmt::format("{} cannot be read: {} bytes at {}", label_, into.size(), offset);
            if (got < 0) throw SystemFailure(FailureKind::repository, what, error);
            if (got == 0)
                throw Failure(FailureKind::repository, fmt::format("{}: it ends at {}", what, offset + done),
                              "it was cut; run howdah backup verify");
            done += static_cast<std::size_t>(got);
        }
    }

private:
    File file_;
    std::uint64_t size_;
    std::string label_;
};

/// One level of a folder: names in order, folders told apart.
struct Level {
    std::vector<std::string> folders, files;
    std::vector<std::string> temporary;
};

class DirectoryStore final : public Store {
public:
    DirectoryStore(fs::path root, bool create) : root_(std::move(root)), location_("file://" + root_.native()) {
        if (create) make_root();
        check_root();
        struct stat status{};
        marker_seen_ = ::stat((root_ / kMarker).c_str(), &status) == 0;
    }

    const std::string& location() const override { return location_; }

    std::unique_ptr<Writer> create(const std::string& name) override {
        check_name(name);
        return std::make_unique<MarkingWriter>(*this, name);
    }

    std::unique_ptr<Reader> open(const std::string& name) override {
        check_name(name);
        const fs::path path = root_ / name;
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (descriptor < 0) {
            const int error = errno;
            if (error == ENOENT || error == ENOTDIR) {
                check_place();
                return nullptr;
            }
            if (error == ELOOP)
                throw Failure(FailureKind::repository, fmt::format("{} is a symbolic link, not an object", label(name)), "remove it");
            throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be opened", label(name)), error);
        }
        File file(descriptor);
        struct stat status{};
        if (::fstat(descriptor, &status) != 0)
            throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be looked at", label(name)), errno);
        if (!S_ISREG(status.st_mode))
            throw Failure(FailureKind::repository, fmt::format("{} is not a file", label(name)), "something else made it; remove it");
        const auto size = static_cast<std::uint64_t>(status.st_size);
        return std::make_unique<DirectoryReader>(std::move(file), size, label(name));
    }

    void list(const std::string& prefix, const std::function<void(const Listed&)>& visit) override {
        walk(prefix, visit);
        check_place();
    }

    std::vector<std::string> list_folders(const std::string& prefix) override {
        auto level = read_level(prefix);
        check_place();
        return level ? std::move(level->folders) : std::vector<std::string>{};
    }

    bool remove(const std::string& name) override {
        check_name(name);
        if (::unlink((root_ / name).c_str()) == 0) {
            const fs::path changed = remove_empty_folders((root_ / name).parent_path());
            const std::lock_guard lock(removals_mutex_);
            removals_.insert(changed);
            return true;
        }
        const int error = errno;
        if (error != ENOENT && error != ENOTDIR)
            throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be removed", label(name)), error);
        check_place();
        return false;
    }

    void sync_removals() override {
        const std::lock_guard lock(removals_mutex_);
        while (!removals_.empty()) {
            fs::path folder = *removals_.begin();
            // A folder that went since was taken out of its parent, whose fsync covers it.
            while (folder != root_ && ::access(folder.c_str(), F_OK) != 0 && errno == ENOENT) folder = folder.parent_path();
            base::sync_directory(folder, FailureKind::repository);
            removals_.erase(removals_.begin());
        }
    }

    base::Timestamp now() override {
        try {
            return time_of_new_file();
        } catch (const SystemFailure& failure) {
            if (failure.error() != EROFS && failure.error() != EACCES && failure.error() != EPERM) throw;
        }
        // Where no object can be made nothing is decided by its age either: this host's clock serves those who only read.
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }

    std::vector<Listed> leftovers(base::Timestamp until, bool clean) override {
        std::vector<Listed> found;
        visit_leftovers("", until, clean, found);
        return found;
    }

private:
    base::Timestamp time_of_new_file() {
        const TemporaryFile file(root_, location_);
        struct stat status{};
        if (::futimens(file.descriptor(), nullptr) != 0 || ::fstat(file.descriptor(), &status) != 0)
            throw SystemFailure(FailureKind::repository, fmt::format("the clock of {} cannot be read", location_), errno);
        return modified_of(status);
    }

    /// Remembers that the marker exists once it was written here.
    class MarkingWriter final : public Writer {
    public:
        MarkingWriter(DirectoryStore& store, const std::string& name)
            : store_(store), name_(name), writer_(store.root_, name, store.label(name), store.folders_) {}
        void append(std::span<const std::byte> bytes) override { writer_.append(bytes); }
        Created commit() override {
            if (store_.marker_seen_) store_.check_place();
            const Created created = writer_.commit();
            if (name_ == kMarker) store_.marker_seen_ = true;
            return created;
        }

    private:
        DirectoryStore& store_;
        std::string name_;
        DirectoryWriter writer_;
    };

    std::string label(const std::string& name) const { return fmt::format("object {} in {}", name, location_); }

    void check_name(const std::string& name) const {
        if (!valid_name(name))
            throw Failure(FailureKind::repository, fmt::format("not an object's name: '{}'", name),
                          "words of A-Z a-z 0-9 . _ - joined by /");
    }

    void make_root() const {
        if (::mkdir(root_.c_str(), 0700) == 0) {
            base::sync_directory(root_.parent_path(), FailureKind::repository);
            return;
        }
        if (errno != EEXIST)
            throw SystemFailure(FailureKind::repository, fmt::format("repository folder cannot be made: {}", root_.native()), errno);
    }

    void check_root() const {
        struct stat status{};
        if (::stat(root_.c_str(), &status) != 0) {
            const int error = errno;
            throw SystemFailure(FailureKind::repository, fmt::format("repository cannot be opened: {}", location_), error,
                                error == ENOENT ? "mount its disk, correct the URL, or make one with howdah repo init" : "");
        }
        if (!S_ISDIR(status.st_mode))
            throw Failure(FailureKind::repository, fmt::format("repository is not a folder: {}", location_),
                          "correct the URL in the configuration");
    }

    /// Throws unless "nothing there" can be believed.
    void check_place() const {
        check_root();
        if (!marker_seen_) return;
        struct stat status{};
        if (::stat((root_ / kMarker).c_str(), &status) == 0) return;
        throw SystemFailure(FailureKind::repository, fmt::format("repository is gone from {}: its marker cannot be found", location_),
                            errno, "the disk is probably not mounted; mount it and run the command again");
    }

    /// None when the folder does not exist.
    std::optional<Level> read_level(const std::string& prefix) const {
        const fs::path path = prefix.empty() ? root_ : root_ / prefix;
        const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
        if (!folder) {
            if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
            throw SystemFailure(FailureKind::repository, fmt::format("folder {} in {} cannot be listed", prefix, location_), errno);
        }
        Level level;
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(folder.get());
            if (!entry) break;
            const std::string name = entry->d_name;
            if (name == "." || name == ".." || (prefix.empty() && name == kLostAndFound)) continue;
            if (name.starts_with(kTemporaryPrefix))
                level.temporary.push_back(name);
            else if (is_folder(*entry, path / name))
                level.folders.push_back(name);
            else
                level.files.push_back(name);
        }
        if (errno != 0)
            throw SystemFailure(FailureKind::repository, fmt::format("folder {} in {} cannot be listed", prefix, location_), errno);
        std::ranges::sort(level.folders);
        std::ranges::sort(level.files);
        return level;
    }

    /// A writer that meets a folder taken away between two calls makes it anew. Gives the folder that stayed.
    fs::path remove_empty_folders(fs::path folder) const {
        while (folder != root_ && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
        return folder;
    }

    static bool is_folder(const dirent& entry, const fs::path& path) {
        if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
        struct stat status{};
        return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    }

    /// In order of whole names: a folder sorts as its name with a slash behind it.
    void walk(const std::string& prefix, const std::function<void(const Listed&)>& visit) const {
        const auto level = read_level(prefix);
        if (!level) return;
        std::vector<std::string> names = level->files;
        for (const std::string& folder : level->folders) names.push_back(folder + "/");
        std::ranges::sort(names);
        for (const std::string& name : names) {
            if (name.back() == '/')
                walk(prefix + name, visit);
            else
                visit_file(prefix + name, visit);
        }
    }

    void visit_file(const std::string& name, const std::function<void(const Listed&)>& visit) const {
        struct stat status{};
        if (::lstat((root_ / name).c_str(), &status) != 0) {
            if (errno == ENOENT) return;
            throw SystemFailure(FailureKind::repository, fmt::format("{} cannot be looked at", label(name)), errno);
        }
        visit({name, {static_cast<std::uint64_t>(status.st_size)}, modified_of(status)});
    }

    void visit_leftovers(const std::string& prefix, base::Timestamp until, bool clean, std::vector<Listed>& found) const {
        const auto level = read_level(prefix);
        if (!level) return;
        for (const std::string& name : level->temporary) {
            const fs::path path = root_ / (prefix + name);
            struct stat status{};
            if (::lstat(path.c_str(), &status) != 0 || modified_of(status) > until) continue;
            found.push_back({prefix + name, {static_cast<std::uint64_t>(status.st_size)}, modified_of(status)});
            if (clean && ::unlink(path.c_str()) != 0 && errno != ENOENT)
                throw SystemFailure(FailureKind::repository, fmt::format("leftover cannot be removed: {}", path.native()), errno);
        }
        for (const std::string& folder : level->folders) visit_leftovers(prefix + folder + "/", until, clean, found);
    }

    fs::path root_;
    std::string location_;
    std::atomic<bool> marker_seen_{false};
    KnownFolders folders_;
    std::mutex removals_mutex_;
    std::set<fs::path> removals_;  ///< Folders that names were taken out of since the last sync_removals().
};

}  // namespace

std::unique_ptr<Store> open_directory_store(const fs::path& root, bool create) {
    fs::path trimmed = root;
    if (!trimmed.has_filename() && trimmed.has_relative_path()) trimmed = trimmed.parent_path();
    return std::make_unique<DirectoryStore>(std::move(trimmed), create);
}

}  // namespace howdah::storage
