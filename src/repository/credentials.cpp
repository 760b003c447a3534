#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/random.hpp"
#include "repository/key_slots.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;
using base::SystemFailure;
namespace fs = std::filesystem;

namespace {

std::string_view without_line_end(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

/// The key of a repository that exists can only be brought back; `hint` says so, or what to do where one is to be made.
crypto::Key read_key_file(const fs::path& path,
                          const char* hint = "bring back the copy of the key that repo init made: no new key opens this repository") {
    auto content = base::read_file_if_exists(path, {4096}, FailureKind::configuration);
    if (!content)
        throw Failure(FailureKind::configuration, fmt::format("key file does not exist: {}", path.native()),
                      "bring the copy of the key that repo init made back there, or correct key_file");
    crypto::Key key;
    const bool valid = crypto::from_base64(without_line_end(*content), key);
    crypto::wipe(std::as_writable_bytes(std::span(*content)));
    if (!valid)
        throw Failure(FailureKind::configuration, fmt::format("key file is not one line of base64 of 32 bytes: {}", path.native()), hint);
    return key;
}

std::string read_passphrase_file(const fs::path& path) {
    const auto content = base::read_file_if_exists(path, {4096}, FailureKind::configuration);
    if (!content)
        throw Failure(FailureKind::configuration, fmt::format("passphrase file does not exist: {}", path.native()),
                      "correct passphrase_file in the configuration");
    return std::string(without_line_end(*content));
}

}  // namespace

Credentials::~Credentials() {
    if (file_key) crypto::wipe(*file_key);
    if (passphrase) crypto::wipe(std::as_writable_bytes(std::span(*passphrase)));
}

bool credentials_configured(const base::RepositoryConfig& config) {
    return !config.key_file.empty() || !config.passphrase_file.empty() || config.passphrase;
}

Credentials read_credentials(const base::RepositoryConfig& config) {
    Credentials credentials;
    if (!config.key_file.empty()) credentials.file_key = read_key_file(config.key_file);
    if (config.passphrase)
        credentials.passphrase = config.passphrase;
    else if (!config.passphrase_file.empty())
        credentials.passphrase = read_passphrase_file(config.passphrase_file);
    if (credentials.passphrase && credentials.passphrase->empty())
        throw Failure(FailureKind::configuration, fmt::format("passphrase of repository {} is empty", config.name),
                      "write one into passphrase_file");
    return credentials;
}

bool make_key_file(const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        crypto::Key key = read_key_file(
            path, "if no repository needs that file, remove it and repo init makes a new key; otherwise name another key_file");
        crypto::wipe(key);
        return false;
    }
    base::create_directories_durably(path.parent_path(), 0700, FailureKind::configuration);
    crypto::Key key;
    base::fill_random(key);
    std::string line = crypto::to_base64(key) + "\n";
    const fs::path temporary = path.native() + ".tmp-" + base::random_hex(8);
    // Linked, not renamed: a key that appeared meanwhile is another's and stays.
    base::write_file_durably(temporary, line, 0600, FailureKind::configuration);
    const int error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
    ::unlink(temporary.c_str());
    crypto::wipe(key);
    crypto::wipe(std::as_writable_bytes(std::span(line)));
    if (error != 0 && error != EEXIST)
        throw SystemFailure(FailureKind::configuration, fmt::format("key file cannot be made: {}", path.native()), error);
    base::sync_directory(path.parent_path(), FailureKind::configuration);
    return error == 0;
}

}  // namespace howdah::repository
