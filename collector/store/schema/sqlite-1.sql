-- One run of a gateway's daemon: `epoch` is unique within the gateway, and sorts in order of runs.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    company TEXT NOT NULL,
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    UNIQUE (company, gateway, epoch)
);

CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    company TEXT NOT NULL,
    gateway TEXT NOT NULL,
    machine TEXT NOT NULL,
    stream TEXT NOT NULL,
    UNIQUE (company, gateway, machine, stream)
);
CREATE INDEX stream_by_machine ON stream (company, machine, stream);

-- Every record once, as it was sent; the other columns repeat what of it is looked for.
CREATE TABLE record (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    prev INTEGER,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    kind TEXT NOT NULL,
    type TEXT,
    t_us INTEGER NOT NULL,
    sync BOOLEAN NOT NULL,
    meta TEXT,
    first INTEGER,
    received_us INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX record_by_time ON record (stream_id, kind, t_us);

-- Every description that a stream has had; records name theirs in `meta`.
CREATE TABLE meta (
    stream_id INTEGER NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    t_us INTEGER NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (stream_id, hash)
);

-- What came and is no record, raw; `times` counts how often the same came again.
CREATE TABLE dead_letter (
    digest TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    company TEXT,
    gateway TEXT,
    epoch TEXT,
    seq INTEGER,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    times INTEGER NOT NULL
);
CREATE INDEX dead_letter_by_gateway ON dead_letter (company, gateway);

-- The last status of every gateway.
CREATE TABLE gateway_status (
    company TEXT NOT NULL,
    gateway TEXT NOT NULL,
    received_us INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (company, gateway)
);

-- How every ingester is, by its own last word.
CREATE TABLE ingester (
    name TEXT PRIMARY KEY,
    reported_us INTEGER NOT NULL,
    report TEXT NOT NULL
);

-- What was deleted on purpose, and by whom.
CREATE TABLE deletion (
    at_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    company TEXT,
    before_us INTEGER,
    records INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL
);

-- For people and programs that read: names instead of numbers.

CREATE VIEW records AS
SELECT
    run.company, run.gateway, stream.machine, stream.stream, record.kind, record.type,
    run.epoch, record.seq, record.prev, record.t_us,
    strftime('%Y-%m-%dT%H:%M:%fZ', record.t_us / 1e6, 'unixepoch') AS t,
    record.sync, record.meta, record.first, record.received_us, record.payload
FROM record
JOIN run ON run.id = record.run_id
JOIN stream ON stream.id = record.stream_id;

-- One row for each window and channel and feature; `part` tells bands apart. Peaks have a view of their own.
CREATE VIEW feature_values AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta, r.first,
    channel.key AS channel, feature.key AS feature, part.key AS part, part.value AS value
FROM records AS r, json_each(r.payload, '$.channels') AS channel, json_each(channel.value) AS feature,
    json_each(feature.value) AS part
WHERE r.kind = 'features' AND feature.type = 'object'
UNION ALL
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta, r.first,
    channel.key, feature.key, NULL, feature.value
FROM records AS r, json_each(r.payload, '$.channels') AS channel, json_each(channel.value) AS feature
WHERE r.kind = 'features' AND feature.type NOT IN ('object', 'array');

-- The spectral peaks of each window and channel, the strongest as `place` 1.
CREATE VIEW peaks AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta, r.first,
    channel.key AS channel, peak.key + 1 AS place,
    json_extract(peak.value, '$.hz') AS hz, json_extract(peak.value, '$.amplitude') AS amplitude
FROM records AS r, json_each(r.payload, '$.channels') AS channel, json_each(channel.value, '$.peaks') AS peak
WHERE r.kind = 'features';

-- One row for each summary and point of a controller; `last` is text, whatever the point is.
CREATE VIEW point_values AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta,
    point.key AS point,
    json_extract(point.value, '$.mean') AS mean, json_extract(point.value, '$.min') AS min,
    json_extract(point.value, '$.max') AS max, json_extract(point.value, '$.std') AS std,
    json_extract(point.value, '$.rms') AS rms, json_extract(point.value, '$.coverage') AS coverage,
    point.value ->> '$.last' AS last, point.value ->> '$.quality' AS quality
FROM records AS r, json_each(r.payload, '$.points') AS point
WHERE r.kind = 'readings' AND r.type = 'summary';

-- What is declared missing: samples (gap), runs (restart), records (records-lost).
CREATE VIEW gaps AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.type,
    r.payload ->> '$.cause' AS cause,
    json_extract(r.payload, '$.lost') AS lost, json_extract(r.payload, '$.records') AS records,
    json_extract(r.payload, '$.from_us') AS from_us, json_extract(r.payload, '$.to_us') AS to_us
FROM records AS r
WHERE r.kind = 'event' AND r.type IN ('gap', 'restart', 'records-lost');
