-- One row: the trace of that id.
INSERT INTO rollup_batch
SELECT
    {tenant:String},
    {id:String}
