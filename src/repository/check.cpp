#include <fmt/core.h>

#include <algorithm>

#include "repository/chain.hpp"
#include "repository/gc.hpp"
#include "repository/integrity.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/ledger_difference.hpp"
#include "repository/mark.hpp"
#include "repository/pack_generations.hpp"

namespace howdah::repository {

namespace {

void check_names(const Repository& repository, CheckResult& result, std::set<std::string>& names) {
    repository.store().list("", [&](const storage::Listed& listed) {
        ++result.objects;
        result.bytes += listed.size;
        names.insert(listed.name);
        if (!parse_object_name(listed.name)) result.problems.push_back(listed.name + " is no object of a repository");
    });
}

/// In any generation, when it is a pack.
bool is_there(const Repository& repository, const std::string& object) {
    const auto name = parse_object_name(object);
    const auto pack = name && name->kind == Kind::pack && name->area ? PackId::parse(name->last) : std::nullopt;
    return pack ? open_generation(repository, *name->area, *pack).has_value() : repository.store().exists(object);
}

void check_manifests(const Repository& repository, const base::Cancellation& cancellation, const std::set<std::string>& names,
                     CheckResult& result) {
    const auto live = live_backups(repository);
    const Marked needed = mark_needed(repository, cancellation, true);
    result.problems.insert(result.problems.end(), needed.problems.begin(), needed.problems.end());
    for (const std::string& name : needed.names)
        if (!names.contains(name) && !is_there(repository, name)) result.problems.push_back(name + " is missing");
    if (!needed.problems.empty()) return;
    const std::vector<Candidate> candidates = list_candidates(repository);
    const std::set<std::string> replaced = replaced_generations(repository, candidates, needed);
    for (const Candidate& candidate : candidates) {
        const auto backup = live.find(candidate.name.area->prefix());
        if ((needed.names.contains(first_generation(candidate.object.name)) && !replaced.contains(candidate.object.name)) ||
            (backup != live.end() && candidate.object.modified >= backup->second))
            continue;
        result.leftovers.push_back(candidate.object.name +
                                   (candidate.name.kind == Kind::root ? " has expired" : " is needed by no backup"));
        result.leftover_bytes += candidate.object.size;
    }
}

void check_temporary_files(storage::Store& store, CheckResult& result) {
    const base::Timestamp now = store.now();
    for (const storage::Listed& file : store.leftovers(base::Timestamp::max(), false)) {
        const auto age = std::max(now - file.modified, base::Duration::zero());
        result.leftovers.push_back(fmt::format("{} is a temporary file of {}, last written to {} ago{}", file.name, base::text(file.size),
                                               base::text_duration(age),
                                               age < kLeftoverAge ? ": it may belong to a command that runs" : ""));
        result.leftover_bytes += file.size;
    }
}

CheckResult look(const Repository& repository, const base::Cancellation& cancellation) {
    CheckResult result;
    std::set<std::string> names;
    check_names(repository, result, names);
    for (const Damage& damage : check_lines(repository)) result.problems.push_back(damage.object + ": " + damage.what);
    for (const Damage& damage : check_chains(repository, {})) result.problems.push_back(damage.object + ": " + damage.what);
    // A damaged chain is told above; what is judged by it cannot be.
    if (!result.problems.empty()) return result;
    for (const Damage& lease : find_dead_leases(repository, {})) result.leftovers.push_back(lease.object + " " + lease.what);
    for (const LedgerDifference& difference : find_ledger_differences(repository))
        (difference.ahead ? result.leftovers : result.problems).push_back(difference.object + " " + difference.what);
    check_manifests(repository, cancellation, names, result);
    check_temporary_files(repository.store(), result);
    return result;
}

}  // namespace

CheckResult check_repository(const Repository& repository, const base::Cancellation& cancellation) {
    CheckResult result = look(repository, cancellation);
    if (result.problems.empty()) return result;
    // What a live run does between two steps of a look is no problem: it is gone at the second look.
    const std::set<std::string> before(result.problems.begin(), result.problems.end());
    result = look(repository, cancellation);
    std::erase_if(result.problems, [&](const std::string& problem) { return !before.contains(problem); });
    return result;
}

}  // namespace howdah::repository
