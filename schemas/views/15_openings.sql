-- One row: when the first open month of each tenant begins that has closed one.
CREATE OR REPLACE VIEW openings AS
SELECT mapFromArrays(groupArray(toString(tenant)), groupArray(closings.open_from)) AS open_from
FROM closings
