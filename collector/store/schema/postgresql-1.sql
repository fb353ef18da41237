-- One run of a gateway's daemon: `epoch` is unique within the gateway, and sorts in order of runs.
CREATE TABLE run (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    epoch text COLLATE "C" NOT NULL,
    UNIQUE (company, gateway, epoch)
);

CREATE TABLE stream (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    machine text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    UNIQUE (company, gateway, machine, stream)
);
CREATE INDEX stream_by_machine ON stream (company, machine, stream);

-- Which records there are, over all partitions, and the digest of their bytes: nothing is stored twice.
CREATE TABLE identity (
    run_id integer NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    t_us bigint NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (run_id, seq)
);

-- Every record once, as it was sent; the other columns repeat what of it is looked for. This table takes those of
-- no usual time; all others lie in partitions by time, or chunks of a hypertable where TimescaleDB is.
CREATE TABLE record_default (
    run_id integer NOT NULL,
    seq bigint NOT NULL,
    prev bigint,
    stream_id integer NOT NULL,
    kind text NOT NULL,
    type text,
    t_us bigint NOT NULL,
    sync boolean NOT NULL,
    meta text,
    first bigint,
    received_us bigint NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (run_id, seq, t_us)
);
CREATE INDEX ON record_default (stream_id, kind, t_us);

DO $$
DECLARE
    timescale regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'timescaledb');
    week_us bigint := extract(epoch FROM interval '7 days') * 1000000;
BEGIN
    IF timescale IS NULL THEN
        CREATE TABLE record (LIKE record_default INCLUDING ALL) PARTITION BY RANGE (t_us);
        ALTER TABLE record ATTACH PARTITION record_default DEFAULT;
    ELSE
        -- A hypertable has no default part: it would make a chunk for every time that a broken clock says.
        CREATE TABLE record_hypertable (LIKE record_default INCLUDING ALL);
        EXECUTE format(
            'SELECT %s.create_hypertable(%L, %L, chunk_time_interval => %L::bigint, create_default_indexes => false)',
            timescale, 'record_hypertable', 't_us', week_us
        );
        CREATE VIEW record AS SELECT * FROM record_hypertable UNION ALL SELECT * FROM record_default;
    END IF;
END $$;

-- Every description that a stream has had; records name theirs in `meta`.
CREATE TABLE meta (
    stream_id integer NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    hash text COLLATE "C" NOT NULL,
    t_us bigint NOT NULL,
    content json NOT NULL,
    PRIMARY KEY (stream_id, hash)
);

-- What came and is no record, raw; `times` counts how often the same came again.
CREATE TABLE dead_letter (
    digest text COLLATE "C" PRIMARY KEY,
    topic text COLLATE "C" NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    company text COLLATE "C",
    gateway text COLLATE "C",
    epoch text COLLATE "C",
    seq bigint,
    first_us bigint NOT NULL,
    last_us bigint NOT NULL,
    times bigint NOT NULL
);
CREATE INDEX dead_letter_by_gateway ON dead_letter (company, gateway);

-- The last status of every gateway.
CREATE TABLE gateway_status (
    company text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL,
    received_us bigint NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (company, gateway)
);

-- How every ingester is, by its own last word.
CREATE TABLE ingester (
    name text COLLATE "C" PRIMARY KEY,
    reported_us bigint NOT NULL,
    report json NOT NULL
);

-- What was deleted on purpose, and by whom.
CREATE TABLE deletion (
    at_us bigint NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    company text COLLATE "C",
    before_us bigint,
    records bigint NOT NULL,
    dead_letters bigint NOT NULL
);

-- For people and programs that read: names instead of numbers.

CREATE VIEW records AS
SELECT
    run.company, run.gateway, stream.machine, stream.stream, record.kind, record.type,
    run.epoch, record.seq, record.prev, record.t_us,
    timestamptz 'epoch' + record.t_us * interval '1 microsecond' AS t,
    record.sync, record.meta, record.first, record.received_us, record.payload
FROM record
JOIN run ON run.id = record.run_id
JOIN stream ON stream.id = record.stream_id;

-- One row for each window and channel and feature; `part` tells bands apart. Peaks have a view of their own.
CREATE VIEW feature_values AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta, r.first,
    channel.key AS channel, feature.key AS feature, part.key AS part,
    CAST(CAST(part.value AS text) AS double precision) AS value
FROM records AS r, json_each(r.payload -> 'channels') AS channel, json_each(channel.value) AS feature,
    LATERAL (
        SELECT key, nullif(CAST(value AS text), 'null') AS value
        FROM json_each(CASE json_typeof(feature.value) WHEN 'object' THEN feature.value END)
        UNION ALL
        SELECT NULL, nullif(CAST(feature.value AS text), 'null')
        WHERE json_typeof(feature.value) IN ('number', 'null')
    ) AS part
WHERE r.kind = 'features';

-- The spectral peaks of each window and channel, the strongest as `place` 1.
CREATE VIEW peaks AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta, r.first,
    channel.key AS channel, peak.place AS place,
    CAST(peak.value ->> 'hz' AS double precision) AS hz,
    CAST(peak.value ->> 'amplitude' AS double precision) AS amplitude
FROM records AS r, json_each(r.payload -> 'channels') AS channel,
    json_array_elements(
        CASE json_typeof(channel.value -> 'peaks') WHEN 'array' THEN channel.value -> 'peaks' END
    ) WITH ORDINALITY AS peak (value, place)
WHERE r.kind = 'features';

-- One row for each summary and point of a controller; `last` is text, whatever the point is.
CREATE VIEW point_values AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta,
    point.key AS point,
    CAST(point.value ->> 'mean' AS double precision) AS mean,
    CAST(point.value ->> 'min' AS double precision) AS min,
    CAST(point.value ->> 'max' AS double precision) AS max,
    CAST(point.value ->> 'std' AS double precision) AS std,
    CAST(point.value ->> 'rms' AS double precision) AS rms,
    CAST(point.value ->> 'coverage' AS double precision) AS coverage,
    point.value ->> 'last' AS last, point.value ->> 'quality' AS quality
FROM records AS r, json_each(r.payload -> 'points') AS point
WHERE r.kind = 'readings' AND r.type = 'summary';

-- What is declared missing: samples (gap), runs (restart), records (records-lost).
CREATE VIEW gaps AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.type,
    r.payload ->> 'cause' AS cause,
    CAST(r.payload ->> 'lost' AS bigint) AS lost, CAST(r.payload ->> 'records' AS bigint) AS records,
    CAST(r.payload ->> 'from_us' AS bigint) AS from_us, CAST(r.payload ->> 'to_us' AS bigint) AS to_us
FROM records AS r
WHERE r.kind = 'event' AND r.type IN ('gap', 'restart', 'records-lost');
