-- A restart has the times between which it happened.

CREATE OR REPLACE VIEW gaps AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.type,
    r.payload ->> 'cause' AS cause,
    CAST(r.payload ->> 'lost' AS bigint) AS lost, CAST(r.payload ->> 'records' AS bigint) AS records,
    CASE r.type WHEN 'restart' THEN CAST(r.payload ->> 'last_us' AS bigint)
        ELSE CAST(r.payload ->> 'from_us' AS bigint) END AS from_us,
    CASE r.type WHEN 'restart' THEN r.t_us ELSE CAST(r.payload ->> 'to_us' AS bigint) END AS to_us
FROM records AS r
WHERE r.kind = 'event' AND r.type IN ('gap', 'restart', 'records-lost');
