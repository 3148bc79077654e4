-- One row per sum of an hour that no costs are kept of any more: by other prices it is what it was.
INSERT INTO tcoai_by_hour
SELECT
    ${hour_key},
    {run:String},
    amount,
    allocated,
    estimated,
    list_cost,
    contracted_cost,
    tokens,
    lines,
    {version:UInt64},
    0
FROM tcoai_by_hour FINAL
WHERE hour < {kept:DateTime}
    AND rating_run = {before:String}
    AND rating_run != {run:String}
