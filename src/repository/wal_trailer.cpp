#include "repository/wal_trailer.hpp"

#include <limits>

#include "repository/json_fields.hpp"

namespace howdah::repository {

using nlohmann::json;

namespace {

constexpr std::uint64_t kThirtyTwoBits = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::string encode_wal_trailer(const WalTrailer& trailer) {
    json document = {
        {"schema", 1},
        {"segment", trailer.segment},
        {"system_identifier", base::text(trailer.system_identifier)},
        {"segment_size", trailer.segment_size},
        {"server_major", trailer.server_major},
        {"timeline", trailer.timeline.value},
        {"begin", base::text(trailer.begin)},
        {"end", base::text(trailer.end)},
        {"first_record", base::text(trailer.first_record)},
        {"end_of_records", base::text(trailer.end_of_records)},
        {"records", trailer.records},
        {"commits", trailer.commits},
        {"lowest_xid", trailer.lowest_xid},
        {"highest_xid", trailer.highest_xid},
        {"restore_points", json::array()},
        {"tablespaces", json::array()},
        {"switched", trailer.switched},
        {"doubt", json_text(trailer.doubt)},
    };
    if (trailer.first_commit_time) document["first_commit_time"] = json_time(*trailer.first_commit_time);
    if (trailer.last_commit_time) document["last_commit_time"] = json_time(*trailer.last_commit_time);
    for (const auto& point : trailer.restore_points)
        document["restore_points"].push_back(
            {{"name", json_text(point.name)}, {"lsn", base::text(point.lsn)}, {"time", json_time(point.time)}});
    for (const auto& space : trailer.tablespaces)
        document["tablespaces"].push_back({{"oid", space.oid}, {"path", json_text(space.path)}, {"lsn", base::text(space.lsn)}});
    if (!trailer.head.empty()) document["head"] = json_text(trailer.head);
    if (!trailer.tail.empty()) {
        document["tail"] = json_text(trailer.tail);
        document["cut_record"] = base::text(trailer.cut_record);
    }
    return dump_json(document);
}

WalTrailer decode_wal_trailer(std::string_view document, const std::string& name) {
    const json parsed = parse_json(document, name);
    const Fields fields(parsed, name);
    WalTrailer trailer;
    trailer.segment = fields.text("segment");
    trailer.system_identifier = fields.system("system_identifier");
    trailer.segment_size = static_cast<std::uint32_t>(fields.number("segment_size", kThirtyTwoBits));
    trailer.server_major = static_cast<int>(fields.number("server_major", 1000));
    trailer.timeline = fields.timeline("timeline");
    trailer.begin = fields.lsn("begin");
    trailer.end = fields.lsn("end");
    trailer.first_record = fields.lsn("first_record");
    trailer.end_of_records = fields.lsn("end_of_records");
    trailer.records = fields.number("records");
    trailer.commits = fields.number("commits");
    trailer.first_commit_time = fields.time_if("first_commit_time");
    trailer.last_commit_time = fields.time_if("last_commit_time");
    trailer.lowest_xid = static_cast<std::uint32_t>(fields.number("lowest_xid", kThirtyTwoBits));
    trailer.highest_xid = static_cast<std::uint32_t>(fields.number("highest_xid", kThirtyTwoBits));
    trailer.switched = fields.boolean("switched");
    trailer.doubt = fields.text("doubt");
    trailer.head = fields.text_or("head");
    trailer.tail = fields.text_or("tail");
    if (!trailer.tail.empty()) trailer.cut_record = fields.lsn("cut_record");
    for (const json& element : fields.array("restore_points")) {
        const Fields point(element, name);
        trailer.restore_points.push_back({point.text("name"), point.lsn("lsn"), point.time("time")});
    }
    for (const json& element : fields.array("tablespaces")) {
        const Fields space(element, name);
        trailer.tablespaces.push_back(
            {static_cast<std::uint32_t>(space.number("oid", kThirtyTwoBits)), space.text("path"), space.lsn("lsn")});
    }
    return trailer;
}

}  // namespace howdah::repository
