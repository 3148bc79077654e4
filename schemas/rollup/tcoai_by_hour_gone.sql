-- One row per combination that a changed hour no longer has.
INSERT INTO tcoai_by_hour (
    ${hour_key}, rating_run, version, is_deleted
)
SELECT
    ${hour_key},
    rating_run,
    {version:UInt64},
    1
FROM tcoai_by_hour FINAL
WHERE (tenant, hour) IN (SELECT tenant, hour FROM rollup_hours)
    AND rating_run = {run:String}
    AND version < {version:UInt64}
