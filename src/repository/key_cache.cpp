#include "repository/key_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/random.hpp"

namespace howdah::repository {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSaltBytes = 32, kNonceBytes = 12, kWrappedBytes = 48;
constexpr std::size_t kFileBytes = kSaltBytes + kNonceBytes + kWrappedBytes;

fs::path cache_folder() {
    const auto from = [](const char* name) { return fs::path(std::getenv(name) ? std::getenv(name) : ""); };
    for (const char* name : {"XDG_RUNTIME_DIR", "XDG_CACHE_HOME"})
        if (const fs::path folder = from(name); folder.is_absolute()) return folder / "howdah";
    const fs::path home = base::current_user().home;
    return home.is_absolute() ? home / ".cache" / "howdah" : fs::path();
}

/// The content of a file that only this user can read or replace.
std::string read_private(const fs::path& path) {
    const base::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.descriptor(), &status) != 0) return {};
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0 || status.st_size != kFileBytes) return {};
    std::string content(kFileBytes, '\0');
    content.resize(file.read_at(std::as_writable_bytes(std::span(content)), 0));
    return content;
}

crypto::Key cache_key(std::string_view passphrase, std::span<const std::byte> salt) {
    crypto::Key key;
    crypto::hkdf(base::as_bytes(passphrase), salt, "howdah/1/cache", key);
    return key;
}

}  // namespace

KeyCache::KeyCache(const std::string& repository_id, std::string_view slot_line) : associated_(repository_id) {
    associated_.push_back('\0');
    associated_.append(slot_line);
    if (const fs::path folder = cache_folder(); !folder.empty()) path_ = folder / (repository_id + ".key");
}

bool KeyCache::find(std::string_view passphrase, crypto::Key& data_key) const {
    if (path_.empty()) return false;
    const std::string content = read_private(path_);
    if (content.size() != kFileBytes) return false;
    const auto bytes = base::as_bytes(content);
    crypto::Key key = cache_key(passphrase, bytes.first(kSaltBytes));
    const bool opened = crypto::unwrap(key, bytes.subspan<kSaltBytes, kNonceBytes>(), associated_, bytes.last(kWrappedBytes), data_key);
    crypto::wipe(key);
    return opened;
}

void KeyCache::keep(std::string_view passphrase, const crypto::Key& data_key) const {
    if (path_.empty()) return;
    std::string content(kSaltBytes + kNonceBytes, '\0');
    base::fill_random(std::as_writable_bytes(std::span(content)));
    const auto bytes = base::as_bytes(content);
    crypto::Key key = cache_key(passphrase, bytes.first(kSaltBytes));
    const std::string wrapped = crypto::wrap(key, bytes.subspan<kSaltBytes, kNonceBytes>(), associated_, data_key);
    crypto::wipe(key);
    try {
        base::create_directories_durably(path_.parent_path(), 0700);
        base::write_file_durably(path_, content + wrapped, 0600);
    } catch (const base::Failure& failure) {
        base::log_debug("unlocked key is not cached: {}", failure.what());
    }
}

}  // namespace howdah::repository
