"""Who answers: known providers, their hosts, and what their headers say of supply."""
