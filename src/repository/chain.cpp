#include "repository/chain.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/hooks.hpp"
#include "repository/damage.hpp"
#include "repository/json_fields.hpp"
#include "repository/ledger.hpp"
#include "repository/object.hpp"

namespace howdah::repository {

using nlohmann::json;

namespace {

/// What `look` gives. Its damage counts only when a second look meets the same: gc prunes and others append while it looks.
template <typename Look>
auto looked_twice(const Look& look) {
    for (std::string before;;) {
        try {
            return look();
        } catch (const DamageFailure& failure) {
            if (failure.what() == before) throw DamageFailure(failure.object(), failure.damage(), kRepairHint);
            before = failure.what();
        }
    }
}

/// The number in a link's name; none when the name is not one's.
std::optional<std::uint64_t> link_number(std::string_view name) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number == 0 || fmt::format("{:08}", number) != name)
        return std::nullopt;
    return number;
}

std::string encode_link(const Link& link) {
    json document = {{"schema", 1},
                     {"number", link.number},
                     {"oldest", link.oldest},
                     {"previous", link.previous_hash},
                     {"body", json::parse(link.body)}};
    if (!link.lost.empty()) document["lost"] = link.lost;
    if (link.ledger.number > 0) document["ledger"] = {{"number", link.ledger.number}, {"hash", link.ledger.hash}};
    return dump_json(document);
}

Link decode_link(std::string_view document, const std::string& name, std::uint64_t number) {
    const json parsed = parse_json(document, name);
    const Fields fields(parsed, name);
    Link link;
    link.number = fields.number("number");
    link.oldest = fields.number("oldest");
    link.previous_hash = fields.text("previous");
    if (link.number != number || link.oldest == 0 || link.oldest > number) throw_damaged(name, "its number is not its name's");
    if (link.previous_hash.empty() != (number == 1)) throw_damaged(name, "it does not name the link before it");
    if (fields.has("lost"))
        for (const json& lost : fields.array("lost")) {
            if (!lost.is_number_unsigned() || lost < link.oldest || lost >= number)
                throw_damaged(name, "it names lost links that cannot be");
            link.lost.insert(lost.get<std::uint64_t>());
        }
    link.body = fields.object("body").dump();
    if (fields.has("ledger")) {
        const Fields mark(fields.object("ledger"), name);
        link.ledger = {mark.number("number"), mark.text("hash")};
    }
    return link;
}

}  // namespace

Chain::Chain(const Repository& repository, Kind kind, std::string prefix)
    : repository_(&repository), kind_(kind), prefix_(std::move(prefix)) {}

std::string Chain::link_name(std::uint64_t number) const { return fmt::format("{}{:08}", prefix_, number); }

std::vector<std::pair<std::uint64_t, storage::Listed>> Chain::list() const {
    std::vector<std::pair<std::uint64_t, storage::Listed>> links;
    repository_->store().list(prefix_, [&](const storage::Listed& listed) {
        if (const auto number = link_number(std::string_view(listed.name).substr(prefix_.size()))) links.emplace_back(*number, listed);
    });
    std::ranges::sort(links, {}, [](const auto& link) { return link.first; });
    return links;
}

Link Chain::read_link(std::uint64_t number, base::Timestamp modified) const {
    const std::string name = link_name(number);
    const auto document = read_document(repository_->store(), repository_->key(), kind_, name);
    if (!document) throw_damaged(name, "it is missing");
    Link link = decode_link(*document, name, number);
    link.hash = repository_->key().document_hash(kind_, *document);
    link.modified = modified;
    return link;
}

std::optional<Link> Chain::newest() const {
    return looked_twice([this] { return look_newest(); });
}

std::vector<Link> Chain::read() const {
    return looked_twice([this] { return look_all(); });
}

std::optional<Link> Chain::look_newest() const {
    const auto links = list();
    if (links.empty()) return std::nullopt;
    return read_link(links.back().first, links.back().second.modified);
}

std::vector<Link> Chain::look_all() const {
    const auto listed = list();
    if (listed.empty()) return {};
    const Link last = read_link(listed.back().first, listed.back().second.modified);
    std::vector<Link> links;
    std::uint64_t expected = last.oldest;
    for (const auto& [number, object] : listed) {
        if (number < last.oldest || last.lost.contains(number)) continue;
        while (last.lost.contains(expected)) ++expected;
        if (number != expected) throw_damaged(link_name(expected), "it is missing");
        Link link = number == last.number ? last : read_link(number, object.modified);
        if (!links.empty() && links.back().number + 1 == number && links.back().hash != link.previous_hash)
            throw_damaged(link_name(number), "it does not follow the link before it");
        links.push_back(std::move(link));
        ++expected;
    }
    return links;
}

std::optional<Link> Chain::write(const std::optional<Link>& after, std::uint64_t oldest, const std::string& body) {
    Link link;
    link.number = after ? after->number + 1 : 1;
    link.oldest = oldest;
    if (after)
        std::ranges::copy_if(after->lost, std::inserter(link.lost, link.lost.end()), [&](std::uint64_t lost) { return lost >= oldest; });
    link.previous_hash = after ? after->hash : "";
    link.body = body;
    if (!put(link)) return std::nullopt;
    // Links are pruned in order: when the one before is gone, this number may have been another's. The stray is below the oldest link.
    if (after && !repository_->store().exists(link_name(after->number)) && base::guard("repository.pruned_number")) return std::nullopt;
    return link;
}

/// False when another writer took the number.
bool Chain::put(Link& link) {
    if (kind_ != Kind::ledger) link.ledger = newest_ledger_mark(*repository_);
    const std::string document = encode_link(link);
    if (write_document(repository_->store(), repository_->key(), kind_, link_name(link.number), document) == storage::Created::exists)
        return false;
    base::fault_point("repository.link_committed");
    link.hash = repository_->key().document_hash(kind_, document);
    link.modified = repository_->store().now();
    return true;
}

std::optional<Link> Chain::append(const std::optional<Link>& after, const std::string& body) {
    return write(after, after ? after->oldest : 1, body);
}

Link Chain::append_anywhere(const std::function<std::string(const std::optional<Link>& newest)>& body) {
    for (;;) {
        const std::optional<Link> last = newest();
        if (auto link = append(last, body(last))) return *link;
    }
}

std::uint64_t Chain::prune(const Link& newest_link, std::uint64_t keep, const std::string& body) {
    const std::uint64_t last = newest_link.number + 1;
    if (last <= keep) return 0;
    const std::uint64_t oldest = std::max(newest_link.oldest, last - keep + 1);
    if (!write(newest_link, oldest, body)) return 0;
    std::uint64_t deleted = 0;
    for (const auto& [number, object] : list())
        if (number < oldest && repository_->store().remove(object.name)) ++deleted;
    return deleted;
}

}  // namespace howdah::repository
