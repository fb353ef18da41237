-- `last` is text, and a flag's is true or false as in PostgreSQL; a restart has the times between which it happened.

DROP VIEW point_values;
CREATE VIEW point_values AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.meta,
    point.key AS point,
    json_extract(point.value, '$.mean') AS mean, json_extract(point.value, '$.min') AS min,
    json_extract(point.value, '$.max') AS max, json_extract(point.value, '$.std') AS std,
    json_extract(point.value, '$.rms') AS rms, json_extract(point.value, '$.coverage') AS coverage,
    CASE json_type(point.value, '$.last')
        WHEN 'text' THEN point.value ->> '$.last'
        WHEN 'null' THEN NULL
        ELSE point.value -> '$.last'
    END AS last,
    point.value ->> '$.quality' AS quality
FROM records AS r, json_each(r.payload, '$.points') AS point
WHERE r.kind = 'readings' AND r.type = 'summary';

DROP VIEW gaps;
CREATE VIEW gaps AS
SELECT
    r.company, r.gateway, r.machine, r.stream, r.epoch, r.seq, r.t_us, r.t, r.sync, r.type,
    r.payload ->> '$.cause' AS cause,
    json_extract(r.payload, '$.lost') AS lost, json_extract(r.payload, '$.records') AS records,
    CASE r.type WHEN 'restart' THEN json_extract(r.payload, '$.last_us')
        ELSE json_extract(r.payload, '$.from_us') END AS from_us,
    CASE r.type WHEN 'restart' THEN r.t_us ELSE json_extract(r.payload, '$.to_us') END AS to_us
FROM records AS r
WHERE r.kind = 'event' AND r.type IN ('gap', 'restart', 'records-lost');
