-- One row per hour of which something has been written since all hours were summed up.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM call_costs
WHERE version > {summed:UInt64}
    AND hour >= {kept:DateTime}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM capacity_lines
WHERE version > {summed:UInt64}
    AND hour >= {kept:DateTime}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM tcoai_by_hour
WHERE version > {summed:UInt64}
    AND hour >= {kept:DateTime}
