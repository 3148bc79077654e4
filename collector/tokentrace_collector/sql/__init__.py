"""SQL that others write, over ClickHouse's HTTP protocol: read-only, and of one tenant where the credential is."""
