#include "repository/documents.hpp"

#include <limits>

#include "repository/json_fields.hpp"

namespace howdah::repository {

using nlohmann::json;

std::string encode_lease(const LeaseBody& lease) {
    const LeaseHolder& holder = lease.holder;
    return dump_json({{"state", lease.held ? "held" : "released"},
                      {"token", lease.token},
                      {"holder",
                       {{"host", json_text(holder.host)},
                        {"boot", holder.boot},
                        {"user", json_text(holder.user)},
                        {"operation", holder.operation},
                        {"pid", holder.pid},
                        {"start_ticks", holder.start_ticks},
                        {"acquired", json_time(holder.acquired)}}}});
}

LeaseBody decode_lease(std::string_view body, const std::string& name) {
    const json parsed = parse_json(body, name);
    const Fields fields(parsed, name);
    const Fields holder(fields.object("holder"), name);
    LeaseBody lease{.held = fields.text("state") == "held", .token = fields.text("token"), .holder = {}};
    if (!lease.held && fields.text("state") != "released") fields.fail("state", "is unknown");
    lease.holder = {holder.text("host"),
                    holder.text("boot"),
                    holder.text("user"),
                    holder.text("operation"),
                    static_cast<int>(holder.number("pid", std::numeric_limits<int>::max())),
                    holder.number("start_ticks"),
                    holder.time("acquired")};
    return lease;
}

std::string encode_event(const Event& event) {
    json document = {{"type", event.type},
                     {"backup", event.backup_id},
                     {"text", json_text(event.text)},
                     {"time", json_time(event.time)},
                     {"user", json_text(event.user)},
                     {"host", json_text(event.host)}};
    if (event.until) document["until"] = json_time(*event.until);
    return dump_json(document);
}

Event decode_event(std::string_view body, const std::string& name) {
    const json parsed = parse_json(body, name);
    const Fields fields(parsed, name);
    return {.number = 0,
            .type = fields.text("type"),
            .backup_id = fields.text("backup"),
            .text = fields.text("text"),
            .until = fields.time_if("until"),
            .time = fields.time("time"),
            .user = fields.text("user"),
            .host = fields.text("host")};
}

namespace {

json area_json(const LedgerArea& area) {
    json wal = json::object();
    for (const auto& [timeline, ends] : area.wal) wal[timeline] = {{"first", ends.first}, {"last", ends.last}};
    return {{"roots", area.roots}, {"wal", wal}, {"histories", area.histories}};
}

LedgerArea read_area(const json& value, const std::string& name) {
    const Fields fields(value, name);
    LedgerArea area;
    for (const json& root : fields.array("roots")) area.roots.push_back(fields.text_of(root, "roots"));
    for (const auto& [timeline, value_of] : fields.object("wal").items()) {
        const Fields ends(value_of, name);
        area.wal[timeline] = {ends.text("first"), ends.text("last")};
    }
    for (const json& history : fields.array("histories")) area.histories.push_back(fields.text_of(history, "histories"));
    return area;
}

}  // namespace

std::string encode_ledger(const LedgerBody& ledger) {
    json document = {{"chains", json::object()}, {"slots", ledger.slots}, {"areas", json::object()}};
    for (const auto& [prefix, end] : ledger.chains) document["chains"][prefix] = {{"newest", end.newest}, {"hash", end.hash}};
    for (const auto& [prefix, area] : ledger.areas) document["areas"][prefix] = area_json(area);
    return dump_json(document);
}

LedgerBody decode_ledger(std::string_view body, const std::string& name) {
    const json parsed = parse_json(body, name);
    const Fields fields(parsed, name);
    LedgerBody ledger;
    for (const auto& [prefix, value] : fields.object("chains").items()) {
        const Fields end(value, name);
        ledger.chains[prefix] = {end.number("newest"), end.text("hash")};
    }
    for (const auto& [slot, hash] : fields.object("slots").items()) ledger.slots[slot] = fields.text_of(hash, "slots");
    for (const auto& [prefix, value] : fields.object("areas").items()) ledger.areas[prefix] = read_area(value, name);
    return ledger;
}

std::string encode_doomed(const std::vector<Doomed>& doomed) {
    json list = json::array();
    for (const Doomed& object : doomed) list.push_back({{"name", object.name}, {"since", json_time(object.since)}});
    return dump_json({{"doomed", list}});
}

std::vector<Doomed> decode_doomed(std::string_view body, const std::string& name) {
    const json parsed = parse_json(body, name);
    const Fields fields(parsed, name);
    std::vector<Doomed> doomed;
    for (const json& element : fields.array("doomed")) {
        const Fields object(element, name);
        doomed.push_back({object.text("name"), object.time("since")});
    }
    return doomed;
}

}  // namespace howdah::repository
