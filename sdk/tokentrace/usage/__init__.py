"""What a call used: token counts in disjoint buckets, what was asked, and how both are recorded."""
