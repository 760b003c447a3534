#include "repository/repository.hpp"

#include <fmt/core.h>

#include <charconv>

#include "repository/damage.hpp"
#include "repository/key_slots.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

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

Repository::Repository(std::string name, std::string id, std::unique_ptr<storage::Store> store, Sealing sealing, const crypto::Key& secret)
    : impl_(std::make_unique<Impl>(std::move(name), std::move(id), std::move(store), sealing, secret)) {}
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
    Repository repository(config.name, marker->id, std::move(store), marker->sealing, secret);
    crypto::wipe(secret);
    if (!tag_fits(line, kMarkerName, repository.key())) throw_damaged(kMarkerName, "its tag does not fit");
    return repository;
}

}  // namespace howdah::repository
