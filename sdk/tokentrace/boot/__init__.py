"""A folder to put on PYTHONPATH: every Python that starts with it there meters itself."""
