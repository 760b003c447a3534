#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/manifest.hpp"
#include "repository/object_check.hpp"
#include "repository/repository.hpp"
#include "repository/verify.hpp"

namespace howdah::repository {

/// Checks what objects say of each other: roots of trees, trees of packs, the backups before, the WAL of each timeline. Trees that
/// several backups share are read once.
class ManifestCheck {
public:
    /// `listed`: names of all objects and when they were stored.
    ManifestCheck(const Repository& repository, const std::map<std::string, base::Timestamp>& listed, const ObjectFacts& facts);

    void check_area(const ClusterArea& area, const base::Cancellation& cancellation);
    /// Segments of each timeline without a gap.
    void check_wal(const ClusterArea& area);
    /// Objects on gc's list that are gone although no gc is at work.
    void check_doomed(const std::string& cluster);
    const std::vector<Damage>& findings() const { return findings_; }
    /// Objects of findings that rest on one stored so lately that its writer's companions may still be at work, by when it was stored.
    const std::map<std::string, base::Timestamp>& fresh() const { return fresh_; }
    /// Backups that need an object, by object: of all objects that roots name directly or through trees.
    const std::map<std::string, std::set<std::string>>& needed_by() const { return needed_by_; }

private:
    void check_root(const ClusterArea& area, const std::string& id);
    void check_previous(const ClusterArea& area, const Root& root, const std::string& name);
    void check_needed_wal(const ClusterArea& area, const Root& root);
    /// Names of the objects below a tree; checks them the first time.
    const std::set<std::string>& check_tree(const ClusterArea& area, const std::string& name);
    void check_extents(const ClusterArea& area, const std::string& where, const std::vector<Extent>& extents, std::set<std::string>& needs);
    void require(const std::string& object, const std::string& by);
    void require_pack(const ClusterArea& area, const PackId& id, const std::string& by, std::set<std::string>& needs);
    std::map<std::string, std::vector<std::uint32_t>>::const_iterator frames_of(const std::string& first) const;
    void report(const std::string& object, const std::string& what) { findings_.push_back({object, what}); }

    const Repository& repository_;
    const std::map<std::string, base::Timestamp>& listed_;
    const ObjectFacts& facts_;
    std::map<std::string, std::set<std::string>> trees_;
    std::map<std::string, std::set<std::string>> needed_by_;
    std::map<std::string, base::Timestamp> fresh_;
    std::set<std::string> expired_;  ///< And not pinned.
    std::set<std::string> ever_expired_;
    std::set<std::string> doomed_;
    std::vector<Damage> findings_;
};

}  // namespace howdah::repository
