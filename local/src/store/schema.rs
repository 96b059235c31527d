//! Tables of `engine.db`.

/// Applied at every open; only adds.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, versioning TEXT NOT NULL, notifications TEXT NOT NULL, created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- A row is one version of one key. `id` grows with every write: the newest version is the largest id, and it is the event's sequencer.
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL,
    latest INTEGER NOT NULL, marker INTEGER NOT NULL, blob TEXT, size INTEGER NOT NULL, sha256 TEXT NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, checksum TEXT NOT NULL, headers TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest = 1;
CREATE INDEX IF NOT EXISTS objects_versions ON objects (bucket, key, id DESC);
-- What a bucket's rules look for.
CREATE INDEX IF NOT EXISTS objects_noncurrent ON objects (bucket, key, id) WHERE latest = 0;
CREATE INDEX IF NOT EXISTS objects_markers ON objects (bucket, key) WHERE latest = 1 AND marker = 1;
CREATE INDEX IF NOT EXISTS objects_blob ON objects (blob) WHERE blob IS NOT NULL;

CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started_ms INTEGER NOT NULL,
    algorithm TEXT, full_object INTEGER NOT NULL, headers TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_blob ON parts (blob);

CREATE TABLE IF NOT EXISTS queues (
    name TEXT PRIMARY KEY, visibility_timeout_s INTEGER NOT NULL, retention_s INTEGER NOT NULL, delay_s INTEGER NOT NULL,
    dead_letters TEXT, max_receive_count INTEGER, fifo INTEGER NOT NULL, created_ms INTEGER NOT NULL
) WITHOUT ROWID;
-- `holder`: 0 nobody, 1 a client, 2 a mapping of this engine.
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
    sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL, first_received_ms INTEGER NOT NULL DEFAULT 0,
    receive_count INTEGER NOT NULL DEFAULT 0, receipt TEXT, holder INTEGER NOT NULL DEFAULT 0,
    message_group TEXT, deduplication TEXT, dead_letter_source TEXT
);
CREATE INDEX IF NOT EXISTS messages_visible ON messages (queue, visible_ms, id);
CREATE INDEX IF NOT EXISTS messages_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_held ON messages (holder) WHERE holder = 2;
CREATE INDEX IF NOT EXISTS messages_group ON messages (queue, message_group, id) WHERE message_group IS NOT NULL;
-- A FIFO queue remembers deduplication ids for five minutes, past the message's deletion.
CREATE TABLE IF NOT EXISTS deduplications (
    queue TEXT NOT NULL, id TEXT NOT NULL, message_id TEXT NOT NULL, sent_ms INTEGER NOT NULL, PRIMARY KEY (queue, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS published (
    id TEXT PRIMARY KEY, topic TEXT NOT NULL, subject TEXT, message TEXT NOT NULL, at_ms INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Settings of every connection. FULL: a commit that was acknowledged survives a power cut.
pub(super) const PRAGMAS: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = 10000;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8000;
";
