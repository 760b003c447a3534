#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/units.hpp"
#include "repository/crypto.hpp"
#include "repository/manifest.hpp"
#include "repository/sealing.hpp"
#include "storage/store.hpp"

namespace howdah::repository {

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
    std::string pack(const PackId& id) const { return pack(id.text()); }
    std::string pack(const std::string& id) const { return prefix_ + "pack/" + id.substr(0, 2) + "/" + id; }
    /// "…/wal/00000001/0000000A/00000001000000000A000000F3": timeline and the middle eight digits make the folders.
    std::string wal(const std::string& segment) const {
        return prefix_ + "wal/" + segment.substr(0, 8) + "/" + segment.substr(8, 8) + "/" + segment;
    }
    /// "…/summary/00000001/0000000003000028-0000000007000028": the changes of a stretch of WAL, by its last timeline and both ends.
    std::string summary(const std::string& name) const { return prefix_ + "summary/" + name; }
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
/// pack_writer.hpp, chain.hpp; this class only opens. initialise.hpp makes one.
class Repository {
public:
    /// Opens and unlocks. Order of looking: place and marker first (Failure repository), then the key (Failure configuration).
    static Repository open(const base::RepositoryConfig& config);

    /// Of parts that are known; only a repository in the making is not opened.
    Repository(std::string name, std::string id, std::unique_ptr<storage::Store> store, Sealing sealing, const crypto::Key& secret);
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
    std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::repository
