#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/session.hpp"

namespace howdah::postgres {

/// One setting as pg_settings has it.
struct Setting {
    std::string name;
    std::string value;
    std::string source;
    bool pending_restart = false;
};

struct Tablespace {
    std::uint32_t oid = 0;
    std::string name;
    std::string location;  ///< pg_tablespace_location; relative ("pg_tblspc/16400") when in place.
    bool in_place = false;
};

/// What backup, archive and preflight ask of a server, the same for 14 to 18.
struct ClusterFacts {
    int version = 0;
    base::SystemIdentifier system_identifier;
    std::filesystem::path data_directory;  ///< Empty when the role may not read it.
    std::filesystem::path config_file, hba_file, ident_file;
    bool in_recovery = false;
    base::Timeline timeline;
    std::uint64_t wal_segment_size = 0;
    bool data_checksums = false;
    bool superuser = false;
    bool may_backup = false;  ///< EXECUTE on the backup functions of this version.
    std::string archive_mode, archive_command, archive_library, wal_level;
    bool full_page_writes = true;
    base::Timestamp now;  ///< The server's clock.
};
ClusterFacts read_cluster_facts(Session& session);
std::vector<Tablespace> read_tablespaces(Session& session);
std::optional<Setting> read_setting(Session& session, const std::string& name);

/// Non-exclusive backup on one session that must live until stop: pg_backup_start/stop from 15 on, pg_start_backup/pg_stop_backup on 14.
struct BackupStarted {
    base::Lsn start;
    base::Timeline timeline;
    base::Timestamp time;  ///< The server's clock just before the start.
};
BackupStarted start_backup(Session& session, const std::string& label, bool fast);
struct BackupStopped {
    base::Lsn stop;
    base::Timestamp time;  ///< The server's clock just after the stop.
    std::string backup_label;
    std::string tablespace_map;  ///< Empty: none.
};
/// Does not wait for archiving: the caller does.
BackupStopped stop_backup(Session& session);

}  // namespace howdah::postgres
