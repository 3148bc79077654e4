"""What an application says of its requests: sections, tags, reviews and outcomes, and where a request goes on."""
