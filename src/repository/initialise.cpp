#include "repository/initialise.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <vector>

#include "base/file.hpp"
#include "base/random.hpp"
#include "repository/key_slots.hpp"
#include "repository/ledger.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

/// Whether the folder of a repository that is to be made exists; refuses one with anything in it.
void check_place_is_empty(const base::RepositoryConfig& config) {
    constexpr std::string_view file = "file://";
    struct stat status{};
    if (config.url.starts_with(file) && ::stat(config.url.c_str() + file.size(), &status) != 0) return;
    const auto store = storage::open_store(config.url);
    if (store->exists(kMarkerName))
        throw Failure(FailureKind::operation, fmt::format("place holds a repository already: {}", config.url),
                      "use it as it is, or choose an empty place");
    std::string found;
    store->list("", [&](const storage::Listed& listed) {
        if (found.empty()) found = listed.name;
    });
    if (!found.empty())
        throw Failure(FailureKind::operation, fmt::format("place is not empty: {} holds {}", config.url, found),
                      "choose an empty place; after an interrupted repo init remove what it left");
}

/// Objects of a repository in the making, taken away again when it cannot be finished.
class Making {
public:
    explicit Making(storage::Store& store) : store_(&store) {}
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
    ~Making() {
        for (const std::string& name : made_) try {
                store_->remove(name);
            } catch (const Failure&) {
                // What cannot be removed is named by the next repo init.
            }
    }
    void put(const std::string& name, const std::string& line) {
        if (store_->put(name, base::as_bytes(line)) == storage::Created::exists)
            throw Failure(FailureKind::operation, fmt::format("another repo init is at work in {}: {} exists", store_->location(), name),
                          "wait for it, or choose another place");
        made_.push_back(name);
    }
    void note(const std::string& name) { made_.push_back(name); }
    void done() { made_.clear(); }

private:
    storage::Store* store_;
    std::vector<std::string> made_;
};

}  // namespace

void check_initialise(const base::RepositoryConfig& config, bool encrypt) {
    if (encrypt && !credentials_configured(config))
        throw Failure(FailureKind::configuration,
                      fmt::format("repository {} has no key: neither key_file nor passphrase_file is set", config.name),
                      "set key_file in the configuration, or use --no-encryption");
    if (!encrypt && credentials_configured(config))
        throw Failure(FailureKind::configuration,
                      fmt::format("repository {} has a key configured and is to be made without encryption", config.name),
                      "remove key_file and passphrase_file from its configuration, or leave --no-encryption out");
    check_place_is_empty(config);
}

Initialised initialise(const base::RepositoryConfig& config, bool encrypt) {
    check_initialise(config, encrypt);
    Initialised result{.id = base::random_hex(16), .encrypted = encrypt, .key_file = config.key_file};
    if (encrypt && !config.key_file.empty()) result.key_file_made = make_key_file(config.key_file);
    const Credentials credentials = read_credentials(config);
    crypto::Key secret = unencrypted_key(result.id);
    if (encrypt) base::fill_random(secret);

    const Sealing sealing = encrypt ? Sealing::aes_256_gcm : Sealing::none;
    const Repository repository(config.name, result.id, storage::open_store(config.url, true), sealing, secret);
    const DataKey& key = repository.key();
    const base::Timestamp now = repository.store().now();
    Making making(repository.store());
    std::uint64_t slot = 0;
    for (const bool passphrase : {false, true}) {
        if (!encrypt || !(passphrase ? credentials.passphrase.has_value() : credentials.file_key.has_value())) continue;
        ++slot;
        making.put(slot_name(slot), encode_slot(wrap_data_key(slot, secret, result.id, credentials, passphrase), now, key));
    }
    crypto::wipe(secret);
    write_first_ledger(repository);
    making.note(std::string(kLedgerPrefix) + "00000001");
    making.put(kMarkerName, encode_marker({result.id, sealing}, now, key));
    making.done();
    return result;
}

}  // namespace howdah::repository
