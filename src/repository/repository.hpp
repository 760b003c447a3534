#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/units.hpp"
#include "repository/manifest.hpp"
#include "repository/sealing.hpp"
#include "storage/store.hpp"

namespace howdah::repository {

/// What `repo init` made.
struct Initialised {
    std::string id;
    bool encrypted = true;
    std::filesystem::path key_file;  ///< Empty: passphrase or no encryption.
    bool key_file_made = false;      ///< False: a valid one was there and is used.
};

/// Objects of one cluster: its name and system identifier are part of every name.
class ClusterArea {
public:
    ClusterArea(std::string cluster, base::SystemIdentifier system);
    const std::string& cluster() const { return cluster_; }
    base::SystemIdentifier system() const { return system_; }
    /// "cluster/main/7301234567890123456/".
    const std::string& prefix() const { return prefix_; }
    std::string root(const std::string& backup_id) const { return prefix_ + "backup/" + backup_id; }
    std::string tree(const std::string& name) const { return prefix_ + "tree/" + name.substr(0, 2) + "/" + name; }
    std::string map(const std::string& name) const { return prefix_ + "map/" + name.substr(0, 2) + "/" + name; }
    std::string pack(const std::string& id) const { return prefix_ + "pack/" + id.substr(0, 2) + "/" + id; }
    /// "…/wal/00000001/0000000A/00000001000000000A000000F3": timeline and the middle eight digits make the folders.
    std::string wal(const std::string& segment) const {
        return prefix_ + "wal/" + segment.substr(0, 8) + "/" + segment.substr(8, 8) + "/" + segment;
    }
    std::string wal_prefix() const { return prefix_ + "wal/"; }
    std::string history(const std::string& file) const { return prefix_ + "history/" + file; }
    std::string lease_prefix() const { return prefix_ + "lease/"; }
    std::string event_prefix() const { return prefix_ + "event/"; }

private:
    std::string cluster_;
    base::SystemIdentifier system_;
    std::string prefix_;
};

/// An open repository: its store, its id and its unlocked key. Thread-safe. What is in it is reached through backups.hpp, lease.hpp,
/// pack_writer.hpp, chain.hpp; this class only opens and creates.
class Repository {
public:
    /// Creates the marker, the first key slot and the first ledger entry in an empty place. Encrypts unless told otherwise: `key_file` (or
    /// `passphrase`) of the configuration; a key file that is not there is made (0600), a valid one is used and never overwritten.
    /// Refuses a place that already holds a repository (or anything else).
    static Initialised initialise(const base::RepositoryConfig& config, bool encrypt);

    /// Opens and unlocks. Order of looking: place and marker first (Failure repository), then the key (Failure configuration).
    static Repository open(const base::RepositoryConfig& config);

    Repository(Repository&&) noexcept;
    ~Repository();

    storage::Store& store() const;
    const DataKey& key() const;
    const std::string& id() const;
    const std::string& name() const;  ///< As configured.
    bool encrypted() const;

    /// Cluster areas present, by cluster name and system identifier.
    std::vector<ClusterArea> areas() const;

private:
    struct Impl;
    explicit Repository(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::repository
