#include <limits>

#include "repository/json_fields.hpp"
#include "repository/manifest.hpp"
#include "repository/safe_path.hpp"

namespace howdah::repository {

using nlohmann::json;

namespace {

constexpr std::uint64_t kThirtyTwoBits = std::numeric_limits<std::uint32_t>::max();

json trees_json(const Root& root) {
    json trees = json::array();
    for (const TreeReference& tree : root.trees)
        trees.push_back({{"root", json_text(tree.root)}, {"name", tree.name}, {"files", tree.files}, {"bytes", tree.bytes.count}});
    return trees;
}

json tablespaces_json(const Root& root) {
    json tablespaces = json::array();
    for (const TablespaceReference& space : root.tablespaces)
        tablespaces.push_back({{"oid", space.oid}, {"name", json_text(space.name)}, {"location", json_text(space.location)}});
    return tablespaces;
}

json outside_json(const Root& root) {
    json outside = json::array();
    for (const OutsideFile& file : root.outside)
        outside.push_back({{"path", json_text(file.path)}, {"stored", json_text(file.stored)}, {"role", file.role}});
    return outside;
}

void read_lists(const Fields& fields, Root& root) {
    for (const json& element : fields.array("trees")) {
        const Fields tree(element, fields.name());
        root.trees.push_back({tree.text("root"), tree.text("name"), tree.number("files"), {tree.number("bytes")}});
        const auto& [below, name, files, bytes] = root.trees.back();
        if (!below.empty() && below != kOutsideRoot && !safe_path(below)) tree.fail("root", "leaves the folder of the restore");
        if (name.size() != 32 || name.find_first_not_of("0123456789abcdef") != name.npos) tree.fail("name", "is not a tree's name");
    }
    for (const json& element : fields.array("tablespaces")) {
        const Fields space(element, fields.name());
        root.tablespaces.push_back(
            {static_cast<std::uint32_t>(space.number("oid", kThirtyTwoBits)), space.text("name"), space.text("location")});
    }
    for (const json& element : fields.array("outside")) {
        const Fields file(element, fields.name());
        root.outside.push_back({file.text("path"), file.text("stored"), file.text("role")});
        if (!safe_path(root.outside.back().stored)) file.fail("stored", "leaves the folder of the restore");
    }
}

json fallback_json(const Root& root) {
    json fallback = json::array();
    for (const std::string& doubt : root.fallback) fallback.push_back(json_text(doubt));
    return fallback;
}

void read_server(const Fields& fields, Root& root) {
    root.cluster = fields.text("cluster");
    root.system_identifier = fields.system("system_identifier");
    root.server_version = static_cast<int>(fields.number("server_version", std::numeric_limits<int>::max()));
    root.catalog_version = static_cast<std::uint32_t>(fields.number("catalog_version", kThirtyTwoBits));
    root.control_version = static_cast<std::uint32_t>(fields.number("control_version", kThirtyTwoBits));
    root.wal_segment_size = static_cast<std::uint32_t>(fields.number("wal_segment_size", kThirtyTwoBits));
    root.block_size = static_cast<std::uint32_t>(fields.number("block_size", kThirtyTwoBits));
    root.data_checksum_version = static_cast<std::uint32_t>(fields.number("data_checksum_version", kThirtyTwoBits));
    root.from_standby = fields.boolean("from_standby");
    root.host = fields.text("host");
}

}  // namespace

std::string encode_root(const Root& root) {
    return dump_json({
        {"schema", 1},
        {"id", root.id},
        {"type", root.type},
        {"cluster", root.cluster},
        {"system_identifier", base::text(root.system_identifier)},
        {"server_version", root.server_version},
        {"catalog_version", root.catalog_version},
        {"control_version", root.control_version},
        {"timeline", root.timeline.value},
        {"start", base::text(root.start)},
        {"stop", base::text(root.stop)},
        {"start_time", json_time(root.start_time)},
        {"stop_time", json_time(root.stop_time)},
        {"first_segment", root.first_segment},
        {"last_segment", root.last_segment},
        {"wal_segment_size", root.wal_segment_size},
        {"block_size", root.block_size},
        {"data_checksum_version", root.data_checksum_version},
        {"from_standby", root.from_standby},
        {"backup_label", json_text(root.backup_label)},
        {"tablespace_map", json_text(root.tablespace_map)},
        {"trees", trees_json(root)},
        {"tablespaces", tablespaces_json(root)},
        {"outside", outside_json(root)},
        {"files", root.files},
        {"bytes", root.bytes.count},
        {"bytes_read", root.bytes_read.count},
        {"stored_bytes", root.stored_bytes.count},
        {"seconds", root.seconds},
        {"bad_pages", root.bad_pages},
        {"vanished_files", root.vanished_files},
        {"parent", root.parent},
        {"fallback", fallback_json(root)},
        {"unlogged_changes", root.unlogged_changes},
        {"alarm", root.alarm},
        {"program_version", root.program_version},
        {"host", json_text(root.host)},
        {"previous_id", root.previous_id},
        {"previous_hash", root.previous_hash},
    });
}

Root decode_root(std::string_view document, const std::string& name) {
    const json parsed = parse_json(document, name);
    const Fields fields(parsed, name);
    Root root;
    root.id = fields.text("id");
    root.type = fields.text("type");
    root.timeline = fields.timeline("timeline");
    root.start = fields.lsn("start");
    root.stop = fields.lsn("stop");
    root.start_time = fields.time("start_time");
    root.stop_time = fields.time("stop_time");
    root.first_segment = fields.text("first_segment");
    root.last_segment = fields.text("last_segment");
    root.backup_label = fields.text("backup_label");
    root.tablespace_map = fields.text("tablespace_map");
    root.files = fields.number("files");
    root.bytes = {fields.number("bytes")};
    root.bytes_read = {fields.number("bytes_read")};
    root.stored_bytes = {fields.number("stored_bytes")};
    root.seconds = fields.real("seconds");
    root.parent = fields.text_or("parent");
    root.unlogged_changes = fields.number_or("unlogged_changes", 0);
    root.alarm = fields.text_or("alarm");
    for (const json& doubt : fields.array("fallback")) root.fallback.push_back(fields.text_of(doubt, "fallback"));
    root.bad_pages = fields.number("bad_pages");
    root.vanished_files = fields.number("vanished_files");
    root.program_version = fields.text("program_version");
    root.previous_id = fields.text("previous_id");
    root.previous_hash = fields.text("previous_hash");
    read_server(fields, root);
    read_lists(fields, root);
    return root;
}

}  // namespace howdah::repository
