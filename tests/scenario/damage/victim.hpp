#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {

/// A small real repository with an object of every kind: three backups of which one has expired, WAL between and after them, a history,
/// events, a doomed list, leases, and two key slots when encrypted; and the true restore of its first backup. Tests damage it and put it right again.
class Victim {
public:
    explicit Victim(bool encrypted);

    ProtectedServer& server() { return protectee_; }
    std::filesystem::path root() const { return protectee_.repository(); }
    const std::string& backup() const { return backup_; }  ///< The first one's id.
    const std::string& later_backup() const { return later_; }
    std::filesystem::path truth() const { return protectee_.workspace() / "truth"; }
    const std::vector<std::string>& objects() const { return objects_; }
    /// What a restore of the first backup reads, the root included, the marker and slots not.
    const std::set<std::string>& read_by_restore() const { return read_by_restore_; }
    /// The word of an object's kind; "marker" and "slot" too.
    static std::string kind_of(const std::string& object);
    /// The object of the same kind before this one, or the next one when it is the first, or else the same name in another repository
    /// under the same key: its bytes.
    std::string bytes_of_another(const std::string& object) const;

    std::string read(const std::string& object) const;
    /// Replaces an object as an intruder would: same name, owner and mode, other bytes.
    void write(const std::string& object, const std::string& bytes) const;
    void remove(const std::string& object) const;

    /// backup verify in this process: every finding in one text, the failure's when it cannot even open the repository; empty when good.
    std::string verify() const;

private:
    void take_backups();
    void add_what_commands_cannot();
    void make_another_repository();
    void list_objects();
    void find_what_restore_reads();
    base::RepositoryConfig repository_config() const;

    ProtectedServer protectee_;
    bool encrypted_;
    std::string backup_, later_;
    std::vector<std::string> objects_;
    std::set<std::string> read_by_restore_;
};

/// One for each sealing, made at first use and gone at the end; every test leaves it whole.
Victim& victim(bool encrypted);

/// A way to damage an object. None when it does not apply to it.
struct Mutation {
    const char* name;
    void (*apply)(const Victim& victim, const std::string& object, const std::string& whole, std::size_t seed);
};
const std::vector<Mutation>& mutations();

/// Damages one object for as long as it lives.
class Damaged {
public:
    Damaged(const Victim& victim, std::string object, const Mutation& mutation, std::size_t seed = 0);
    ~Damaged();
    Damaged(const Damaged&) = delete;
    Damaged& operator=(const Damaged&) = delete;

private:
    const Victim& victim_;
    std::string object_, whole_;
};

}  // namespace howdah::tests
