#include "repository/repository.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <charconv>

#include "base/file.hpp"
#include "base/random.hpp"
#include "repository/damage.hpp"
#include "repository/key_slots.hpp"
#include "repository/ledger.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

crypto::Key unencrypted_key(const std::string& id) { return crypto::sha256(base::as_bytes("howdah unencrypted " + id)); }

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

std::string read_marker(storage::Store& store) {
    auto line = store.get(kMarkerName, {64u << 10});
    if (!line)
        throw Failure(FailureKind::repository, fmt::format("there is no repository at {}", store.location()),
                      "make one with howdah repo init; if there was one, mount its disk");
    return *line;
}

}  // namespace

ClusterArea::ClusterArea(std::string cluster, base::SystemIdentifier system) : cluster_(std::move(cluster)), system_(system) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (cluster_.empty() || cluster_.front() == '.' || cluster_.find_first_not_of(kLetters) != std::string::npos)
        throw Failure(FailureKind::configuration, fmt::format("cluster's name cannot be used in a repository: '{}'", cluster_),
                      "use letters, digits, '.', '_' and '-'");
    prefix_ = fmt::format("cluster/{}/{}/", cluster_, system_.value);
}

struct Repository::Impl {
    Impl(std::string configured_name, std::string repository_id, std::unique_ptr<storage::Store> opened, Sealing sealing,
         const crypto::Key& secret)
        : name(std::move(configured_name)), id(std::move(repository_id)), store(std::move(opened)), key(sealing, secret) {}
    std::string name, id;
    std::unique_ptr<storage::Store> store;
    DataKey key;
};

Repository::Repository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Repository::Repository(Repository&&) noexcept = default;
Repository::~Repository() = default;

storage::Store& Repository::store() const { return *impl_->store; }
const DataKey& Repository::key() const { return impl_->key; }
const std::string& Repository::id() const { return impl_->id; }
const std::string& Repository::name() const { return impl_->name; }
bool Repository::encrypted() const { return impl_->key.sealing() != Sealing::none; }

std::vector<ClusterArea> Repository::areas() const {
    std::vector<ClusterArea> areas;
    for (const std::string& cluster : store().list_folders("cluster/")) {
        for (const std::string& folder : store().list_folders("cluster/" + cluster + "/")) {
            base::SystemIdentifier system;
            const auto [end, error] = std::from_chars(folder.data(), folder.data() + folder.size(), system.value);
            if (error == std::errc() && end == folder.data() + folder.size() && base::text(system) == folder)
                areas.emplace_back(cluster, system);
        }
    }
    return areas;
}

namespace {

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

Initialised Repository::initialise(const base::RepositoryConfig& config, bool encrypt) {
    check_initialise(config, encrypt);
    Initialised result{.id = base::random_hex(16), .encrypted = encrypt, .key_file = config.key_file};
    if (encrypt && !config.key_file.empty()) result.key_file_made = make_key_file(config.key_file);
    const Credentials credentials = read_credentials(config);
    crypto::Key secret = unencrypted_key(result.id);
    if (encrypt) base::fill_random(secret);

    const Sealing sealing = encrypt ? Sealing::aes_256_gcm : Sealing::none;
    const Repository repository(std::make_unique<Impl>(config.name, result.id, storage::open_store(config.url, true), sealing, secret));
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

Repository Repository::open(const base::RepositoryConfig& config) {
    auto store = storage::open_store(config.url);
    const std::string line = read_marker(*store);
    const auto marker = parse_marker(line);
    if (!marker)
        throw Failure(FailureKind::repository, fmt::format("marker of the repository at {} is damaged", store->location()),
                      "put the object 'repository' back from another copy; howdah repo init never repairs one");
    crypto::Key secret = unencrypted_key(marker->id);
    if (marker->sealing == Sealing::aes_256_gcm) {
        if (!credentials_configured(config))
            throw Failure(FailureKind::configuration,
                          fmt::format("repository at {} is encrypted and no key is configured", store->location()),
                          "set key_file or passphrase_file");
        secret = unlock(*store, marker->id, read_credentials(config));
    } else if (credentials_configured(config)) {
        throw Failure(FailureKind::configuration,
                      fmt::format("repository at {} says that it is not encrypted, but a key is configured", store->location()),
                      "if it was made without encryption remove key_file and passphrase_file; if not, it was exchanged");
    }
    Repository repository(std::make_unique<Impl>(config.name, marker->id, std::move(store), marker->sealing, secret));
    crypto::wipe(secret);
    if (!tag_fits(line, kMarkerName, repository.key())) throw_damaged(kMarkerName, "its tag does not fit");
    return repository;
}

}  // namespace howdah::repository
